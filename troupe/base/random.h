// Random numbers as a value that is handed in: from the kernel for the real thing, from a
// seed for tests and simulation, so that a run can be repeated.
//
// `Random` is the source; an owner uses it on one thread. `secure_random()` gives bytes
// fit for keys and tokens; `SeededRandom` does not, and says so by its name.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace troupe::base {

class Random {
 public:
  virtual ~Random() = default;

  /// Fills `out` with random bytes.
  virtual void fill(std::span<std::byte> out) = 0;

  /// A uniform 64-bit number.
  std::uint64_t next();

  /// A uniform number in [0, bound); bound > 0.
  std::uint64_t below(std::uint64_t bound);

  /// A uniform number in [0, 1).
  double unit();
};

/// Bytes of the kernel's CSPRNG (getrandom(2)), read ahead in blocks of 4 KiB; a fork discards
/// the block. Throws std::system_error when the kernel refuses. One thread for each object.
std::unique_ptr<Random> secure_random();

/// xoshiro256**, seeded by splitmix64. Repeats from its seed; never for secrets outside tests.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) noexcept;
  void fill(std::span<std::byte> out) noexcept override;

 private:
  std::uint64_t step() noexcept;
  std::array<std::uint64_t, 4> state_{};
};

}  // namespace troupe::base
