// See password.h.
#include "troupe/crypto/password.h"

#include <argon2.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <stdexcept>

namespace troupe::crypto {
namespace {

constexpr std::size_t hash_bytes = 32;

std::string prefix_of(const PasswordCost& cost) {
  return fmt::format("$argon2id$v={}$m={},t={},p={}$", static_cast<int>(ARGON2_VERSION_13), cost.memory_kib,
                     cost.passes, cost.lanes);
}

/// The number behind `name` at the beginning of `text`, which then begins behind it; nothing for any other text.
std::optional<std::uint32_t> take_number(std::string_view& text, std::string_view name) {
  if (!text.starts_with(name)) return std::nullopt;
  text.remove_prefix(name.size());
  std::uint32_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  if (read.ec != std::errc{}) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(read.ptr - text.data()));
  return number;
}

std::uint64_t work_of(const PasswordCost& cost) { return std::uint64_t{cost.memory_kib} * cost.passes; }

}  // namespace

PasswordSalt fresh_salt(base::Random& random) {
  PasswordSalt salt;
  random.fill(salt);
  return salt;
}

std::expected<std::string, PasswordError> hash_password(const Password& password, const PasswordCost& cost,
                                                        const PasswordSalt& salt) {
  const std::string& text = password.expose();
  if (text.size() > password_bytes_max) return std::unexpected(PasswordError::too_long);
  const auto salt_bytes = static_cast<std::uint32_t>(salt.size());
  std::string phc(argon2_encodedlen(cost.passes, cost.memory_kib, cost.lanes, salt_bytes, hash_bytes, Argon2_id), '\0');
  const int failed = argon2id_hash_encoded(cost.passes, cost.memory_kib, cost.lanes, text.data(), text.size(),
                                           salt.data(), salt.size(), hash_bytes, phc.data(), phc.size());
  if (failed != ARGON2_OK) throw std::runtime_error(std::string{"argon2: "} + argon2_error_message(failed));
  phc.resize(std::strlen(phc.c_str()));
  return phc;
}

bool verify_password(const Password& password, const std::string& phc) {
  const std::string& text = password.expose();
  if (text.size() > password_bytes_max) return false;
  const int answer = argon2id_verify(phc.c_str(), text.data(), text.size());
  if (answer == ARGON2_MEMORY_ALLOCATION_ERROR) throw std::runtime_error("argon2: out of memory");
  return answer == ARGON2_OK;
}

std::optional<PasswordCost> cost_of(std::string_view phc) {
  const auto version = take_number(phc, "$argon2id$v=");
  const auto memory = take_number(phc, "$m=");
  const auto passes = take_number(phc, ",t=");
  const auto lanes = take_number(phc, ",p=");
  if (version != ARGON2_VERSION_13 || !memory || !passes || !lanes || !phc.starts_with('$')) return std::nullopt;
  return PasswordCost{*memory, *passes, *lanes};
}

const PasswordCost& dearer(const PasswordCost& one, const PasswordCost& other) {
  return work_of(one) < work_of(other) ? other : one;
}

bool needs_rehash(std::string_view phc, const PasswordCost& cost) {
  const auto kept = cost_of(phc);
  if (!kept || kept->memory_kib != cost.memory_kib || kept->lanes != cost.lanes) return true;
  const std::uint32_t difference = std::max(kept->passes, cost.passes) - std::min(kept->passes, cost.passes);
  return difference > cost.passes / 4;
}

void spend_difference(std::string_view phc, const PasswordCost& cost) {
  const auto kept = cost_of(phc);
  const std::uint64_t spent = kept ? work_of(*kept) : 0;
  if (spent >= work_of(cost)) return;
  PasswordCost rest = cost;
  rest.passes = static_cast<std::uint32_t>((work_of(cost) - spent) / cost.memory_kib);
  if (rest.passes > 0) (void)hash_password(Password{"takes its time"}, rest, PasswordSalt{});
}

std::string unmatchable_hash(const PasswordCost& cost) {
  // Salt and hash are all zero: nobody knows a password with such a hash, and finding one is breaking argon2.
  return prefix_of(cost) + std::string(22, 'A') + "$" + std::string(43, 'A');
}

}  // namespace troupe::crypto
