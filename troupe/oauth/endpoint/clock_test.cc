// Civil time that jumps, as it does when somebody sets it or a leap second comes (T77): what has ended stays so, what
// is new is good, and waits are counted by a clock that does not jump.
#include <doctest/doctest.h>

#include <set>

#include "troupe/crypto/jwt.h"
#include "troupe/oauth/sim/oauth_world.h"

namespace troupe::oauth::test {
namespace {

using namespace std::chrono_literals;

void jump(OauthWorld& oauth, base::Duration by) { oauth.world().manual_clock().jump_wall(by); }

std::string id_of(const Reply& tokens) {
  const auto claims = wire::parse_json(crypto::read_unverified_jwt(tokens.at("access_token")).value().claims).value();
  return *claims.string_at("jti");
}

TEST_CASE("an hour ahead ends what has expired by then, and nothing more (T77)") {
  OauthWorld oauth{{.seed = 71}};
  const auto tokens = oauth.redeem(oauth.web_shop, oauth.authorize(alice, oauth.web_shop));
  const std::string code = oauth.authorize(alice, oauth.web_shop);
  jump(oauth, 1h);
  CHECK_EQ(oauth.redeem(oauth.web_shop, code).error(), "invalid_grant");
  CHECK_FALSE(oauth.is_active(tokens.at("access_token")));
  const auto refreshed = oauth.refresh(oauth.web_shop, tokens.at("refresh_token"));
  REQUIRE_EQ(refreshed.status(), 200);
  CHECK(oauth.is_active(refreshed.at("access_token")));
}

TEST_CASE("an hour back brings nothing to life that was spent or taken back, and people sign in as before (T77)") {
  OauthWorld oauth{{.seed = 72}};
  oauth.advance(2h);
  const std::string code = oauth.authorize(alice, oauth.web_shop);
  const auto spent = oauth.redeem(oauth.web_shop, code);
  const auto revoked = oauth.redeem(oauth.web_shop, oauth.authorize(alice, oauth.web_shop));
  const auto kept = oauth.redeem(oauth.web_shop, oauth.authorize(alice, oauth.web_shop));
  REQUIRE_EQ(oauth.post_as(oauth.web_shop, "/oauth/revoke", {{"token", revoked.at("refresh_token")}}).status(), 200);
  jump(oauth, -1h);
  CHECK(oauth.is_active(kept.at("access_token")));
  CHECK_FALSE(oauth.is_active(revoked.at("access_token")));
  CHECK_EQ(oauth.refresh(oauth.web_shop, revoked.at("refresh_token")).error(), "invalid_grant");
  CHECK_EQ(oauth.redeem(oauth.web_shop, code).error(), "invalid_grant");
  CHECK_FALSE(oauth.is_active(spent.at("access_token")));  // since its code came twice
  const auto fresh = oauth.redeem(oauth.web_shop, oauth.authorize(alice, oauth.web_shop));
  REQUIRE_EQ(fresh.status(), 200);
  CHECK(oauth.is_active(fresh.at("access_token")));
  CHECK_EQ(oauth.refresh(oauth.web_shop, fresh.at("refresh_token")).status(), 200);
}

void set_state(OauthWorld& oauth, const ClientId& id, ClientState state) {
  const auto& clients = oauth.actors().clients;
  const ClientPtr client = oauth.world().block_on(clients.ask(GetClient{id})).value();
  REQUIRE(oauth.world().block_on(clients.ask(UpdateClient{id, client->metadata, state})).has_value());
}

TEST_CASE("a client that is disabled has nothing again of what it had, wherever the clock was meanwhile (T77)") {
  struct Row {
    const char* what;
    base::Duration before_disabling, before_enabling;
  };
  constexpr Row rows[] = {
      {"set back before", -1h, 0h}, {"set back after", 0h, -1h}, {"set on after", 0h, 1h}, {"as ever", 0h, 0h}};
  for (const Row& row : rows) {
    CAPTURE(row.what);
    OauthWorld oauth{{.seed = 77}};
    oauth.advance(2h);
    const std::string code = oauth.authorize(alice, oauth.web_shop);
    const auto tokens = oauth.redeem(oauth.web_shop, oauth.authorize(alice, oauth.web_shop));
    const auto own = oauth.post_as(oauth.web_shop, "/oauth/token", {{"grant_type", "client_credentials"}});
    const auto of_another = oauth.redeem(oauth.other_shop, oauth.authorize(alice, oauth.other_shop));
    REQUIRE_EQ(own.status(), 200);
    oauth.advance(10s);
    jump(oauth, row.before_disabling);
    set_state(oauth, oauth.web_shop.id, ClientState::disabled);
    jump(oauth, row.before_enabling);
    set_state(oauth, oauth.web_shop.id, ClientState::enabled);
    CHECK_EQ(oauth.refresh(oauth.web_shop, tokens.at("refresh_token")).error(), "invalid_grant");
    CHECK_EQ(oauth.redeem(oauth.web_shop, code).error(), "invalid_grant");
    CHECK_FALSE(oauth.is_active(tokens.at("access_token")));
    CHECK_FALSE(oauth.is_active(own.at("access_token")));
    CHECK_EQ(oauth.refresh(oauth.other_shop, of_another.at("refresh_token")).status(), 200);
    const auto fresh = oauth.redeem(oauth.web_shop, oauth.authorize(alice, oauth.web_shop));
    REQUIRE_EQ(fresh.status(), 200);
    CHECK(oauth.is_active(fresh.at("access_token")));
    CHECK_EQ(oauth.refresh(oauth.web_shop, fresh.at("refresh_token")).status(), 200);
  }
}

TEST_CASE("who was added while the clock was ahead signs in when it is right again (T77)") {
  OauthWorld oauth{{.seed = 76}};
  jump(oauth, -1h);
  const auto tokens = oauth.redeem(oauth.web_shop, oauth.authorize(alice, oauth.web_shop));
  REQUIRE_EQ(tokens.status(), 200);
  CHECK(oauth.is_active(tokens.at("access_token")));
}

TEST_CASE("a second that comes twice, or not at all, gives no id twice (T77)") {
  OauthWorld oauth{{.seed = 73}};
  std::set<std::string> ids;
  for (int i = 0; i < 20; ++i) {
    const auto tokens = oauth.post_as(oauth.api, "/oauth/token", {{"grant_type", "client_credentials"}});
    REQUIRE_EQ(tokens.status(), 200);
    CHECK(oauth.is_active(tokens.at("access_token")));
    ids.insert(id_of(tokens));
    jump(oauth, i % 3 == 0 ? 1s : -1s);
  }
  CHECK_EQ(ids.size(), 20);
}

TEST_CASE("who guesses is not let off by a clock that jumps (T77)") {
  OauthWorld oauth{{.seed = 74}};
  Browser browser{oauth};
  auto page = browser.follow(browser.get("/oauth/authorize?" + oauth.authorization_query(oauth.web_shop)));
  for (int i = 0; i < 40; ++i) {  // until the wait is half a minute
    page = browser.submit(page, "/login", {{"username", alice.name}, {"password", "guess"}});
    oauth.advance(1s);
  }
  REQUIRE_EQ(page.status(), 429);
  jump(oauth, 5min);
  CHECK_EQ(browser.submit(page, "/login", {{"username", alice.name}, {"password", alice.password}}).status(), 429);
  jump(oauth, -1h);
  oauth.advance(61s);
  CHECK_NE(browser.submit(page, "/login", {{"username", alice.name}, {"password", alice.password}}).status(), 429);
}

}  // namespace
}  // namespace troupe::oauth::test
