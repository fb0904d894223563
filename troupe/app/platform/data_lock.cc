// See data_lock.h.
#include "troupe/app/platform/data_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>

#include <cerrno>
#include <system_error>

#include "troupe/app/command/command.h"

namespace troupe::app {

DataLock::DataLock(const std::string& folder) {
  const std::string path = folder + "/server.lock";
  file_ = net::Descriptor{::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)};
  if (!file_) throw std::system_error(errno, std::generic_category(), "open " + path);
  if (::flock(file_.get(), LOCK_EX | LOCK_NB) == 0) return;
  if (errno != EWOULDBLOCK) throw std::system_error(errno, std::generic_category(), "lock " + path);
  throw CommandFailed{fmt::format("another server runs on the data folder {}; --data takes another one", folder)};
}

}  // namespace troupe::app
