// See client_endings.h.
#include "troupe/oauth/actor/client_endings.h"

#include <chrono>

#include "troupe/oauth/actor/liveness.h"

namespace troupe::oauth {
namespace {

using namespace std::chrono_literals;

/// Calls `visit` for each row that `page_after(id, count)` gives behind an id, to the last one.
template <class PageAfter, class IdOf, class Visit>
void for_each_behind(crypto::TokenId id, PageAfter page_after, IdOf id_of, Visit visit) {
  constexpr int page_size = 500;
  for (auto page = page_after(id, page_size); !page.empty(); page = page_after(id, page_size)) {
    id = id_of(page.back());
    for (const auto& row : page) visit(row);
  }
}

/// Ends by name what was granted to the client at `since` or later. By a clock that never goes back that is next to
/// nothing; ids order by time, so only the ends of the tables are looked at.
void end_grants_since(Tables& tables, const ClientId& client, base::UnixTime since, base::UnixTime now) {
  const crypto::TokenId before = crypto::TokenId::first_at(since - 1ms);
  tables.grants.use_codes_of(client, since);
  for_each_behind(
      before, [&](const auto& id, int count) { return tables.grants.families_after(id, count); },
      [](const FamilyRecord& family) { return crypto::TokenId::parse(family.grant.family.value()).value(); },
      [&](const FamilyRecord& family) {
        if (family.grant.client == client) end_family(tables, family.grant.family, now, "client_disabled");
      });
  for_each_behind(
      before, [&](const auto& id, int count) { return tables.grants.access_after(id, count); },
      [](const AccessRecord& token) { return token.id; },
      [&](const AccessRecord& token) {
        if (token.grant.client == client) end_access(tables, token.grant.family, token.id, now);
      });
}

}  // namespace

void set_state(Tables& tables, Client& client, ClientState state, base::UnixTime now) {
  const ClientState before = std::exchange(client.state, state);
  if (before == state) return;
  if (state == ClientState::disabled) {
    client.valid_from = now;  // this ends all that was granted before
    end_grants_since(tables, client.id, now, now);
    tables.grants.append_ending({.at = now, .client = client.id, .user = std::nullopt});
  } else if (client.valid_from >= now) {
    // The clock was ahead when it was disabled. What it is granted from now on must not be over until that time comes.
    end_grants_since(tables, client.id, now, now);
    client.valid_from = now - 1ms;
  }
}

bool remove_client(Tables& tables, const ClientId& id, base::UnixTime now) {
  if (!tables.clients.remove(id)) return false;
  tables.users.remove_consents_of(id);
  tables.grants.append_ending({.at = now, .client = id, .user = std::nullopt});
  return true;
}

}  // namespace troupe::oauth
