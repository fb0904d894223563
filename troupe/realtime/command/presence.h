// presence: who is in a topic now, page by page.
#pragma once

#include "troupe/realtime/command/client.h"
#include "troupe/realtime/protocol/command.h"

namespace troupe::realtime {

actor::Task<void> run(GetPresence command, OptionalId id, Client& client);

}  // namespace troupe::realtime
