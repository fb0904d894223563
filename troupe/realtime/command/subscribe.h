// subscribe: all topics of the frame or none; what was missed comes before what is live.
#pragma once

#include "troupe/realtime/command/client.h"
#include "troupe/realtime/protocol/command.h"

namespace troupe::realtime {

actor::Task<void> run(Subscribe command, OptionalId id, Client& client);

}  // namespace troupe::realtime
