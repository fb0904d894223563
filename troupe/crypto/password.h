// Passwords of people, kept as argon2id (RFC 9106) in the PHC text form. Secrets that a machine
// made have 256 bits and are kept as SHA-256 instead (docs/decisions): a slow hash protects nothing there.
//
// One hash takes tens of milliseconds and `memory_kib` of memory: never on a core's thread,
// only as a job of the bounded blocking pool.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "troupe/base/random.h"
#include "troupe/base/strong.h"

namespace troupe::crypto {

using Password = base::Secret<std::string>;

/// Longer ones are refused before they cost anything, and never cut off silently.
inline constexpr std::size_t password_bytes_max = 256;

struct PasswordCost {
  std::uint32_t memory_kib = 19'456;  // with the two below: the minimum of OWASP's cheat sheet
  std::uint32_t passes = 2;
  std::uint32_t lanes = 1;

  friend bool operator==(const PasswordCost&, const PasswordCost&) = default;
};

enum class PasswordError { too_long };

using PasswordSalt = std::array<std::byte, 16>;
/// Drawn where the source of random numbers is; the hash itself is made elsewhere.
PasswordSalt fresh_salt(base::Random& random);

/// "$argon2id$v=19$m=..,t=..,p=..$salt$hash". Throws std::runtime_error when argon2 cannot get its memory.
std::expected<std::string, PasswordError> hash_password(const Password& password, const PasswordCost& cost,
                                                        const PasswordSalt& salt);

/// Whether `password` is the one that `phc` was made of; false for one that is too long or a text that is
/// no hash. Takes the time of the hash's own cost and compares in constant time.
bool verify_password(const Password& password, const std::string& phc);

/// The cost that `phc`, or its beginning as far as the salt, says that it was made at; nothing for any other text.
std::optional<PasswordCost> cost_of(std::string_view phc);

/// The one of the two that takes longer.
const PasswordCost& dearer(const PasswordCost& one, const PasswordCost& other);

/// Whether `phc` was made at another cost than `cost` and should be made anew at the next login. Passes that differ by
/// a quarter or less are the same cost, or each calibration would have all hashes made anew.
bool needs_rehash(std::string_view phc, const PasswordCost& cost);

/// Works as long as a hash at `cost` takes longer than checking `phc` does, so that a wrong password of somebody whose
/// hash is an old, cheap one is refused no sooner than a name that nobody has.
void spend_difference(std::string_view phc, const PasswordCost& cost);

/// A hash that no password has, for a user who does not exist: checking it takes as long as checking a real one.
std::string unmatchable_hash(const PasswordCost& cost);

}  // namespace troupe::crypto
