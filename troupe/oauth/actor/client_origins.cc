// See client_origins.h.
#include "troupe/oauth/actor/client_origins.h"

#include <algorithm>

#include "troupe/base/check.h"
#include "troupe/oauth/actor/readable_client.h"
#include "troupe/wire/url.h"

namespace troupe::oauth {

std::vector<std::string> origins_of(const Client& client) {
  std::vector<std::string> origins;
  if (!client.is_public() || client.state != ClientState::enabled) return origins;
  for (const std::string& uri : client.metadata.redirect_uris) {
    const auto url = wire::parse_url(uri);
    if (url && (url->scheme == "https" || url->scheme == "http")) origins.push_back(url->origin());
  }
  std::ranges::sort(origins);
  const auto twice = std::ranges::unique(origins);
  origins.erase(twice.begin(), twice.end());
  return origins;
}

std::vector<std::string> origins_of(Tables& tables, const ClientId& id) {
  const auto row = tables.clients.find_row(id);
  return row && *row ? origins_of(**row) : std::vector<std::string>{};
}

ClientOrigins::Read ClientOrigins::read(Tables& tables) {
  Read all;
  all.origins.generation_ = tables.clients.generation();
  all.damaged = each_client(tables, [&](const Client& client) {
    for (const std::string& origin : origins_of(client)) all.origins.add(origin);
  });
  return all;
}

void ClientOrigins::follow(const OriginsChange& change) {
  if (!is_of(change.from)) return;
  for (const std::string& origin : change.before) remove(origin);
  for (const std::string& origin : change.after) add(origin);
  generation_ = change.to;
}

void ClientOrigins::remove(const std::string& origin) {
  const auto found = clients_.find(origin);
  INVARIANT(found != clients_.end(), "a client's origins were counted");
  if (--found->second == 0) clients_.erase(found);
}

}  // namespace troupe::oauth
