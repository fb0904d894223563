// subscribe: all topics of the frame or none; what was missed comes before what is live.
#pragma once

#include "troupe/realtime/command/client.h"
#include "troupe/realtime/protocol/command.h"

namespace troupe::realtime {

/// Why these topics may not be subscribed to as the command says; nothing when they may, as far as there is room.
std::optional<ClientError> forbids(const Subscribe& command, const Permissions& permissions,
                                   const RealtimeSettings& settings);

actor::Task<void> run(Subscribe command, OptionalId id, Client& client);

}  // namespace troupe::realtime
