// See live_tokens.h.
#include "troupe/oauth/actor/live_tokens.h"

#include "troupe/oauth/actor/liveness.h"

namespace troupe::oauth {
namespace {

constexpr int step = 500;           // rows that are read at once
constexpr int looked_max = 10'000;  // rows that one page looks at: tens of milliseconds
constexpr int judged_max = 1'000;   // of these, how many are judged, which takes a look at client, user and family

/// Goes through rows behind `after` until `is_enough(row)` says so, or many were looked at. Gives where to go on,
/// nothing at the end.
template <class PageAfter, class IdOf, class IsEnough>
std::optional<crypto::TokenId> go_through(crypto::TokenId after, PageAfter page_after, IdOf id_of, IsEnough is_enough) {
  for (int looked = 0; looked < looked_max; looked += step) {
    const auto rows = page_after(after, step);
    for (const auto& row : rows) {
      after = id_of(row);
      if (is_enough(row)) return after;
    }
    if (std::ssize(rows) < step) return std::nullopt;
  }
  return after;
}

bool is_wanted(const Grant& grant, const GrantFilter& filter) {
  if (filter.client && grant.client != *filter.client) return false;
  if (filter.family && grant.family != *filter.family) return false;
  if (filter.ends_with) {
    const bool is_of_session = grant.authentication && grant.authentication->session == *filter.ends_with;
    if (!is_of_session || grant.scope.contains("offline_access")) return false;
  }
  return !filter.user || (grant.authentication && grant.authentication->user == *filter.user);
}

crypto::TokenId id_of(const Grant& grant) { return crypto::TokenId::parse(grant.family.value()).value(); }

/// A page that is being filled by the rows that are live.
template <class Row>
struct Filling {
  Tables& tables;
  int count;
  int judged = 0;
  PageOf<Row> page{};

