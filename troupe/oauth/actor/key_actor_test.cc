// Key Actor: keys are there from the first start, the same after the next, and others hear of
// every change.
#include "troupe/oauth/actor/key_actor.h"

#include <doctest/doctest.h>

#include <limits>

#include "troupe/base/log.h"
#include "troupe/oauth/actor/testing/actor_world.h"

namespace troupe::oauth {
namespace {

using namespace std::chrono_literals;
using fixture::ActorWorld;

KeySetPtr keys_of(ActorWorld& oauth) { return oauth.world.block_on(oauth.keys.ask(GetKeys{})).value(); }

/// Keeps the last keys that it was sent.
class Listener {
 public:
  struct Last {
    using reply = KeySetPtr;
  };
  void handle(KeysChanged message) { last_ = message.keys; }
  KeySetPtr handle(Last) { return last_; }

 private:
  KeySetPtr last_;
};

TEST_CASE("the first start makes keys, and the next finds them") {
  const fixture::Disk disk = fixture::new_disk();
  std::string kid;
  {
    ActorWorld first{1, disk};
    const KeySetPtr keys = keys_of(first);
    REQUIRE_EQ(keys->signing.size(), 1);
    CHECK_EQ(keys->token_keys.by_id.size(), 1);
    CHECK_NE(keys->jwks.find(keys->signing.front().kid()), std::string::npos);
    kid = keys->signing.front().kid();
  }
  ActorWorld second{2, disk};
  CHECK_EQ(keys_of(second)->signing.front().kid(), kid);
}

TEST_CASE("a first start signs at once, and the key of RSA follows") {
  ActorWorld oauth{21};
  CHECK(keys_of(oauth)->is_complete);  // which is asked for no RSA
  const KeyOptions all;
  const auto keys = oauth.world.spawn<KeyActor>({.name = "all_keys"}, oauth.storage, all);
  const KeySetPtr first = oauth.world.block_on(keys.ask(GetKeys{})).value();
  CHECK_FALSE(first->is_complete);
  CHECK(find_signer(*first, crypto::Algorithm::es256) != nullptr);
  CHECK(find_signer(*first, crypto::Algorithm::rs256) == nullptr);

  oauth.world.advance(1s);
  const KeySetPtr then = oauth.world.block_on(keys.ask(GetKeys{})).value();
  CHECK(then->is_complete);
  CHECK_EQ(then->signing.size(), all.algorithms.size());
  oauth.world.advance(1min);  // and is not made a second time
  CHECK_EQ(oauth.world.block_on(keys.ask(ListKeys{})).value().size(), all.algorithms.size());
}

/// Stands for a Key Actor whose key of RSA is not there yet.
class EarlyKeys {
 public:
  KeySetPtr handle(const GetKeys&) const {
    auto set = std::make_shared<KeySet>(*fixture::keys());
    std::erase_if(set->signing, [](const auto& key) { return key.algorithm() == crypto::Algorithm::rs256; });
    set->is_complete = false;
    set->number = 1;
    return set;
  }
};

actor::Ref<TokenActor> early_signer(ActorWorld& oauth) {
  const auto keys = oauth.world.spawn<EarlyKeys>({.name = "early_keys"});
  return oauth.world.spawn<TokenActor>(
      {.name = "signer"},
      TokenActorParts{.storage = oauth.storage, .keys = keys, .watcher = {}, .options = oauth.options});
}

/// Brings the whole set to a Token Actor a second after its start.
class LateKeys {
 public:
  struct Bring {};
  explicit LateKeys(actor::Ref<TokenActor> to) : to_(to) {}
  void started(actor::Context& context) { context.after(this, 1s, Bring{}); }
  void handle(Bring) {
    auto set = std::make_shared<KeySet>(*fixture::keys());
    set->number = std::numeric_limits<std::int64_t>::max();  // behind all that the world itself publishes
    to_.tell(KeysChanged{std::move(set)});
  }

