// See liveness.h.
#include "troupe/oauth/actor/liveness.h"

#include "troupe/base/check.h"

namespace troupe::oauth {

base::UnixTime granted_at(const Grant& grant) {
  const auto id = crypto::TokenId::parse(grant.family.value());
  INVARIANT(id, "families are named by time-ordered ids");
  return id->time();
}

std::optional<Standing> standing(Tables& tables, const Grant& grant) {
  const auto client = tables.clients.find_standing(grant.client);
  if (!client || client->state == ClientState::disabled) return std::nullopt;
  const bool was_disabled = client->valid_from > base::UnixTime{};
  if (was_disabled && client->valid_from >= granted_at(grant)) return std::nullopt;
  if (!grant.authentication) return Standing{};

  const auto user = tables.users.find(grant.authentication->user);
  if (!user || user->user.state == UserState::disabled) return std::nullopt;
  // By when they signed in: a code may be made of a session that has just ended with the password.
  if (user->password_changed_at > grant.authentication->time) return std::nullopt;

  const auto family = tables.grants.find_family(grant.family);
  if (!family || family->revoked_at) return std::nullopt;
  const Standing here{user->user.name};
  if (grant.scope.contains("offline_access")) return here;
  // A code may be on its way while its session ends, and its family begins when that is over. A row that is not there
  // any more says nothing: sessions are removed by their age.
  const auto session = tables.users.find_session(grant.authentication->session);
  if (session && session->ended_at) return std::nullopt;
  return here;
}

bool stands(Tables& tables, const Grant& grant) { return standing(tables, grant).has_value(); }

}  // namespace troupe::oauth
