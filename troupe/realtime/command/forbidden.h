// What a connection may no longer have: its permissions can shrink while it is open, by a
// token of fewer scopes or by new settings.
//
// Called between two commands of the connection's actor; and when new settings come, also while one waits for homes.
#pragma once

#include <span>
#include <vector>

#include "troupe/realtime/command/client.h"

namespace troupe::realtime {

/// Ends the subscriptions that the permissions of the session do not cover, and says which; but for those that a
/// command under way is making, or ending.
void end_forbidden(Client& client, std::span<const TopicPattern> under_way = {});

/// Those of them that the permissions do not cover.
std::vector<TopicPattern> forbidden_among(const SubscriptionMap& subscriptions, const Permissions& permissions);

/// Ends these, if there are any, and says that they are forbidden.
void end_as_forbidden(std::vector<TopicPattern> ended, Client& client);

}  // namespace troupe::realtime
