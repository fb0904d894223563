// Key seals: how the server's own keys stand on the disk. Sealed by the current key where there is one, else in clear;
// what an earlier key has sealed is still read.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "troupe/crypto/seal.h"

namespace troupe::oauth {

/// What a database holds of a secret.
struct SealedSecret {
  std::string bytes;
  std::optional<std::string> sealed_by;  // the key's id; nothing: the bytes are the secret itself
};

/// Why a key in the database cannot be read.
enum class KeyFault : std::uint8_t {
  sealed_otherwise,  // by an encryption key that is not configured here
  damaged,           // nobody can read it
};

/// A key in the database cannot be unsealed; the text says what an operator has to do.
struct UnsealError : std::runtime_error {
  UnsealError(KeyFault why, const std::string& what) : std::runtime_error(what), fault(why) {}
  KeyFault fault;
};

struct KeySeals {
  std::optional<crypto::SealKey> current;
  std::optional<crypto::SealKey> previous;  // until all that it has sealed is sealed anew

  /// `secret` as it is to be kept at `place`, "signing_keys/ID".
  SealedSecret seal(const base::Secret<std::string>& secret, std::string_view place) const;
  /// The secret again. Throws UnsealError when no key fits.
  base::Secret<std::string> unseal(const SealedSecret& kept, std::string_view place) const;
  /// Whether it stands as `seal` would have it.
  bool is_current(const SealedSecret& kept) const noexcept;
};

/// Shared by all threads that open tables; null: everything is in clear.
using KeySealsPtr = std::shared_ptr<const KeySeals>;

}  // namespace troupe::oauth
