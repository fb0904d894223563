// See logout_notices.h.
#include "troupe/oauth/actor/logout_notices.h"

#include "troupe/oauth/actor/readable_client.h"

namespace troupe::oauth {

void LogoutNotes::add(const FamilyRecord& family) {
  const auto& by = family.grant.authentication;
  if (!by || !seen_.emplace(family.grant.client, by->session).second) return;
  const auto session = tables_.users.find_session(by->session);
  if (!session || session->ended_at) return;                          // it was over before, and they were told then
  const auto client = readable_client(tables_, family.grant.client);  // one that is damaged must not keep anybody in
  if (!client || client->metadata.backchannel_logout_uri.empty()) return;
  tables_.logouts.append(
      {.client = client->id, .user = by->user, .session = by->session, .made_at = now_, .next_at = now_});
}

}  // namespace troupe::oauth
