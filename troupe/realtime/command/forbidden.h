// What a connection may no longer have: its permissions can shrink while it is open, by a
// token of fewer scopes or by new settings.
//
// Called in the connection's actor, between two commands, so that no subscription is under way.
#pragma once

#include "troupe/realtime/command/client.h"

namespace troupe::realtime {

/// Ends the subscriptions that the permissions of the session do not cover, and says which.
void end_forbidden(Client& client);

}  // namespace troupe::realtime
