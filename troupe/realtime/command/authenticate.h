// authenticate: the first frame of a connection that came without a token, or a fresh token
// for one that is open.
#pragma once

#include "troupe/realtime/command/client.h"
#include "troupe/realtime/protocol/command.h"

namespace troupe::realtime {

actor::Task<void> run(Authenticate command, OptionalId id, Client& client);

}  // namespace troupe::realtime
