// Liveness: whether what a grant stands on still stands. A token is worth something as long as
// its client, its user and its family are; whoever ends one of them ends all its tokens at once.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string_view>

#include "troupe/oauth/model/grant.h"
#include "troupe/oauth/storage/tables.h"

namespace troupe::oauth {

/// Whether the client is enabled, has not been disabled since the grant was made, and, where a user is behind the
/// grant, the user is enabled, has not changed the password since the grant was made, its family is not revoked, and
/// nobody has ended its session, unless the grant is one of offline_access.
/// Tokens that clients get for themselves have no family row.
bool stands(Tables& tables, const Grant& grant);

/// The same, with the name of the user behind it; nothing where the client acts for itself.
struct Standing {
  std::optional<UserName> user;
};
std::optional<Standing> standing(Tables& tables, const Grant& grant);

/// What a grant has lost that does not stand.
enum class Lapse : std::uint8_t {
  client_removed,
  client_disabled,
  client_was_disabled,  // and is enabled again
  user_removed,
  user_disabled,
  signed_in_before,  // the last change of the password
  session_over,
  grant_over,  // its family is revoked, or not there
  key_gone,    // of an access token
};
std::expected<Standing, Lapse> judge_standing(Tables& tables, const Grant& grant);

/// The same of an access token that nobody has shown: of a JWT a key must be held that can have signed it, as whoever
/// shows one proves. `keys` are those of KeyTable::signing_times. A token that was issued within the half second in
/// which its server had not heard yet that a key was revoked may be taken for one of the next key.
std::expected<Standing, Lapse> judge_unseen(Tables& tables, const AccessRecord& token,
                                            std::span<const SigningKeyRecord> keys, base::UnixTime now);

/// The same without a look at the grant's family, for who has read it already in this transaction, or opens it.
std::expected<Standing, Lapse> judge_ground(Tables& tables, const Grant& grant);

/// Whether the session is over. Of one that is not there nothing is said: sessions are removed by their age.
bool has_ended(Tables& tables, const SessionId& session);

/// For a person, behind "It is not accepted: ".
std::string_view sentence(Lapse lapse) noexcept;

/// Revokes the family, and writes that it has ended: where its asker has given up by the time of the commit, whoever
/// must know hears of it all the same. False: it had ended before.
bool end_family(Tables& tables, const FamilyId& family, base::UnixTime now, std::string_view because);
/// The same of one access token of that family.
bool end_access(Tables& tables, const FamilyId& family, const crypto::TokenId& token, base::UnixTime now);

/// When the grant was made: its family's id says so.
base::UnixTime granted_at(const Grant& grant);

}  // namespace troupe::oauth
