// Clients whose rows may be damaged: who goes on without such a one tells it in the log, so that somebody mends it.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "troupe/oauth/model/errors.h"
#include "troupe/oauth/storage/tables.h"

namespace troupe::oauth {

/// What is told to who asks for such a client, and nobody else.
inline constexpr OauthError damaged_client =
    errors::server_error.because("The client cannot be read from the database: its row is damaged.");

/// Tells in the log which client it is, why, and what to do.
void tell_damaged(const DamagedClient& damaged);

/// The client; nothing where there is none, and where its row is damaged, which is told.
std::optional<Client> readable_client(Tables& tables, const ClientId& id);

/// Shows `visit` all clients that can be read, by id, a page of the table at a time. Gives those that are damaged.
std::vector<DamagedClient> each_client(Tables& tables, const std::function<void(Client&&)>& visit);

}  // namespace troupe::oauth
