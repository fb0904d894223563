// See key_actor.h.
#include "troupe/oauth/actor/key_actor.h"

#include <functional>

#include "troupe/base/check.h"
#include "troupe/base/log.h"

namespace troupe::oauth {
namespace {

using namespace std::chrono_literals;

constexpr auto maintain_every = 1h;
constexpr auto order_again_after = 30s;  // a key of RSA takes less on the slowest machine

bool is_quick(const KeyOrder& order) { return order.algorithm != crypto::Algorithm::rs256; }

bool can_sign(const std::vector<SigningKeyRecord>& keys, base::UnixTime now) {
  return std::ranges::any_of(keys, [now](const SigningKeyRecord& key) { return state_of(key, now) == "signing"; });
}

bool same(const KeySetPtr& a, const KeySetPtr& b) {
  if (!a || !b || a->jwks != b->jwks || a->token_key != b->token_key) return false;
  return std::ranges::equal(a->signing, b->signing, {}, &crypto::PrivateKey::kid, &crypto::PrivateKey::kid);
}

}  // namespace

KeyActor::KeyActor(Storage storage, KeyOptions options) : storage_(std::move(storage)), options_(std::move(options)) {}

actor::Task<void> KeyActor::started(actor::Context& context) {
  co_await seal_anew(context);
  co_await load(context);
  co_await make_missing(context);
  INVARIANT(keys_ && !keys_->signing.empty(), "a server that has started can sign");
  maker_ = context.spawn<KeyMaker>({.name = "maker", .restart = actor::Restart::permanent});
  context.self(this).tell(Order{});
  context.every(this, "maintain", maintain_every, Maintain{});
}

KeySetPtr KeyActor::handle(const GetKeys&) const { return keys_; }

actor::Task<void> KeyActor::make_missing(actor::Context& context) {
  const base::UnixTime now = context.wall();
  auto orders = keys_to_make(records_, now, options_);
  // What is slow can wait where something else signs.
  if (can_sign(records_, now) || std::ranges::any_of(orders, is_quick)) std::erase_if(orders, std::not_fn(is_quick));
  co_await make(std::move(orders), context);
}

actor::Task<void> KeyActor::seal_anew(actor::Context& context) {
  AuditEvent event = auditor_.event(context, "keys_sealed", "start");
  co_await storage_.write([event](Tables& t) {
    if (t.keys.seal_anew() > 0) t.audit.append(event);
  });
}

std::vector<ListedKey> KeyActor::handle(const ListKeys&, actor::Context& context) const {
  std::vector<ListedKey> listed;
  for (const SigningKeyRecord& key : records_) {
    const auto parsed = parsed_.find(key.id);
    listed.push_back({.id = key.id,
                      .algorithm = key.algorithm,
                      .state = std::string{state_of(key, context.wall())},
                      .jwk = parsed == parsed_.end() ? "" : parsed->second.public_key().jwk(),
                      .created_at = key.created_at,
                      .signs_from = key.signs_from,
                      .signs_until = key.signs_until,
                      .retired_at = key.retired_at});
  }
  return listed;
}

actor::Task<void> KeyActor::load(actor::Context& context) {
  struct Loaded {
    ReadableKeys signing;
    std::vector<TokenKeyRecord> token_keys;
    std::int64_t generation;
  };
  auto loaded = co_await storage_.read(
      [](Tables& t) { return Loaded{t.keys.readable_signing(), t.keys.token_keys(), t.keys.generation()}; });
  records_ = std::move(loaded.signing.keys);
  token_keys_ = std::move(loaded.token_keys);
  generation_ = loaded.generation;
  auto damaged = take_out_damaged(records_, context.wall(), parsed_);
  std::ranges::move(damaged, std::back_inserter(loaded.signing.others));
  leave_out(std::move(loaded.signing.others));
  publish(context);
}

void KeyActor::leave_out(std::vector<ReadableKeys::Other> others) {
  std::set<std::string> left_out;
  for (ReadableKeys::Other& each : others) {
    if (!left_out_.contains(each.id))
      base::log::error("oauth", "a signing key cannot be read and is left out", {{"kid", each.id}, {"why", each.why}});
    left_out.insert(std::move(each.id));
  }
  left_out_ = std::move(left_out);
}

void KeyActor::publish(actor::Context& context) {
  auto fresh = key_set_of(records_, token_keys_, context.wall(), parsed_);
  if (fresh->signing.empty() || fresh->token_keys.by_id.empty()) return;  // the first start makes them
  fresh->is_complete = std::ranges::all_of(options_.algorithms,
                                           [&](auto algorithm) { return find_signer(*fresh, algorithm) != nullptr; });
  if (same(keys_, fresh)) return;
  // Larger than all before, also than those that this actor has made before it was restarted.
  fresh->number = std::max(context.now().nanoseconds, keys_ ? keys_->number + 1 : 0);
  keys_ = std::move(fresh);
  actor::Topic<KeysChanged>{context, keys_topic}.publish(KeysChanged{keys_});
}

actor::Task<void> KeyActor::make(std::vector<KeyOrder> orders, actor::Context& context) {
  if (orders.empty() && !token_keys_.empty()) co_return;
  auto fresh = co_await keys_for(std::move(orders), context.wall(), options_);
  co_await keep(std::move(fresh), context);
}

actor::Task<void> KeyActor::keep(std::vector<SigningKeyRecord> fresh, actor::Context& context) {
  std::vector<TokenKeyRecord> token_keys;
  if (token_keys_.empty()) token_keys.push_back(make_token_key(1, context.wall(), context.random()));
  AuditEvent event = auditor_.event(context, "keys_made", "schedule");
  co_await storage_.write([fresh, token_keys, event](Tables& t) {
    for (const SigningKeyRecord& key : fresh) t.keys.insert_signing(key);
    for (const TokenKeyRecord& key : token_keys) t.keys.insert_token_key(key);
    t.audit.append(event);
  });
  co_await load(context);
}

void KeyActor::handle(Order, actor::Context& context) {
  auto orders = keys_to_make(records_, context.wall(), options_);
  if (orders.empty()) return;
  maker_.tell(MakeKeys{std::move(orders), context.wall(), options_, context.self(this)});
  context.after(this, "order", order_again_after, Order{});  // the Maker or the database may fail
}

actor::Task<void> KeyActor::handle(KeysMade message, actor::Context& context) {
  co_await load(context);
  // A rotation may have made others meanwhile, here or in another process, or what was late was ordered twice.
  const auto orders = keys_to_make(records_, context.wall(), options_);
  std::erase_if(message.keys, [&](const SigningKeyRecord& key) {
    return std::ranges::find(orders, key.algorithm, &KeyOrder::algorithm) == orders.end();
  });
  if (!message.keys.empty()) co_await keep(std::move(message.keys), context);
}

/// New keys of every algorithm in the place of those that sign; with `revoked`, that key ends.
actor::Task<void> KeyActor::replace(std::optional<std::string> revoked, Cause cause, actor::Context& context) {
  const base::UnixTime now = context.wall();
  std::vector<KeyOrder> orders;
  for (const crypto::Algorithm algorithm : options_.algorithms) orders.push_back({algorithm, now});
  auto fresh = co_await keys_for(std::move(orders), now, options_);
  AuditEvent event = auditor_.event(context, cause, "keys_rotated", "request");
  AuditEvent ended = auditor_.event(context, cause, "key_revoked", revoked.value_or(""));
  co_await storage_.write([fresh, revoked, now, event, ended, options = options_](Tables& t) {
    replace_keys(t, fresh, now, options);
    t.audit.append(event);
    if (revoked && revoke_key(t, *revoked, now)) t.audit.append(ended);
  });
  co_await load(context);
}

actor::Task<KeySetPtr> KeyActor::handle(RotateKeys message, actor::Context& context) {
  co_await replace(std::nullopt, std::move(message.cause), context);
  co_return keys_;
}

actor::Task<std::expected<KeySetPtr, OauthError>> KeyActor::handle(RevokeKey message, actor::Context& context) {
  const bool is_read = std::ranges::find(records_, message.id, &SigningKeyRecord::id) != records_.end();
  if (!is_read && !left_out_.contains(message.id)) co_return std::unexpected(errors::not_found);
  co_await replace(std::move(message.id), std::move(message.cause), context);
  co_return keys_;
}

actor::Task<void> KeyActor::handle(KeysSeen message, actor::Context& context) {
  const bool is_new = message.generation != generation_;
  if (is_new) {
    co_await load(context);
  } else {
    publish(context);
  }
  if (left_out_.empty()) co_return;
  // Those that were to sign from now on may be among them, and what another process has ended must not sign on.
  if (!can_sign(records_, context.wall())) co_await make_missing(context);
  if (is_new) handle(Order{}, context);
}

actor::Task<void> KeyActor::handle(Maintain, actor::Context& context) {
  const base::UnixTime now = context.wall();
  co_await storage_.write([now](Tables& t) { remove_retired(t, now); });
  co_await load(context);
  handle(Order{}, context);
}

void KeyActor::inspect(actor::Inspection& out) const {
  out.add("keys", static_cast<std::int64_t>(records_.size()));
  out.add("left_out", static_cast<std::int64_t>(left_out_.size()));
}

}  // namespace troupe::oauth
