// info and ping: what a connection may know of itself, and whether anybody is there.
#pragma once

#include "troupe/realtime/command/client.h"
#include "troupe/realtime/protocol/command.h"

namespace troupe::realtime {

actor::Task<void> run(GetInfo command, OptionalId id, Client& client);
actor::Task<void> run(Ping command, OptionalId id, Client& client);

}  // namespace troupe::realtime
