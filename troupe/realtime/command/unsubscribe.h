// unsubscribe: what there is no subscription to is passed over, and confirmed all the same.
#pragma once

#include "troupe/realtime/command/client.h"
#include "troupe/realtime/protocol/command.h"

namespace troupe::realtime {

actor::Task<void> run(Unsubscribe command, OptionalId id, Client& client);

}  // namespace troupe::realtime
