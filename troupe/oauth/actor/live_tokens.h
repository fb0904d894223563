// What is live of what was granted, page by page, and what is taken back of it by its id: steps of
// transactions, for the Token Actor and the command line.
#pragma once

#include <optional>
#include <string_view>

#include "troupe/oauth/actor/token_actor.h"
#include "troupe/oauth/storage/tables.h"

namespace troupe::oauth {

/// A page of the grants that are live at `now`: those with a user behind them; and by its name also that of a client
/// which acts for itself. Such a grant is one token, whose id it bears.
PageOf<LiveGrant> live_grants(Tables& tables, const ListGrants& wanted, base::UnixTime now);

/// A page of the tokens of one use that are live at `now`.
PageOf<TokenClaims> live_tokens(Tables& tables, const ListTokens& wanted, base::UnixTime now);

/// What `take_back` of that id would take back; nothing where the token is not live.
std::optional<TokenAtHand> token_at_hand(Tables& tables, const crypto::TokenId& id, base::UnixTime now);

/// Ends a grant of either kind; whether it was alive.
bool end_grant(Tables& tables, const FamilyId& grant, base::UnixTime now, std::string_view because);

/// A token that was taken back by its id.
struct TakenBack {
  TokenUse use = TokenUse::access;
  FamilyId family;
};

/// Takes back an access token alone, a refresh token with its family, and appends `event` where that has changed
/// anything. Nothing where there is no such token.
std::optional<TakenBack> take_back(Tables& tables, const crypto::TokenId& id, base::UnixTime now, AuditEvent event);

}  // namespace troupe::oauth
