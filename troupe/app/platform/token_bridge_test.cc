// Whom a token stands for between the wings, and how its end is told.
#include "troupe/app/platform/token_bridge.h"

#include <doctest/doctest.h>

#include "troupe/oauth/actor/testing/actor_world.h"

using namespace troupe;
using namespace troupe::app;
using namespace std::chrono_literals;

namespace {

/// Stands for the real-time service: remembers which tokens it was told of.
class Listener {
 public:
  struct Heard {
    using reply = std::vector<std::string>;
  };
  void handle(realtime::TokenRevoked message) { heard_.emplace_back(message.token.value()); }
  std::vector<std::string> handle(Heard) { return heard_; }

 private:
  std::vector<std::string> heard_;
};

/// The authorization server's actors, and a bridge between them and the listener.
struct BridgeWorld : oauth::fixture::ActorWorld {
  actor::Ref<Listener> listener = world.spawn<Listener>({.name = "listener"});
  actor::Ref<TokenBridge> bridge;
  oauth::ClientPtr phone = client(oauth::fixture::phone().id);

  explicit BridgeWorld(std::uint64_t seed, const std::string& audience = "https://issuer.example")
      : ActorWorld(seed),
        bridge(world.spawn<TokenBridge>({.name = "bridge"}, audience, std::make_shared<BridgeMemory>())) {
    bridge.tell(ConnectBridge{tokens, listener});
  }

  oauth::IssuedTokens sign_in() { return redeem(authorize(phone), phone).value(); }

  auto verify(const oauth::TokenText& token) { return world.block_on(bridge.ask(realtime::VerifyToken{token})); }

  void revoke_family(const oauth::IssuedTokens& issued) {
    (void)world.block_on(tokens.ask(oauth::RevokeToken{*issued.refresh_token, phone}));
    for (const auto& told : revoked()) bridge.tell(told);
    world.run_until_idle();
  }

  std::vector<std::string> heard() { return world.block_on(listener.ask(Listener::Heard{})).value(); }
};

}  // namespace

TEST_CASE("a live token stands for its user, with its scopes and its end") {
  BridgeWorld both{1};
  const auto identity = both.verify(both.sign_in().access_token);
  REQUIRE(identity.has_value());
  CHECK_EQ(identity->user.value(), oauth::fixture::alice().user.id.value());
  CHECK(std::ranges::find(identity->scopes, "read") != identity->scopes.end());
  CHECK(identity->expires_at.has_value());
  CHECK_FALSE(identity->token.value().empty());
}

TEST_CASE("garbage is refused, and so is a token that is meant for somebody else") {
  BridgeWorld both{2};
  const auto garbage = both.verify(oauth::TokenText{"garbage"});
  REQUIRE_FALSE(garbage.has_value());
  CHECK(garbage.error().domain == realtime::TokenRefusal::invalid);

  BridgeWorld others{3, "https://another.example"};
  const auto foreign = others.verify(others.sign_in().access_token);
  REQUIRE_FALSE(foreign.has_value());
  CHECK(foreign.error().domain == realtime::TokenRefusal::invalid);
}

TEST_CASE("the end of a family is told for each of its tokens that was vouched for, and for no other") {
  BridgeWorld both{4};
  const auto mine = both.sign_in(), other = both.sign_in();
  const std::string token{both.verify(mine.access_token)->token.value()};
  REQUIRE(both.verify(other.access_token).has_value());
  both.revoke_family(mine);
  CHECK_EQ(both.heard(), std::vector<std::string>{token});
  CHECK_FALSE(both.verify(mine.access_token).has_value());
  CHECK(both.verify(other.access_token).has_value());
}

TEST_CASE("a revocation that overtakes the answer about its token wins") {
  for (std::uint64_t seed = 10; seed < 40; ++seed) {
    BridgeWorld both{seed};
    const auto issued = both.sign_in();
    const auto watched = both.world.block_on(both.tokens.ask(oauth::ValidateToken{issued.access_token}));
    REQUIRE(watched.has_value());
    // Both are on their way to the bridge when neither has been handled; the token is still good in the database.
    both.bridge.tell(oauth::TokensRevoked{.family = watched->family, .token = std::nullopt});
    const auto answer = both.verify(issued.access_token);
    CHECK_FALSE(answer.has_value());
  }
}

