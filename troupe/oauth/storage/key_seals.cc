// See key_seals.h.
#include "troupe/oauth/storage/key_seals.h"

#include <fmt/format.h>

namespace troupe::oauth {

SealedSecret KeySeals::seal(const base::Secret<std::string>& secret, std::string_view place) const {
  if (!current) return {secret.expose(), std::nullopt};
  return {current->seal(secret, place), current->id()};
}

base::Secret<std::string> KeySeals::unseal(const SealedSecret& kept, std::string_view place) const {
  if (!kept.sealed_by) return base::Secret{kept.bytes};
  for (const auto& key : {current, previous}) {
    if (!key || key->id() != *kept.sealed_by) continue;
    if (auto secret = key->unseal(kept.bytes, place)) return *std::move(secret);
    throw UnsealError(KeyFault::damaged,
                      fmt::format("{} in the database was changed by somebody: restore it from a backup", place));
  }
  throw UnsealError(
      KeyFault::sealed_otherwise,
      fmt::format("{} in the database is sealed by the encryption key {}, and this is not the one that is configured: "
                  "set oauth.encryption_key, or oauth.encryption_key_previous, to it",
                  place, *kept.sealed_by));
}

bool KeySeals::is_current(const SealedSecret& kept) const noexcept {
  return current ? kept.sealed_by == current->id() : !kept.sealed_by;
}

}  // namespace troupe::oauth
