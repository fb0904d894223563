// The database of a data folder, as the command line and the server open it.
#pragma once

#include <memory>
#include <string>

#include "troupe/app/config/config.h"
#include "troupe/store/sqlite.h"

namespace troupe::app {

/// The path of the database below the data folder, which is made (mode 0700) when it is missing, and the schema
/// brought up to date. Throws CommandFailed with the folder's name when that cannot be done, or store::Error.
store::SqliteOptions prepare_store(const Config& config);

/// A connection to it.
std::unique_ptr<store::SqliteConnection> open_store(const Config& config);

}  // namespace troupe::app
