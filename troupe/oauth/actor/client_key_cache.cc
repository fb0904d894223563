// See client_key_cache.h.
#include "troupe/oauth/actor/client_key_cache.h"

#include <algorithm>

#include "troupe/base/log.h"
#include "troupe/oauth/storage/logouts.h"
#include "troupe/web/fetcher.h"

namespace troupe::oauth {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t held_max = 1000;  // some megabytes; past it keys are read anew
constexpr auto fresh_for = 10min;       // how long a key that its client has taken back may still be believed
constexpr auto usable_for = 1h;         // the same, while the client's server does not answer
constexpr auto ask_again_after = 30s;
constexpr auto wait_max = 4s;  // a fetch has its own, shorter time
constexpr auto look_every = 20ms;
constexpr std::size_t waiting_max = 200;  // far fewer requests than the owner can have at once
// With the clients that are told of sign-outs at once they take no more places than the Fetcher has, and whoever comes
// behind them gets the first one that is free.
constexpr std::size_t unproven_max = web::Fetcher::threads_max - logouts_busy_max;

bool has(const ClientKeysPtr& keys, std::string_view kid) {
  if (!keys) return false;
  return kid.empty() || std::ranges::find(*keys, kid, &ClientKey::kid) != keys->end();
}

}  // namespace

void ClientKeyCache::make_room() {
  if (held_.size() < held_max) return;
  // First those that have none: strangers may name as many of them as have registered.
  std::erase_if(held_, [](const auto& each) { return !each.second.is_being_asked && !each.second.keys; });
  if (held_.size() < held_max) return;
  std::erase_if(held_, [](const auto& each) { return !each.second.is_being_asked; });
}

ClientKeyCache::Held& ClientKeyCache::held_of(const Client& client) {
  if (!held_.contains(client.id)) make_room();
  const bool has_document = !client.metadata.jwks.empty();
  const std::string& source = has_document ? client.metadata.jwks : client.metadata.jwks_uri;
  Held& held = held_[client.id];
  if (held.source == source) return held;
  held = Held{.source = source};
  if (!has_document) return held;
  if (auto keys = read_client_keys(source)) held.keys = std::make_shared<const ClientKeys>(*std::move(keys));
  return held;
}

ClientKeyCache::Held* ClientKeyCache::find(const ClientId& client, const std::string& source) {
  const auto held = held_.find(client);
  return held == held_.end() || held->second.source != source ? nullptr : &held->second;
}

bool ClientKeyCache::is_to_be_asked(const Held& held, std::string_view kid, base::Instant now) const {
  if (!fetcher_ || held.is_being_asked) return false;
  if (held.asked_at && now - *held.asked_at < ask_again_after) return false;
  if (!held.keys || now - held.read_at >= fresh_for) return true;
  return !has(held.keys, kid);
}

void ClientKeyCache::send_for(Held& held, const ClientId& client, Owner owner, base::Instant now) {
  using Server = FetchClientKeys::Server;
  const Server server = held.has_answered ? Server::answered : Server::unproven;
  if (server == Server::unproven && unproven_ >= unproven_max) return;
  if (owner.tell(FetchClientKeys{client, held.source, server}) != actor::Sent::sent) return;
  held.asked_at = now;
  held.is_being_asked = true;
  if (server == Server::unproven) ++unproven_;
}

actor::Task<bool> ClientKeyCache::wait_a_moment(bool has_answered, actor::Context& context) {
  if (has_answered) {
    co_await context.sleep(look_every);
    co_return true;
  }
  if (waiting_ >= waiting_max) co_return false;
  const struct Waiting {
    explicit Waiting(std::size_t& all) : count(all) { ++count; }
    ~Waiting() { --count; }
    std::size_t& count;
  } waiting{waiting_};
  co_await context.sleep(look_every);
  co_return true;
}

actor::Task<std::expected<ClientKeysPtr, OauthError>> ClientKeyCache::keys_of(ClientPtr client, std::string kid,
                                                                              Owner owner, actor::Context& context) {
  Held* held = &held_of(*client);
  if (!client->metadata.jwks.empty()) co_return held->keys;
  const auto usable = [&]() -> ClientKeysPtr {
    return held != nullptr && context.now() - held->read_at < usable_for ? held->keys : nullptr;
  };
  const base::Instant until = context.now() + wait_max;
  while (held != nullptr) {
    if (is_to_be_asked(*held, kid, context.now())) send_for(*held, client->id, owner, context.now());
    if (!held->is_being_asked && !is_to_be_asked(*held, kid, context.now())) co_return usable();
    if (context.now() >= until) break;
    const bool has_waited = co_await wait_a_moment(held->has_answered, context);
    if (!has_waited) break;
    held = find(client->id, client->metadata.jwks_uri);
  }
  if (auto keys = usable(); has(keys, kid)) co_return keys;
  co_return std::unexpected(errors::temporarily_unavailable);
}

actor::Task<void> ClientKeyCache::fetch(FetchClientKeys message, actor::Context& context) {
  auto answer = co_await fetcher_.ask(web::Fetch{.url = message.uri}, {.within = wait_max});
  if (message.server == FetchClientKeys::Server::unproven) --unproven_;
  Held* held = find(message.client, message.uri);
  if (held == nullptr) co_return;  // it has another address by now
  held->is_being_asked = false;
  if (!answer && !answer.error().domain) {  // the Fetcher was busy: the client's server was not asked
    held->asked_at.reset();
    co_return;
  }
  auto keys = answer && answer->status == 200
                  ? read_client_keys(answer->body)
                  : std::expected<ClientKeys, JwksFault>{std::unexpect, JwksFault::malformed};
  held->has_answered = keys.has_value();
  if (keys) {
    held->keys = std::make_shared<const ClientKeys>(*std::move(keys));
    held->read_at = context.now();
    co_return;
  }
  const std::string_view why = answer ? "no key set" : web::text(*answer.error().domain);
  base::log::warning("oauth", "the keys of a client could not be fetched", {{"client", message.client}, {"why", why}});
}

}  // namespace troupe::oauth
