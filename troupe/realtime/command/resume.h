// resume: the subscriptions of an earlier socket's session go on where its client was.
#pragma once

#include "troupe/realtime/command/client.h"
#include "troupe/realtime/protocol/command.h"

namespace troupe::realtime {

actor::Task<void> run(Resume command, OptionalId id, Client& client);

}  // namespace troupe::realtime
