// See client_key_cache.h.
#include "troupe/oauth/actor/client_key_cache.h"

#include <algorithm>

#include "troupe/base/log.h"

namespace troupe::oauth {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t held_max = 1000;  // some megabytes; past it keys are read anew
constexpr auto fresh_for = 10min;       // how long a key that its client has taken back may still be believed
constexpr auto usable_for = 1h;         // the same, while the client's server does not answer
constexpr auto ask_again_after = 30s;
constexpr auto wait_max = 4s;  // a fetch has its own, shorter time
constexpr auto look_every = 20ms;

}  // namespace

ClientKeyCache::Held& ClientKeyCache::held_of(const Client& client) {
  if (held_.size() >= held_max && !held_.contains(client.id)) {
    std::erase_if(held_, [](const auto& each) { return !each.second.is_being_asked; });
  }
  const bool has_document = !client.metadata.jwks.empty();
  const std::string& source = has_document ? client.metadata.jwks : client.metadata.jwks_uri;
  Held& held = held_[client.id];
  if (held.source == source) return held;
  held = Held{.source = source};
  if (!has_document) return held;
  if (auto keys = read_client_keys(source)) held.keys = std::make_shared<const ClientKeys>(*std::move(keys));
  return held;
}

bool ClientKeyCache::is_being_asked(const ClientId& client) const {
  const auto held = held_.find(client);
  return held != held_.end() && held->second.is_being_asked;
}

bool ClientKeyCache::is_to_be_asked(const Held& held, std::string_view kid, base::Instant now) const {
  if (!fetcher_ || held.is_being_asked) return false;
  if (held.asked_at && now - *held.asked_at < ask_again_after) return false;
  if (!held.keys || now - held.read_at >= fresh_for) return true;
  return !kid.empty() && std::ranges::find(*held.keys, kid, &ClientKey::kid) == held.keys->end();
}

ClientKeysPtr ClientKeyCache::usable(const ClientId& client, base::Instant now) const {
  const auto held = held_.find(client);
  if (held == held_.end() || now - held->second.read_at >= usable_for) return nullptr;
  return held->second.keys;
}

actor::Task<ClientKeysPtr> ClientKeyCache::keys_of(ClientPtr client, std::string kid, Owner owner,
                                                   actor::Context& context) {
  Held& held = held_of(*client);
  if (!client->metadata.jwks.empty()) co_return held.keys;
  if (is_to_be_asked(held, kid, context.now())) {
    held.asked_at = context.now();
    held.is_being_asked = owner.tell(FetchClientKeys{client->id}) == actor::Sent::sent;
  }
  const base::Instant until = context.now() + wait_max;
  while (is_being_asked(client->id) && context.now() < until) co_await context.sleep(look_every);
  co_return usable(client->id, context.now());
}

actor::Task<void> ClientKeyCache::fetch(ClientId client, actor::Context& context) {
  const auto asked = held_.find(client);
  if (asked == held_.end()) co_return;
  const std::string uri = asked->second.source;
  auto answer = co_await fetcher_.ask(web::Fetch{.url = uri}, {.within = wait_max});
  const auto held = held_.find(client);
  if (held == held_.end() || held->second.source != uri) co_return;  // it has another address by now
  held->second.is_being_asked = false;
  auto keys = answer && answer->status == 200
                  ? read_client_keys(answer->body)
                  : std::expected<ClientKeys, JwksFault>{std::unexpect, JwksFault::malformed};
  if (keys) {
    held->second.keys = std::make_shared<const ClientKeys>(*std::move(keys));
    held->second.read_at = context.now();
    co_return;
  }
  const std::string_view why = answer                  ? "no key set"
                               : answer.error().domain ? web::text(*answer.error().domain)
                                                       : "busy";
  base::log::warning("oauth", "the keys of a client could not be fetched", {{"client", client}, {"why", why}});
}

}  // namespace troupe::oauth