 private:
  actor::Ref<TokenActor> to_;
};

TEST_CASE("who wants RS256 a moment before its key is there waits for it") {
  ActorWorld oauth{26};
  const auto tokens = early_signer(oauth);
  oauth.world.spawn<LateKeys>({.name = "late_keys"}, tokens);
  Client client = fixture::shop();
  client.metadata.access_token_alg = crypto::Algorithm::rs256;
  const auto issued =
      oauth.world.block_on(tokens.ask(CreateToken{.client = std::make_shared<const Client>(client),
                                                  .grant = {.client = client.id, .scope = fixture::scope("read")}}));
  INFO((issued ? std::string{} : std::string{issued.error().domain->code}));
  REQUIRE(issued.has_value());
  CHECK(issued->access_token.expose().contains('.'));
}

TEST_CASE("who wants RS256 whose key does not come is told to come again, and others are served") {
  ActorWorld oauth{24};
  const auto tokens = early_signer(oauth);
  const auto ask_as = [&](crypto::Algorithm access, crypto::Algorithm id, std::string_view scope) {
    Client client = fixture::shop();
    client.metadata.access_token_alg = access;
    client.metadata.id_token_alg = id;
    return oauth.world.block_on(
        tokens.ask(CreateToken{.client = std::make_shared<const Client>(client),
                               .grant = {.client = client.id, .scope = fixture::scope(scope)}}));
  };
  using enum crypto::Algorithm;
  CHECK(ask_as(es256, es256, "read").has_value());
  CHECK(ask_as(es256, rs256, "read").has_value());
  const auto refused = ask_as(rs256, es256, "read");
  REQUIRE_FALSE(refused.has_value());
  CHECK_EQ(refused.error().domain, errors::temporarily_unavailable);
  CHECK_GT(refused.error().domain->retry_after, 0s);
}

TEST_CASE("a code that is shown before its client's key is there stays good") {
  ActorWorld oauth{25};
  Client client = fixture::shop();
  client.metadata.id_token_alg = crypto::Algorithm::rs256;  // of which this world has no key
  const IssuedCode code = oauth.authorize(std::make_shared<const Client>(client));
  const auto early = oauth.redeem(code, std::make_shared<const Client>(client));
  REQUIRE_FALSE(early.has_value());
  CHECK_EQ(early.error().domain, errors::temporarily_unavailable);
  CHECK(oauth.redeem(code, std::make_shared<const Client>(fixture::shop())).has_value());
}

TEST_CASE("keys that a rotation has overtaken are thrown away") {
  ActorWorld oauth{22};
  const KeySetPtr before = keys_of(oauth);
  oauth.keys.tell(KeysMade{{make_key({crypto::Algorithm::es256, oauth.now()}, oauth.now(), {})}});
  CHECK_EQ(keys_of(oauth)->jwks, before->jwks);
}

/// A fault of the Key Actor, and its next start.
void begin_anew(ActorWorld& oauth) {
  {
    actor::Cell& cell = *oauth.keys.address().cell;
    const actor::Core::Scope scope{*cell.owner};
    actor::lifecycle::fault(cell, std::make_exception_ptr(std::runtime_error{"broken"}), "a test");
  }
  oauth.world.advance(1s);
}

TEST_CASE("a rotation reaches everybody who watches, also after the Key Actor has begun anew") {
  ActorWorld oauth{3};
  auto listener = oauth.world.spawn<Listener>({.name = "listener"});
  actor::Topic<KeysChanged>{oauth.world.system(), keys_topic}.subscribe(listener);
  oauth.world.run_until_idle();
  CHECK_EQ(keys_of(oauth)->verifying.size(), 1);
  const auto rotated = oauth.world.block_on(oauth.keys.ask(RotateKeys{}));
  const auto heard = oauth.world.block_on(listener.ask(Listener::Last{})).value();
  REQUIRE(heard != nullptr);
  CHECK_EQ(heard->signing.front().kid(), (*rotated)->signing.front().kid());
  CHECK_EQ(heard->verifying.size(), 2);

  begin_anew(oauth);
  const auto again = oauth.world.block_on(oauth.keys.ask(RotateKeys{}));
  CHECK_EQ(oauth.world.block_on(listener.ask(Listener::Last{})).value()->signing.front().kid(),
           (*again)->signing.front().kid());
}

TEST_CASE("a key that is revoked is shown no longer, another signs in its place, and an unknown one is told") {
  ActorWorld oauth{13};
  const std::string stolen = keys_of(oauth)->signing.front().kid();
  CHECK_EQ(oauth.world.block_on(oauth.keys.ask(RevokeKey{.id = "nobody"})).error().domain, errors::not_found);
  CHECK_EQ(keys_of(oauth)->signing.front().kid(), stolen);
  const auto now = oauth.world.block_on(oauth.keys.ask(RevokeKey{.id = stolen}));
  REQUIRE(now.has_value());
  REQUIRE_EQ((*now)->verifying.size(), 1);
  CHECK_NE((*now)->verifying.front().kid(), stolen);
  CHECK_EQ((*now)->signing.front().kid(), (*now)->verifying.front().kid());
}

TEST_CASE("a rotation by another process is seen within a second") {
  ActorWorld oauth{4};
  const std::string before = keys_of(oauth)->signing.front().kid();
  oauth.disk->transact([&](store::Transaction& transaction) {
    SqlTables tables{transaction};
    Tables all = tables.all();
    const KeyOptions options;
    replace_keys(all, {make_key({crypto::Algorithm::es256, oauth.now()}, oauth.now(), options)}, oauth.now(), options);
  });
  oauth.world.advance(1s);
  CHECK_NE(keys_of(oauth)->signing.front().kid(), before);
  CHECK_EQ(keys_of(oauth)->verifying.size(), 2);
}

/// What another process does that seals keys by a key which nobody here has: new ones sign, and `ended` is revoked.
void rotate_elsewhere(ActorWorld& oauth, const std::string& ended) {
  const KeySeals seals{.current = crypto::SealKey::parse(crypto::SealKey::generate().expose()),
                       .previous = std::nullopt};
  oauth.disk->transact([&](store::Transaction& transaction) {
    SqlTables tables{transaction, &seals};
    Tables all = tables.all();
    const KeyOptions options;
    replace_keys(all, {make_key({crypto::Algorithm::es256, oauth.now()}, oauth.now(), options)}, oauth.now(), options);
    revoke_key(all, ended, oauth.now());
  });
}

TEST_CASE("a key that cannot be read is left out and told, and one that was revoked beside it signs no longer") {
  const base::log::Capture log;
  ActorWorld oauth{14};
  const std::string stolen = keys_of(oauth)->signing.front().kid();
  rotate_elsewhere(oauth, stolen);
  oauth.world.advance(1s);
  const KeySetPtr keys = keys_of(oauth);
  REQUIRE_EQ(keys->signing.size(), 1);
  const std::string own = keys->signing.front().kid();
  CHECK_NE(own, stolen);
  CHECK_FALSE(keys->jwks.contains(stolen));
  CHECK(log.contains("a signing key cannot be read and is left out"));
  CHECK(log.contains("set oauth.encryption_key"));

  oauth.keys.tell(KeyActor::Maintain{});  // its care goes on, its next start is none other, and keys can be revoked
  CHECK_EQ(keys_of(oauth)->signing.front().kid(), own);
  begin_anew(oauth);
  CHECK_EQ(keys_of(oauth)->signing.front().kid(), own);
  const auto revoked = oauth.world.block_on(oauth.keys.ask(RevokeKey{.id = own}));
  REQUIRE(revoked.has_value());
  CHECK_NE((*revoked)->signing.front().kid(), own);
}

/// What the disk does to one key.
void damage(const fixture::Disk& disk, const std::string& kid, std::string_view set) {
  disk->transact([&](store::Transaction& transaction) {
    transaction.run("UPDATE signing_keys SET " + std::string{set} + " WHERE id = ?1", {kid});
  });
}

TEST_CASE("a key that signs no longer and is damaged is left out, and the others go on") {
  const fixture::Disk disk = fixture::new_disk();
  std::string old, present;
  {
    ActorWorld first{31, disk};
    old = keys_of(first)->signing.front().kid();
    present = (*first.world.block_on(first.keys.ask(RotateKeys{})))->signing.front().kid();
  }
  for (const char* set : {"der = x'00'", "der = (SELECT der FROM signing_keys WHERE id <> ?1)", "alg = 'ES512'"}) {
    CAPTURE(set);
    const base::log::Capture log;
    damage(disk, old, set);
    ActorWorld second{32, disk};
    second.world.manual_clock().jump_wall(1h);  // later than all that the first has done
    const KeySetPtr keys = keys_of(second);
    REQUIRE_EQ(keys->signing.size(), 1);
    CHECK_EQ(keys->signing.front().kid(), present);
    CHECK_EQ(keys->verifying.size(), 1);
    CHECK_FALSE(keys->jwks.contains(old));
    CHECK(log.contains("a signing key cannot be read and is left out"));
    CHECK(log.contains(old));
    CHECK_EQ(second.shown_by("KeyActor", "left_out"), std::vector<std::string>{"1"});
  }
}

TEST_CASE("in the place of a damaged key that was to sign another one does, and an operator ends it by its name") {
  for (const char* set : {"der = x'3000'", "alg = ''"}) {
    CAPTURE(set);
    const base::log::Capture log;
    const fixture::Disk disk = fixture::new_disk();
    std::string lost;
    {
      ActorWorld first{33, disk};
      lost = keys_of(first)->signing.front().kid();
    }
    damage(disk, lost, set);
    ActorWorld second{34, disk};
    const std::string other = keys_of(second)->signing.front().kid();
    CHECK_NE(other, lost);
    CHECK(log.contains(lost));
    second.keys.tell(KeyActor::Maintain{});
    second.world.advance(1s);
    CHECK_EQ(keys_of(second)->signing.front().kid(), other);

    const auto revoked = second.world.block_on(second.keys.ask(RevokeKey{.id = lost}));
    REQUIRE(revoked.has_value());
    second.keys.tell(KeyActor::Maintain{});
    second.world.advance(1s);
    CHECK_EQ(second.shown_by("KeyActor", "left_out"), std::vector<std::string>{"0"});
    CHECK_EQ(second.world.block_on(second.keys.ask(RevokeKey{.id = lost})).error().domain, errors::not_found);
  }
}

TEST_CASE("keys follow each other by the calendar, with no day on which nothing signs") {
  ActorWorld oauth{5};
  const std::string first = keys_of(oauth)->signing.front().kid();
  std::size_t shown_max = 0;
  for (int day = 0; day < 120; ++day) {
    oauth.world.manual_clock().jump_wall(24h);
    oauth.keys.tell(KeyActor::Maintain{});
    const KeySetPtr keys = keys_of(oauth);
    REQUIRE_EQ(keys->signing.size(), 1);
    shown_max = std::max(shown_max, keys->verifying.size());
  }
  CHECK_NE(keys_of(oauth)->signing.front().kid(), first);
  CHECK_EQ(shown_max, 2);
}

}  // namespace
}  // namespace troupe::oauth
