// direct: a message to all connections of one user, kept in their inbox until `received` says
// that it was read.
//
// It takes the permission to publish to the topic `$user.<id>`, which only a grant that
// names `$user` gives.
#pragma once

#include "troupe/realtime/command/client.h"
#include "troupe/realtime/protocol/command.h"

namespace troupe::realtime {

/// What a client is told of a direct message that failed.
ClientError error_of(const actor::Failure<DirectError>& failure);

actor::Task<void> run(Direct command, OptionalId id, Client& client);
actor::Task<void> run(Received command, OptionalId id, Client& client);

}  // namespace troupe::realtime
