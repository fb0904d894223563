// Seals: what is kept on a disk that others may copy, encrypted and bound to its place (AES-256-GCM, NIST SP 800-38D).
//
// Each seal draws its own nonce of 96 random bits, which is safe for 2^32 seals of one key; the server makes a few a
// month. Free of state; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "troupe/base/strong.h"

namespace troupe::crypto {

class SealKey {
 public:
  static constexpr std::size_t size = 32;  // bytes

  /// The key in `text`: 43 characters of base64url or 64 hexadecimal digits, white space around them aside. Nothing for
  /// all else.
  static std::optional<SealKey> parse(std::string_view text);
  /// A fresh one as `parse` takes it.
  static base::Secret<std::string> generate();

  /// Says which key sealed something, and nothing of the key: 16 hexadecimal digits.
  const std::string& id() const noexcept { return id_; }

  /// `plain`, sealed and bound to `place`, a name that is no secret. 28 bytes longer than it.
  std::string seal(const base::Secret<std::string>& plain, std::string_view place) const;
  /// What was sealed; nothing when it was another key, another place, or the bytes were changed.
  std::optional<base::Secret<std::string>> unseal(std::string_view sealed, std::string_view place) const;

 private:
  explicit SealKey(base::Secret<std::string> bytes);

  base::Secret<std::string> bytes_;
  std::string id_;
};

}  // namespace troupe::crypto
