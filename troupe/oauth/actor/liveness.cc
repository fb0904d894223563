// See liveness.h.
#include "troupe/oauth/actor/liveness.h"

#include "troupe/base/check.h"

namespace troupe::oauth {

base::UnixTime granted_at(const Grant& grant) {
  const auto id = crypto::TokenId::parse(grant.family.value());
  INVARIANT(id, "families are named by time-ordered ids");
  return id->time();
}

bool stands(Tables& tables, const Grant& grant) {
  const auto client = tables.clients.find(grant.client);
  if (!client || client->state == ClientState::disabled) return false;
  const bool was_disabled = client->valid_from > base::UnixTime{};
  if (was_disabled && client->valid_from >= granted_at(grant)) return false;
  if (!grant.authentication) return true;

  const auto user = tables.users.find(grant.authentication->user);
  if (!user || user->user.state == UserState::disabled) return false;
  if (user->password_changed_at > granted_at(grant)) return false;

  const auto family = tables.grants.find_family(grant.family);
  if (!family || family->revoked_at) return false;
  if (grant.scope.contains("offline_access")) return true;
  // A code may be on its way while its session ends, and its family begins when that is over. A row that is not there
  // any more says nothing: sessions are removed by their age.
  const auto session = tables.users.find_session(grant.authentication->session);
  return !session || !session->ended_at;
}

}  // namespace troupe::oauth
