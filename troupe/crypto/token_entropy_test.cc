// Whether tokens can repeat or be guessed (T75): the secrets of a hundred thousand of them, or, in the first slice of
// `./dev prove`, of ten million, from the kernel's own randomness.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <vector>

#include "troupe/crypto/token.h"

namespace troupe::crypto {
namespace {

// Chance leaves these about once in five hundred million times, so a test of some hundreds of figures is not disturbed.
constexpr double deviations_max = 6;

std::size_t tokens_to_draw() {
  const char* slice = std::getenv("TROUPE_SLICE");
  return slice != nullptr && std::string_view{slice} == "1" ? 10'000'000 : 100'000;
}

struct Counts {
  std::size_t tokens = 0;
  std::array<std::size_t, sizeof(TokenSecret) * 8> ones{};  // by the place of the bit
  std::array<std::size_t, 256> bytes{};
  std::vector<std::uint64_t> beginnings;  // of each secret: if two of these differ, so do the tokens

  void take(const TokenSecret& secret) {
    ++tokens;
    for (std::size_t i = 0; i < secret.size(); ++i) {
      const auto byte = static_cast<unsigned char>(secret[i]);
      ++bytes[byte];
      for (std::size_t bit = 0; bit < 8; ++bit) ones[i * 8 + bit] += (byte >> bit) & 1U;
    }
    std::uint64_t beginning = 0;
    std::memcpy(&beginning, secret.data(), sizeof beginning);
    beginnings.push_back(beginning);
  }
};

Counts drawn(base::Random& random, std::size_t count) {
  Counts counts;
  counts.beginnings.reserve(count);
  for (std::size_t i = 0; i < count; ++i) counts.take(fresh_secret(random));
  return counts;
}

/// How many standard deviations the place with the fewest or most ones is away from a half.
double worst_place(const Counts& counts) {
  const double half = static_cast<double>(counts.tokens) / 2;
  const double deviation = std::sqrt(static_cast<double>(counts.tokens)) / 2;
  double worst = 0;
  for (const auto ones : counts.ones) worst = std::max(worst, std::abs(static_cast<double>(ones) - half) / deviation);
  return worst;
}

/// How many standard deviations chi squared of the bytes is away from its mean, with 255 degrees of freedom.
double chi_squared_away(const Counts& counts) {
  const double expected = static_cast<double>(counts.tokens * sizeof(TokenSecret)) / 256;
  double sum = 0;
  for (const auto count : counts.bytes) sum += std::pow(static_cast<double>(count) - expected, 2) / expected;
  return std::abs(sum - 255) / std::sqrt(2.0 * 255);
}

bool has_repeats(std::vector<std::uint64_t> values) {
  std::ranges::sort(values);
  return std::ranges::adjacent_find(values) != values.end();
}

/// A source that is a little wrong: one bit of each kilobyte or so is always set.
class Biased final : public base::Random {
 public:
  void fill(std::span<std::byte> out) override {
    good_.fill(out);
    if (++calls_ % 20 == 0) out.front() |= std::byte{1};
  }

 private:
  base::SeededRandom good_{1};
  std::size_t calls_ = 0;
};

}  // namespace

TEST_CASE("no two tokens are alike, and no bit or byte of them comes more often than another (T75)") {
  const auto random = base::secure_random();
  const Counts counts = drawn(*random, tokens_to_draw());
  CHECK_LT(worst_place(counts), deviations_max);
  CHECK_LT(chi_squared_away(counts), deviations_max);
  CHECK_FALSE(has_repeats(counts.beginnings));
  CHECK_GE(sizeof(TokenSecret) * 8, 160);  // RFC 6749, 10.10
}

TEST_CASE("a source of which a twentieth is wrong in one bit is found out") {
  Biased random;
  CHECK_GT(worst_place(drawn(random, 100'000)), deviations_max);
}

TEST_CASE("a secret that comes again is found") {
  base::SeededRandom first{7}, again{7};
  Counts counts = drawn(first, 1000);
  counts.take(fresh_secret(again));
  CHECK(has_repeats(counts.beginnings));
}

}  // namespace troupe::crypto
