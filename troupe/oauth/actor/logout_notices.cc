// See logout_notices.h.
#include "troupe/oauth/actor/logout_notices.h"

#include <set>

#include "troupe/oauth/actor/readable_client.h"

namespace troupe::oauth {

void note_logouts(Tables& tables, std::span<const FamilyRecord> families, base::UnixTime now) {
  std::set<std::pair<ClientId, SessionId>> told;
  for (const FamilyRecord& family : families) {
    const auto& by = family.grant.authentication;
    if (!by || !told.emplace(family.grant.client, by->session).second) continue;
    const auto session = tables.users.find_session(by->session);
    if (!session || session->ended_at) continue;                       // it was over before, and they were told then
    const auto client = readable_client(tables, family.grant.client);  // one that is damaged must not keep anybody in
    if (!client || client->metadata.backchannel_logout_uri.empty()) continue;
    tables.logouts.append(
        {.client = client->id, .user = by->user, .session = by->session, .made_at = now, .next_at = now});
  }
}

}  // namespace troupe::oauth
