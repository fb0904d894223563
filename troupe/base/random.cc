// See random.h. xoshiro256** after Blackman and Vigna (2018).
#include "troupe/base/random.h"

#include <pthread.h>
#include <sys/random.h>
#include <bit>
#include <cerrno>
#include <cstring>
#include <system_error>

namespace troupe::base {
namespace {

// Raised in the child of every fork, so that parent and child never hand out the same bytes.
unsigned fork_count = 0;

class KernelRandom final : public Random {
 public:
  void fill(std::span<std::byte> out) override {
    while (!out.empty()) {
      if (used_ == block_.size() || forks_seen_ != fork_count) refill();
      const std::size_t n = std::min(out.size(), block_.size() - used_);
      std::memcpy(out.data(), block_.data() + used_, n);
      std::memset(block_.data() + used_, 0, n);  // what was handed out is not kept
      used_ += n;
      out = out.subspan(n);
    }
  }

 private:
  void refill() {
    forks_seen_ = fork_count;
    std::size_t have = 0;
    while (have < block_.size()) {
      const ssize_t n = getrandom(block_.data() + have, block_.size() - have, 0);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) throw std::system_error(errno, std::generic_category(), "getrandom");
      have += static_cast<std::size_t>(n);
    }
    used_ = 0;
  }

  std::array<std::byte, 4096> block_{};
  std::size_t used_ = block_.size();
  unsigned forks_seen_ = fork_count;
};

}  // namespace

std::uint64_t Random::next() {
  std::uint64_t value = 0;
  fill(std::as_writable_bytes(std::span{&value, 1}));
  return value;
}

std::uint64_t Random::below(std::uint64_t bound) {
  // Rejection keeps the result uniform: the last, incomplete run of `bound` values is thrown back.
  const std::uint64_t limit = UINT64_MAX - (UINT64_MAX % bound + 1) % bound;
  std::uint64_t value = next();
  while (value > limit) value = next();
  return value % bound;
}

double Random::unit() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

std::unique_ptr<Random> secure_random() {
  static const int registered = pthread_atfork(nullptr, nullptr, [] { ++fork_count; });
  if (registered != 0) throw std::system_error(registered, std::generic_category(), "pthread_atfork");
  return std::make_unique<KernelRandom>();
}

SeededRandom::SeededRandom(std::uint64_t seed) noexcept {
  for (auto& word : state_) {
    seed += 0x9e3779b97f4a7c15;
    std::uint64_t z = seed;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    word = z ^ (z >> 31);
  }
}

std::uint64_t SeededRandom::step() noexcept {
  const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
  const std::uint64_t t = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= t;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

void SeededRandom::fill(std::span<std::byte> out) noexcept {
  while (!out.empty()) {
    const std::uint64_t word = step();
    const std::size_t n = std::min(out.size(), sizeof word);
    std::memcpy(out.data(), &word, n);
    out = out.subspan(n);
  }
}

}  // namespace troupe::base
