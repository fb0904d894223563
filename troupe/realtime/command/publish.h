// publish: permission, then the topic's home; the counts come back only to a frame with an id.
#pragma once

#include "troupe/realtime/command/client.h"
#include "troupe/realtime/protocol/command.h"

namespace troupe::realtime {

actor::Task<void> run(Publish command, OptionalId id, Client& client);

}  // namespace troupe::realtime
