// Redemption: what happens to a code when somebody shows it, inside one transaction.
//
// The checks come in an order of their own: none of them spends the code, so whoever guesses
// cannot take it from its owner; and the code is spent before anything is made for it.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "troupe/oauth/actor/token_factory.h"
#include "troupe/oauth/model/errors.h"
#include "troupe/oauth/storage/tables.h"

namespace troupe::oauth {

/// A code as it was shown at the token endpoint, by a client that has proven who it is.
struct ShownCode {
  ReadToken read;
  ClientId client;
  std::string redirect_uri;              // "" when the request had none
  std::string code_verifier;             // "" when the request had none
  std::vector<std::string> resources{};  // none: all that were granted
};

struct RedemptionRefusal {
  OauthError error;
  std::string_view reason;            // for the audit trail: "another_client"
  bool is_replay = false;             // the code was spent before; its family is revoked
  std::optional<FamilyId> revoked{};  // the family that this replay has ended
};

/// Spends the code and opens its family, which lives until `family_expires_at`; gives what was granted, as far as the
/// client may have it still, for the resources that were asked for. The code's own client showing it again ends the
/// family: one of the two was a thief (RFC 6749, 4.1.2). One that was called back before it was redeemed is refused,
/// and that is no replay; so is one whose client, user or session has ended since.
std::expected<Grant, RedemptionRefusal> redeem(Tables& tables, const ShownCode& shown, base::UnixTime now,
                                               base::UnixTime family_expires_at);

}  // namespace troupe::oauth
