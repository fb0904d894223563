// See user_endings.h.
#include "troupe/oauth/actor/user_endings.h"

#include "troupe/base/check.h"
#include "troupe/oauth/actor/liveness.h"
#include "troupe/oauth/actor/logout_notices.h"

namespace troupe::oauth {
namespace {

/// Ends everything that was granted by the user up to now.
std::vector<FamilyId> end_grants(Tables& tables, const UserId& id, base::UnixTime now, std::string_view because) {
  std::vector<FamilyId> ended;
  LogoutNotes notes{tables, now};
  tables.grants.each_family_of(id, [&](const FamilyRecord& family) {
    notes.add(family);
    if (tables.grants.revoke_family(family.grant.family, now, because)) ended.push_back(family.grant.family);
  });
  tables.grants.append_ending({.at = now, .client = std::nullopt, .user = id});
  return ended;
}

/// Of what was granted in them, end_grants() has told already.
void end_sessions(Tables& tables, const UserId& id, base::UnixTime now) {
  for (SessionRecord& session : tables.users.open_sessions_of(id)) {
    session.ended_at = now;
    tables.users.update_session(session);
  }
}

/// Writes the changed record and ends every session and token that came before.
std::vector<FamilyId> end_all(Tables& tables, UserRecord user, base::UnixTime now, std::string_view because) {
  user.password_changed_at = now;  // what was granted before is over, codes on their way too
  const bool is_known = tables.users.update(user);
  INVARIANT(is_known, "a user is changed in the transaction that has found them");
  std::vector<FamilyId> ended = end_grants(tables, user.user.id, now, because);
  end_sessions(tables, user.user.id, now);
  return ended;
}

}  // namespace

std::optional<std::vector<FamilyId>> remove_user(Tables& tables, const UserId& id, base::UnixTime now) {
  if (!tables.users.remove(id)) return std::nullopt;
  for (const ConsentRecord& consent : tables.users.consents_of(id)) tables.users.remove_consent(id, consent.client);
  auto ended = end_grants(tables, id, now, "user_removed");
  end_sessions(tables, id, now);
  return ended;
}

std::vector<FamilyId> change_password(Tables& tables, UserRecord user, std::string password_hash, base::UnixTime now) {
  user.password_hash = std::move(password_hash);
  return end_all(tables, std::move(user), now, "password_changed");
}

std::vector<FamilyId> disable_user(Tables& tables, UserRecord user, base::UnixTime now) {
  user.user.state = UserState::disabled;
  return end_all(tables, std::move(user), now, "user_disabled");
}

void enable_user(Tables& tables, UserRecord user) {
  user.user.state = UserState::enabled;
  const bool is_known = tables.users.update(user);
  INVARIANT(is_known, "a user is enabled in the transaction that has found them");
}

std::optional<std::vector<FamilyId>> revoke_consent(Tables& tables, const UserId& user, const ClientId& client,
                                                    base::UnixTime now, base::UnixTime codes_since) {
  if (!tables.users.remove_consent(user, client)) return std::nullopt;
  tables.grants.use_codes_of(user, client, codes_since);
  std::vector<FamilyId> ended;
  tables.grants.each_family_of(user, [&](const FamilyRecord& family) {
    if (family.grant.client == client && end_family(tables, family.grant.family, now, "consent_revoked"))
      ended.push_back(family.grant.family);
  });
  return ended;
}

}  // namespace troupe::oauth
