// Digests: SHA-256, SHA-512, SHA-1, HMAC-SHA-256, and comparing them without telling how far they agree.
//
// Bytes travel as std::string_view. The free functions may be called on any thread; an
// `Hmac` keeps one keyed context and belongs to one owner.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "troupe/base/strong.h"

namespace troupe::crypto {

/// The 32 bytes of a SHA-256. Comparing two with == is for public values; for secrets see below.
struct Digest {
  std::array<char, 32> bytes{};

  std::string_view view() const noexcept { return {bytes.data(), bytes.size()}; }
  friend bool operator==(const Digest&, const Digest&) = default;
};

/// SHA-256 of `message` (FIPS 180-4).
Digest sha256(std::string_view message);

/// The 20 bytes of the SHA-1 of `message` (FIPS 180-4): for lists that others make, and for nothing that must be safe.
std::string sha1(std::string_view message);

/// The 64 bytes of the SHA-512 of `message` (FIPS 180-4).
std::string sha512(std::string_view message);

/// HMAC-SHA-256 of `message` under `key` (RFC 2104), for a key that is used once.
Digest hmac_sha256(std::string_view key, std::string_view message);

/// Whether the two texts are the same; takes the same time wherever they differ. Their lengths are no secret.
bool equal_in_constant_time(std::string_view a, std::string_view b) noexcept;

/// Two lower-case digits a byte.
std::string hex(std::string_view bytes);

/// HMAC-SHA-256 under one key, for who signs often: the key is set up once.
class Hmac {
 public:
  explicit Hmac(const base::Secret<std::string>& key);
  ~Hmac();
  Hmac(Hmac&&) noexcept;
  Hmac& operator=(Hmac&&) noexcept;

  Digest sign(std::string_view message);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace troupe::crypto
