// history and cancel: a page is read at once, sent as fast as the socket takes it, and can be
// called off.
#pragma once

#include "troupe/realtime/command/client.h"
#include "troupe/realtime/protocol/command.h"

namespace troupe::realtime {

/// Why a topic must not be read with these permissions; nothing if it may be.
std::optional<ClientError> forbids_reading(const TopicName& topic, const Permissions& permissions);

/// Takes out what this identity must not see.
void hide_from(const Identity& identity, HistoryPage& page);

actor::Task<void> run(ReadHistory command, OptionalId id, Client& client);
actor::Task<void> run(Cancel command, OptionalId id, Client& client);

}  // namespace troupe::realtime
