// Whose grants have ended is told within a second, whoever ended them, and is not forgotten.
#include "troupe/oauth/actor/change_actor.h"

#include <doctest/doctest.h>

#include "troupe/oauth/actor/client_endings.h"
#include "troupe/oauth/actor/testing/actor_world.h"
#include "troupe/oauth/actor/user_endings.h"

namespace troupe::oauth {
namespace {

using namespace std::chrono_literals;
using fixture::ActorWorld;

struct Notes {
  std::vector<Ending> heard;
  bool fails_once = false;
};

/// Writes down what it hears.
class Listener {
 public:
  explicit Listener(std::shared_ptr<Notes> notes) : notes_(std::move(notes)) {}
  EndingsHeard handle(GrantsEnded message) {
    if (std::exchange(notes_->fails_once, false)) throw std::runtime_error("not heard");
    notes_->heard.insert(notes_->heard.end(), message.endings.begin(), message.endings.end());
    return {};
  }

 private:
  std::shared_ptr<Notes> notes_;
};

struct EndingWorld : ActorWorld {
  using ActorWorld::ActorWorld;
  std::shared_ptr<Notes> notes = std::make_shared<Notes>();
  actor::Ref<Listener> listener = world.spawn<Listener>({.name = "listener"}, notes);
  actor::Ref<ChangeActor> telling = world.spawn<ChangeActor>(
      {.name = "telling"}, ChangeActorParts{.storage = storage, .keys = keys, .clients = clients, .watcher = listener});

  /// Another process, such as the command line, works on the same database.
  template <class F>
  void from_elsewhere(F work) {
    disk->transact([&](store::Transaction& transaction) {
      SqlTables sql{transaction};
      Tables tables = sql.all();
      work(tables);
    });
  }
  const std::vector<Ending>& heard() const { return notes->heard; }
};

TEST_CASE("a client or user whom another process removes is told within a second, once") {
  EndingWorld oauth{1};
  oauth.from_elsewhere([&](Tables& t) { CHECK(remove_client(t, fixture::shop().id, oauth.now())); });
  oauth.world.advance(1s);
  REQUIRE_EQ(oauth.heard().size(), 1);
  CHECK_EQ(oauth.heard()[0].client, fixture::shop().id);

  oauth.from_elsewhere([&](Tables& t) {
    CHECK(remove_user(t, fixture::alice().user.id, oauth.now()).has_value());
    CHECK_FALSE(remove_client(t, fixture::shop().id, oauth.now()));  // it is gone already
  });
  oauth.world.advance(10s);
  REQUIRE_EQ(oauth.heard().size(), 2);
  CHECK_EQ(oauth.heard()[1].user, fixture::alice().user.id);
}

TEST_CASE("what was not heard is told again") {
  EndingWorld oauth{2};
  oauth.notes->fails_once = true;
  oauth.from_elsewhere([&](Tables& t) { remove_client(t, fixture::shop().id, oauth.now()); });
  oauth.world.advance(700ms);
  CHECK_FALSE(oauth.notes->fails_once);
  CHECK(oauth.heard().empty());
  oauth.world.advance(5s);
  CHECK_EQ(oauth.heard().size(), 1);
}

TEST_CASE("what a client or an administrator takes back is written for who looks for it, whoever has stopped waiting") {
  EndingWorld oauth{4};
  const ClientPtr shop = oauth.client(fixture::shop().id);
  const auto ended_by = [&](auto deed) {
    const IssuedTokens tokens = oauth.redeem(oauth.authorize(shop), shop).value();
    const TokenClaims claims = oauth.world.block_on(oauth.tokens.ask(ValidateToken{tokens.access_token})).value();
    oauth.notes->heard.clear();
    deed(tokens, claims);
    CHECK_FALSE(oauth.is_active(tokens.access_token, shop));
    oauth.world.advance(1s);
    REQUIRE_EQ(oauth.heard().size(), 1);
    CHECK_EQ(oauth.heard()[0].family, claims.family);
    return oauth.heard()[0].token;
  };
  const auto ask = [&](auto message) { CHECK(oauth.world.block_on(oauth.tokens.ask(std::move(message))).has_value()); };
  using Claims = const TokenClaims&;
  using Tokens = const IssuedTokens&;
  CHECK(ended_by([&](Tokens tokens, Claims) { ask(RevokeToken{tokens.access_token, shop}); }).has_value());
  CHECK_FALSE(ended_by([&](Tokens tokens, Claims) { ask(RevokeToken{*tokens.refresh_token, shop}); }).has_value());
  CHECK(ended_by([&](Tokens, Claims claims) { ask(RevokeTokenById{.id = claims.id}); }).has_value());
  CHECK_FALSE(ended_by([&](Tokens, Claims claims) { ask(RevokeFamily{claims.family, "administration"}); }).has_value());
}

TEST_CASE("a client that was disabled has lost its grants for good, and begins anew when it is enabled") {
  EndingWorld oauth{3};
  const ClientPtr shop = oauth.client(fixture::shop().id);
  const IssuedTokens before = oauth.redeem(oauth.authorize(shop), shop).value();
  const auto for_itself = [&] {
    const Grant grant{.client = shop->id, .scope = fixture::scope("read"), .audience = {oauth.options.issuer}};
    return oauth.world.block_on(oauth.tokens.ask(CreateToken{shop, grant}));
  };
  const TokenText machine = for_itself()->access_token;
  CHECK(oauth.is_active(before.access_token, shop));
  CHECK(oauth.is_active(machine, shop));
  const auto set = [&](ClientState state) {
    oauth.world.advance(1s);
    CHECK(oauth.world.block_on(oauth.clients.ask(UpdateClient{shop->id, shop->metadata, state})).has_value());
    oauth.world.advance(1s);
  };
  set(ClientState::disabled);
  CHECK_FALSE(oauth.is_active(before.access_token, shop));
  REQUIRE_EQ(oauth.heard().size(), 1);
  set(ClientState::disabled);  // nothing more ends
  set(ClientState::enabled);
  CHECK_EQ(oauth.heard().size(), 1);
  CHECK_FALSE(oauth.is_active(before.access_token, shop));
  CHECK_FALSE(oauth.is_active(machine, shop));
  CHECK_FALSE(oauth.refresh(*before.refresh_token, shop).has_value());
  CHECK(oauth.is_active(for_itself()->access_token, shop));
  const IssuedTokens after =
      oauth.redeem(oauth.authorize(shop, "openid offline_access read", oauth.now()), shop).value();
  CHECK(oauth.is_active(after.access_token, shop));
}

}  // namespace
}  // namespace troupe::oauth
