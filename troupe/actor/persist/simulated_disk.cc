// See simulated_disk.h.
#include "troupe/actor/persist/simulated_disk.h"

#include "troupe/base/check.h"

namespace troupe::actor {

void SimulatedDisk::truncate(std::size_t size) {
  INVARIANT(size <= bytes_.size(), "a file is cut, not lengthened");
  bytes_.resize(size);
  synced_ = std::min(synced_, size);
}

void SimulatedDisk::crash(base::Random& random) {
  const std::size_t loose = bytes_.size() - synced_;
  const std::size_t left = random.below(3) == 0 ? loose : random.below(loose + 1);  // whole records are torn too
  bytes_.resize(synced_ + left);
  const bool torn = random.below(2) == 0;
  if (torn) {
    for (std::size_t i = 0, garbage = random.below(left + 1); i < garbage; ++i) {
      bytes_[bytes_.size() - 1 - i] = static_cast<char>(random.below(256));
    }
  }
  synced_ = bytes_.size();
}

}  // namespace troupe::actor