  bool has_passed(const std::expected<Standing, Lapse>& judgement) {
    ++judged;
    return judgement.has_value();
  }
  bool is_live(const Grant& grant) { return has_passed(judge_standing(tables, grant)); }
  bool is_enough() const { return std::ssize(page.rows) >= count || judged >= judged_max; }
};

PageOf<TokenClaims> access_tokens_of(Tables& tables, const ListTokens& wanted, crypto::TokenId after,
                                     base::UnixTime now) {
  Filling<TokenClaims> filling{tables, wanted.count};
  const auto keys = tables.keys.signing_times();
  filling.page.next = go_through(
      after, [&](const auto& id, int count) { return tables.grants.access_after(id, count); },
      [](const AccessRecord& token) { return token.id; },
      [&](const AccessRecord& token) {
        if (token.revoked_at || token.expires_at <= now || !is_wanted(token.grant, wanted.filter)) return false;
        if (filling.has_passed(judge_unseen(tables, token, keys, now)))
          filling.page.rows.push_back(
              claims_of(TokenUse::access, token.id, token.grant, token.issued_at, token.expires_at));
        return filling.is_enough();
      });
  return std::move(filling.page);
}

PageOf<TokenClaims> refresh_tokens_of(Tables& tables, const ListTokens& wanted, crypto::TokenId after,
                                      base::UnixTime now) {
  Filling<TokenClaims> filling{tables, wanted.count};
  filling.page.next = go_through(
      after, [&](const auto& id, int count) { return tables.grants.refresh_after(id, count); },
      [](const RefreshRecord& token) { return token.id; },
      [&](const RefreshRecord& token) {
        if (token.rotated_at || token.expires_at <= now) return false;
        if (wanted.filter.family && token.family != *wanted.filter.family) return false;
        ++filling.judged;
        const auto family = tables.grants.find_family(token.family);
        const bool is_live = family && !family->revoked_at && family->expires_at > now;
        if (is_live && is_wanted(family->grant, wanted.filter) && filling.is_live(family->grant))
          filling.page.rows.push_back(
              claims_of(TokenUse::refresh, token.id, family->grant, token.id.time(), token.expires_at));
        return filling.is_enough();
      });
  return std::move(filling.page);
}

/// Tokens of a family are made after it, or are all there is of it: the ids before it need not be looked at.
crypto::TokenId start_of(const ListTokens& wanted) {
  if (wanted.after) return *wanted.after;
  if (!wanted.filter.family) return {};
  const auto family = crypto::TokenId::parse(wanted.filter.family->value());
  return family ? crypto::TokenId::first_at({family->time().milliseconds - 1}) : crypto::TokenId{};
}

/// The grant of that name. One of a client that acts for itself has no row of its own, but that of its one token.
std::optional<FamilyRecord> family_named(Tables& tables, const FamilyId& name) {
  const auto id = crypto::TokenId::parse(name.value());
  if (!id) return std::nullopt;
  if (auto family = tables.grants.find_family(name)) return family;
  auto token = tables.grants.find_access(*id);
  if (!token) return std::nullopt;
  return FamilyRecord{.grant = std::move(token->grant),
                      .expires_at = token->expires_at,
                      .revoked_at = token->revoked_at,
                      .revoked_because = {}};
}

/// Those of the families behind `after` that can be meant at all, as far as an index has them; at most `count`.
std::vector<FamilyRecord> meant_after(Tables& tables, const GrantFilter& filter, const crypto::TokenId& after,
                                      int count) {
  if (filter.ends_with) {
    if (!crypto::TokenId::parse(filter.ends_with->value())) return {};
    return tables.grants.families_of(*filter.ends_with, after, count);
  }
  if (filter.user) return tables.grants.families_of(*filter.user, after, count);
  if (!filter.family) return tables.grants.families_after(after, count);
  std::vector<FamilyRecord> one;
  auto family = family_named(tables, *filter.family);
  if (family && after < id_of(family->grant)) one.push_back(*std::move(family));
  return one;
}

}  // namespace

PageOf<LiveGrant> live_grants(Tables& tables, const ListGrants& wanted, base::UnixTime now) {
  Filling<LiveGrant> filling{tables, wanted.count};
  const auto take = [&](const FamilyRecord& family) {
    if (family.revoked_at || family.expires_at <= now || !is_wanted(family.grant, wanted.filter)) return false;
    if (filling.is_live(family.grant)) filling.page.rows.push_back({family.grant, family.expires_at});
    return filling.is_enough();
  };
  filling.page.next = go_through(
      wanted.after.value_or(crypto::TokenId{}),
      [&](const auto& id, int count) { return meant_after(tables, wanted.filter, id, count); },
      [](const FamilyRecord& family) { return id_of(family.grant); }, take);
  return std::move(filling.page);
}

PageOf<TokenClaims> live_tokens(Tables& tables, const ListTokens& wanted, base::UnixTime now) {
  const crypto::TokenId after = start_of(wanted);
  return wanted.use == TokenUse::access ? access_tokens_of(tables, wanted, after, now)
                                        : refresh_tokens_of(tables, wanted, after, now);
}

std::optional<TokenAtHand> token_at_hand(Tables& tables, const crypto::TokenId& id, base::UnixTime now) {
  if (const auto access = tables.grants.find_access(id)) {
    if (access->revoked_at || access->expires_at <= now) return std::nullopt;
    if (!judge_unseen(tables, *access, tables.keys.signing_times(), now)) return std::nullopt;
    return TokenAtHand{claims_of(TokenUse::access, id, access->grant, access->issued_at, access->expires_at),
                       std::nullopt};
  }
  const auto refresh = tables.grants.find_refresh(id);
  if (!refresh || refresh->rotated_at || refresh->expires_at <= now) return std::nullopt;
  const auto family = tables.grants.find_family(refresh->family);
  if (!family || family->expires_at <= now || !stands(tables, family->grant)) return std::nullopt;
  return TokenAtHand{claims_of(TokenUse::refresh, id, family->grant, id.time(), refresh->expires_at),
                     LiveGrant{family->grant, family->expires_at}};
}

bool end_grant(Tables& tables, const FamilyId& grant, base::UnixTime now, std::string_view because) {
  if (end_family(tables, grant, now, because)) return true;
  const auto token = crypto::TokenId::parse(grant.value());
  const auto access = token ? tables.grants.find_access(*token) : std::nullopt;
  // The id of any other token names no grant: who takes that token alone back says so.
  return access && access->grant.family == grant && end_access(tables, grant, *token, now);
}

std::optional<TakenBack> take_back(Tables& tables, const crypto::TokenId& id, base::UnixTime now, AuditEvent event) {
  event = about(std::move(event), id);
  if (const auto access = tables.grants.find_access(id)) {
    if (end_access(tables, access->grant.family, id, now)) tables.audit.append(about(std::move(event), access->grant));
    return TakenBack{TokenUse::access, access->grant.family};
  }
  const auto refresh = tables.grants.find_refresh(id);
  if (!refresh) return std::nullopt;
  event.family = refresh->family;
  if (end_family(tables, refresh->family, now, "administration")) tables.audit.append(event);
  return TakenBack{TokenUse::refresh, refresh->family};
}

}  // namespace troupe::oauth
