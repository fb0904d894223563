// DataLock: one server for one data folder. A second one would deliver to its own connections
// only, and never hear what the first one revokes.
//
// Held while the object lives, and gone with the process however it ends. Commands of the
// command line need no lock: the database serves several processes.
#pragma once

#include <string>

#include "troupe/net/descriptor.h"

namespace troupe::app {

class DataLock {
 public:
  /// `folder` exists. Throws CommandFailed when another server holds it, std::system_error when it cannot be written.
  explicit DataLock(const std::string& folder);

 private:
  net::Descriptor file_;
};

}  // namespace troupe::app
