// See liveness.h.
#include "troupe/oauth/actor/liveness.h"

#include <algorithm>

#include "troupe/base/check.h"

namespace troupe::oauth {
namespace {

/// Whether one of the keys that are still shown was signing by that algorithm when the token was issued. One that was
/// revoked is not, and any other is longer than tokens live.
bool has_signer(const AccessRecord& token, std::span<const SigningKeyRecord> keys, base::UnixTime now) {
  return std::ranges::any_of(keys, [&](const SigningKeyRecord& key) {
    const bool is_shown = now < key.retired_at;
    const bool has_signed = key.signs_from <= token.issued_at && token.issued_at < key.signs_until;
    return key.algorithm == token.algorithm && is_shown && has_signed;
  });
}

}  // namespace

base::UnixTime granted_at(const Grant& grant) {
  const auto id = crypto::TokenId::parse(grant.family.value());
  INVARIANT(id, "families are named by time-ordered ids");
  return id->time();
}

std::expected<Standing, Lapse> judge_ground(Tables& tables, const Grant& grant) {
  const auto client = tables.clients.find_standing(grant.client);
  if (!client) return std::unexpected(Lapse::client_removed);
  if (client->state == ClientState::disabled) return std::unexpected(Lapse::client_disabled);
  const bool was_disabled = client->valid_from > base::UnixTime{};
  if (was_disabled && client->valid_from >= granted_at(grant)) return std::unexpected(Lapse::client_was_disabled);
  if (!grant.authentication) return Standing{};

  const auto user = tables.users.find(grant.authentication->user);
  if (!user) return std::unexpected(Lapse::user_removed);
  if (user->user.state == UserState::disabled) return std::unexpected(Lapse::user_disabled);
  // By when they signed in: a code may be made of a session that has just ended with the password.
  if (user->password_changed_at > grant.authentication->time) return std::unexpected(Lapse::signed_in_before);

  if (ends_with_session(grant) && has_ended(tables, grant.authentication->session))
    return std::unexpected(Lapse::session_over);
  return Standing{user->user.name};
}

std::expected<Standing, Lapse> judge_standing(Tables& tables, const Grant& grant) {
  if (!grant.authentication) return judge_ground(tables, grant);
  const auto family = tables.grants.find_family(grant.family);
  // A token may have been asked for with fewer scopes than were granted; whether it outlives its session is the grant's
  // to say.
  auto ground = judge_ground(tables, family ? family->grant : grant);
  if (ground && (!family || family->revoked_at)) return std::unexpected(Lapse::grant_over);
  return ground;
}

std::expected<Standing, Lapse> judge_unseen(Tables& tables, const AccessRecord& token,
                                            std::span<const SigningKeyRecord> keys, base::UnixTime now) {
  auto standing = judge_standing(tables, token.grant);
  const bool is_signed = token.format == AccessTokenFormat::jwt;
  if (standing && is_signed && !has_signer(token, keys, now)) return std::unexpected(Lapse::key_gone);
  return standing;
}

bool has_ended(Tables& tables, const SessionId& session) {
  const auto record = tables.users.find_session(session);
  return record && record->ended_at;
}

bool end_family(Tables& tables, const FamilyId& family, base::UnixTime now, std::string_view because) {
  if (!tables.grants.revoke_family(family, now, because)) return false;
  tables.grants.append_ending({.at = now, .client = std::nullopt, .user = std::nullopt, .family = family});
  return true;
}

bool end_access(Tables& tables, const FamilyId& family, const crypto::TokenId& token, base::UnixTime now) {
  if (!tables.grants.revoke_access(token, now)) return false;
  tables.grants.append_ending(
      {.at = now, .client = std::nullopt, .user = std::nullopt, .family = family, .token = token});
  return true;
}

std::string_view sentence(Lapse lapse) noexcept {
  switch (lapse) {
    case Lapse::client_removed:
      return "its client was removed";
    case Lapse::client_disabled:
      return "its client is disabled";
    case Lapse::client_was_disabled:
      return "its client has been disabled since it was granted";
    case Lapse::user_removed:
      return "its user was removed";
    case Lapse::user_disabled:
      return "its user is disabled";
    case Lapse::signed_in_before:
      return "its user got another password, or was disabled, since they signed in";
    case Lapse::session_over:
      return "its session is over";
    case Lapse::key_gone:
      return "the key that signed it was revoked";
    case Lapse::grant_over:
      break;
  }
  return "its grant is over";
}

std::optional<Standing> standing(Tables& tables, const Grant& grant) {
  auto judged = judge_standing(tables, grant);
  if (!judged) return std::nullopt;
  return *std::move(judged);
}

bool stands(Tables& tables, const Grant& grant) { return standing(tables, grant).has_value(); }

}  // namespace troupe::oauth
