// SimulatedDisk: a file that only grows, on a disk whose power may fail; the ground of the memory journal.
//
// What was synced survives a crash. Of what was written after that, the crash leaves what the
// seed says: nothing, a part, or a part whose last bytes are garbage, as a torn sector's are. One
// thread; it outlives the system that writes to it, so a test can start the next one on it.
#pragma once

#include <string>
#include <string_view>

#include "troupe/base/random.h"

namespace troupe::actor {

class SimulatedDisk {
 public:
  void write(std::string_view bytes) { bytes_ += bytes; }
  void sync() noexcept { synced_ = bytes_.size(); }
  /// Gives back what was found to be no whole record, so that the next write stands behind the last whole one.
  void truncate(std::size_t size);
  /// The power fails. Whoever wrote must be gone, or forget what it knows.
  void crash(base::Random& random);

  std::string_view bytes() const noexcept { return bytes_; }
  std::size_t synced() const noexcept { return synced_; }

 private:
  std::string bytes_;
  std::size_t synced_ = 0;
};

}  // namespace troupe::actor
