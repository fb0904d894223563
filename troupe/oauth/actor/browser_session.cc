// See browser_session.h.
#include "troupe/oauth/actor/browser_session.h"

#include <algorithm>
#include <array>
#include <iterator>

#include "troupe/crypto/digest.h"
#include "troupe/oauth/actor/liveness.h"
#include "troupe/oauth/actor/logout_notices.h"
#include "troupe/wire/base64.h"

namespace troupe::oauth {

std::optional<SessionCookie> read_cookie(const SessionToken& cookie) {
  const std::string& text = cookie.expose();
  const auto dot = text.find('.');
  if (dot == std::string::npos || !crypto::TokenId::parse(text.substr(0, dot))) return std::nullopt;
  return SessionCookie{SessionId{text.substr(0, dot)}, crypto::sha256(text)};
}

SessionToken fresh_cookie(const SessionId& id, base::Random& random) {
  std::array<std::byte, 24> secret;
  random.fill(secret);
  return SessionToken{id.value() + "." + wire::to_base64url(secret)};
}

SessionRecord new_session(const SessionId& id, const SessionToken& cookie, const UserId& user, SignInPlace place,
                          base::UnixTime now, const OauthOptions& options) {
  return {.session = {.id = id,
                      .authentication = {.user = user, .session = id, .time = now},
                      .created_at = now,
                      .seen_at = now,
                      .place = std::move(place)},
          .hash = crypto::sha256(cookie.expose()),
          .expires_at = now + options.session_absolute,
          .ended_at = std::nullopt};
}

std::optional<std::string_view> over_by(const SessionRecord& record, base::UnixTime now, const OauthOptions& options) {
  if (record.expires_at <= now) return "expired";
  if (record.session.seen_at + options.session_idle <= now) return "unused";
  return std::nullopt;
}

bool is_alive(const SessionRecord& record, const UserRecord& user, base::UnixTime now, const OauthOptions& options) {
  if (record.ended_at || over_by(record, now, options)) return false;
  return user.user.state == UserState::enabled && user.password_changed_at <= record.session.authentication.time;
}

std::optional<SessionRecord> find_live(Tables& tables, const SessionCookie& cookie, base::UnixTime now,
                                       const OauthOptions& options) {
  auto record = tables.users.find_session(cookie.id);
  if (!record || !crypto::equal_in_constant_time(record->hash.view(), cookie.hash.view())) return std::nullopt;
  const auto user = tables.users.find(record->session.authentication.user);
  if (!user || !is_alive(*record, *user, now, options)) return std::nullopt;
  return record;
}

std::vector<FamilyId> end_surplus(Tables& tables, const Session& fresh, base::UnixTime now, const OauthOptions& options,
                                  const AuditEvent& event) {
  constexpr int at_once_max = 16;  // there are more only where fewer are allowed than before
  std::vector<FamilyId> ended;
  const UserId& user = fresh.authentication.user;
  bool has_ended = false;
  for (const auto& record : tables.users.open_sessions_beyond(user, options.sessions_per_user_max, at_once_max)) {
    if (record.session.id == fresh.id) continue;  // a clock that was set back makes the newest look old
    std::ranges::move(end_session(tables, record, now, "too_many_sessions"), std::back_inserter(ended));
    has_ended = true;
  }
  if (has_ended) tables.audit.append(event);
  return ended;
}

std::vector<FamilyId> end_session(Tables& tables, SessionRecord record, base::UnixTime now, std::string_view because) {
  std::vector<FamilyId> ended;
  LogoutNotes notes{tables, now};
  tables.grants.each_family_of(record.session.id, [&](const FamilyRecord& family) {
    notes.add(family);
    if (family.grant.scope.contains("offline_access")) return;
    if (end_family(tables, family.grant.family, now, because)) ended.push_back(family.grant.family);
  });
  record.ended_at = now;
  tables.users.update_session(record);
  return ended;
}

}  // namespace troupe::oauth
