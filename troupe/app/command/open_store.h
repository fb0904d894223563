// The database of the authorization server, as the command line and the server open it: PostgreSQL where the
// configuration names one, else a file in the data folder.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "troupe/app/config/config.h"
#include "troupe/store/session.h"

namespace troupe::app {

/// The database of a server.
struct ServerStore {
  std::shared_ptr<store::Engine> engine;
  // Where the server claims the database, as on PostgreSQL: who writes goes on with it. Null for a file.
  std::unique_ptr<store::Session> session;
};

/// Brings the schema of a server's database up to date; the data folder is made (mode 0700) when it is missing. Where
/// another process holds the database it waits, for half an hour or so, and logs that. Throws CommandFailed with the
/// folder's name when that cannot be done, or store::Error, among others where another server has the PostgreSQL
/// database, which is not waited for.
ServerStore prepare_store(const Config& config);

/// Whether there may be no database yet: who adds the first of something makes one; who looks, changes or removes
/// has come to the wrong place.
enum class Missing : std::uint8_t { make, refuse };

/// The same for a command, beside any server: a session, which holds its thread. Where there is none and `missing`
/// refuses, it makes nothing and throws CommandFailed; so it does where another process holds the database.
std::unique_ptr<store::Session> open_store(const Config& config, Missing missing);

/// Throws CommandFailed where there is no file of a database, as `open_store` does. On PostgreSQL it says nothing.
void refuse_missing_file(const Config& config);

}  // namespace troupe::app