TEST_CASE("the end of a client's or user's grants is told for what was vouched for till then, and for nobody else's") {
  BridgeWorld both{7};
  const auto mine = both.sign_in();
  const std::string token{both.verify(mine.access_token)->token.value()};
  const auto ended = [&](base::UnixTime at, std::optional<oauth::ClientId> client, std::optional<oauth::UserId> user) {
    return both.world.block_on(both.bridge.ask(oauth::GrantsEnded{{{at, std::move(client), std::move(user)}}}));
  };
  const auto alice = oauth::fixture::alice().user.id;
  CHECK(ended(both.now(), oauth::fixture::shop().id, std::nullopt).has_value());
  CHECK(ended(both.now(), std::nullopt, oauth::UserId{"u_bob"}).has_value());
  CHECK(ended(both.now() - 1s, both.phone->id, std::nullopt).has_value());  // before it was issued
  CHECK(both.heard().empty());
  CHECK(ended(both.now(), both.phone->id, std::nullopt).has_value());
  CHECK(ended(both.now(), std::nullopt, alice).has_value());
  CHECK_EQ(both.heard(), std::vector<std::string>{token});  // once

  // It is good in the database: its answer was on its way when the end was heard of.
  CHECK_FALSE(both.verify(mine.access_token).has_value());
  both.world.advance(1s);
  const auto later = both.sign_in();
  CHECK(both.verify(later.access_token).has_value());
}

TEST_CASE("the end of a signing key is told for what it has signed, whatever time stands in it") {
  BridgeWorld both{17};
  const auto mine = both.sign_in();
  const std::string token{both.verify(mine.access_token)->token.value()};
  const auto kid = both.world.block_on(both.keys.ask(oauth::GetKeys{})).value()->signing.front().kid();
  const auto ended = [&](const std::string& key) {
    const oauth::Ending ending{.at = both.now() - 1h, .client = std::nullopt, .user = std::nullopt, .signing_key = key};
    return both.world.block_on(both.bridge.ask(oauth::GrantsEnded{{ending}})).has_value();
  };
  CHECK(ended("another"));
  CHECK(both.heard().empty());
  CHECK(ended(kid));
  CHECK_EQ(both.heard(), std::vector<std::string>{token});
  CHECK_FALSE(both.verify(mine.access_token).has_value());  // its answer was on its way
}

TEST_CASE("what another process has taken back of a single grant ends here, the whole of it or one token") {
  for (const bool is_whole : {true, false}) {
    BridgeWorld both{9};
    const auto issued = both.sign_in();
    const std::string token{both.verify(issued.access_token)->token.value()};
    const auto claims = both.world.block_on(both.tokens.ask(oauth::ValidateToken{issued.access_token})).value();
    oauth::Ending ending{both.now(), std::nullopt, std::nullopt, claims.family};
    if (!is_whole) ending.token = claims.id;
    CHECK(both.world.block_on(both.bridge.ask(oauth::GrantsEnded{{ending}})).has_value());
    CHECK_EQ(both.heard(), std::vector<std::string>{token});
    CHECK_FALSE(both.verify(issued.access_token).has_value());
  }
}

TEST_CASE("a token that is vouched for is not verified again, until it ends: revoked, with its user, or by its time") {
  const auto alice = oauth::fixture::alice().user.id;
  const std::function<void(BridgeWorld&, const oauth::IssuedTokens&)> ends[] = {
      [](BridgeWorld& both, const auto& issued) { both.revoke_family(issued); },
      [&](BridgeWorld& both, const auto&) {
        (void)both.world.block_on(both.bridge.ask(oauth::GrantsEnded{{{both.now(), std::nullopt, alice}}}));
      },
      [](BridgeWorld& both, const auto&) { both.world.advance(2h); },
  };
  for (const auto& end : ends) {
    BridgeWorld both{8};
    const auto issued = both.sign_in();
    const auto first = both.verify(issued.access_token);
    REQUIRE(first.has_value());
    both.bridge.tell(ConnectBridge{{}, both.listener});
    const auto again = both.verify(issued.access_token);
    REQUIRE(again.has_value());
    CHECK_EQ(again->token.value(), first->token.value());
    CHECK_EQ(again->user.value(), first->user.value());
    CHECK(again->scopes == first->scopes);
    both.bridge.tell(ConnectBridge{both.tokens, both.listener});
    end(both, issued);
    CHECK_FALSE(both.verify(issued.access_token).has_value());
  }
}

TEST_CASE("one token's end is told whether or not it was vouched for: the service may be opening its connection") {
  BridgeWorld both{5};
  const auto claims = both.world.block_on(both.tokens.ask(oauth::ValidateToken{both.sign_in().access_token}));
  REQUIRE(claims.has_value());
  both.bridge.tell(oauth::TokensRevoked{.family = claims->family, .token = claims->id});
  CHECK_EQ(both.heard(), std::vector<std::string>{claims->id.text()});
}

TEST_CASE("what has expired is forgotten") {
  BridgeWorld both{6};
  REQUIRE(both.verify(both.sign_in().access_token).has_value());
  const auto families = [&] {
    for (const auto& actor : both.world.block_on(both.world.system().inspect())) {
      if (actor.path == "/bridge") return actor.details.front().second;
    }
    return std::string{"none"};
  };
  CHECK_EQ(families(), "1");
  both.world.advance(11min);
  CHECK_EQ(families(), "0");
}
