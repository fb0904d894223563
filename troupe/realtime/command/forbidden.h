// What a connection may no longer have: its permissions can shrink while it is open, by a
// token of fewer scopes or by new settings.
//
// Called between two commands of the connection's actor; and when new settings come, also while one waits for homes.
#pragma once

#include <span>

#include "troupe/realtime/command/client.h"

namespace troupe::realtime {

/// Ends the subscriptions that the permissions of the session do not cover, and says which; but for those that a
/// command under way is making, or ending.
void end_forbidden(Client& client, std::span<const TopicPattern> under_way = {});

}  // namespace troupe::realtime
