// Key Actor: keys are there from the first start, the same after the next, and others hear of
// every change.
#include "troupe/oauth/actor/key_actor.h"

#include <doctest/doctest.h>

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

  {
    actor::Cell& cell = *oauth.keys.address().cell;
    const actor::Core::Scope scope{*cell.owner};
    actor::lifecycle::fault(cell, std::make_exception_ptr(std::runtime_error{"broken"}), "a test");
  }
  oauth.world.advance(1s);
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
