// Auth Actor: codes are made, redeemed once whoever hurries, and a replay takes back what the
// first redemption gave; in simulated systems of many schedules.
#include "troupe/oauth/actor/auth_actor.h"

#include <doctest/doctest.h>

#include "troupe/actor/sim/explore.h"
#include "troupe/oauth/actor/testing/actor_world.h"

namespace troupe::oauth {
namespace {

using namespace std::chrono_literals;
using fixture::ActorWorld;

const ClientId phone_id = fixture::phone().id;
const ClientId shop_id = fixture::shop().id;

TEST_CASE("a code becomes tokens that are active") {
  ActorWorld oauth{1};
  const ClientPtr shop = oauth.client(shop_id);
  const auto tokens = oauth.redeem(oauth.authorize(shop), shop);
  REQUIRE(tokens.has_value());
  CHECK_EQ(tokens->scope, fixture::scope("openid offline_access read"));
  CHECK_EQ(tokens->expires_in, 600s);
  REQUIRE(tokens->refresh_token.has_value());
  CHECK(tokens->id_token.has_value());
  CHECK(oauth.is_active(tokens->access_token, shop));
  CHECK(oauth.is_active(*tokens->refresh_token, shop));
}

TEST_CASE("no code is made for a session that has ended, nor for what nobody agrees to any more") {
  ActorWorld oauth{11};
  const ClientPtr shop = oauth.client(shop_id);
  const UserId alice = fixture::alice().user.id;
  const auto flow = oauth.world.block_on(oauth.sessions.ask(BeginFlow{{}, std::nullopt})).value();
  const StartSession start{flow.ticket.flow.id,         flow.browser, flow.ticket.csrf, alice,
                           oauth.password_since(alice), std::nullopt};
  const auto started = oauth.world.block_on(oauth.sessions.ask(start)).value();
  const auto make = [&] {
    return oauth.world.block_on(oauth.codes.ask(
        CreateAuthCode{.request = {.client = shop, .redirect_uri = shop->metadata.redirect_uris.front()},
                       .authentication = started.session.authentication,
                       .scope = fixture::scope("openid offline_access")}));
  };
  CHECK_EQ(make().error().domain->error, errors::consent_required);
  (void)oauth.world.block_on(oauth.users.ask(RecordConsent{alice, shop->id, fixture::scope("openid")}));
  CHECK_EQ(make().error().domain->error, errors::consent_required);
  (void)oauth.world.block_on(oauth.users.ask(RecordConsent{alice, shop->id, fixture::scope("offline_access")}));
  CHECK(make().has_value());
  (void)oauth.world.block_on(oauth.sessions.ask(EndSession{started.token}));
  CHECK_EQ(make().error().domain->error, errors::login_required);
}

TEST_CASE("the table decides whether a client may still be answered, whatever its flow began with") {
  ActorWorld oauth{13};
  const ClientPtr shop = oauth.client(shop_id);  // from now on it is known without the table
  const std::string uri = shop->metadata.redirect_uris.front();
  (void)oauth.authorize(shop);  // alice has agreed
  struct Row {
    const char* name;
    void (*change)(Client&);
    std::string_view told;  // the code's error; "" for none
    bool stays_here;
  };
  const Row rows[] = {
      {"as it was", [](Client&) {}, "", false},
      {"narrowed", [](Client& c) { c.metadata.scope = fixture::scope("openid read"); }, "invalid_scope", false},
      {"without codes", [](Client& c) { c.metadata.grant_types = {GrantType::client_credentials}; },
       "unauthorized_client", false},
      {"moved", [](Client& c) { c.metadata.redirect_uris = {"https://new.example/cb"}; }, "invalid_request", true},
      {"disabled", [](Client& c) { c.state = ClientState::disabled; }, "invalid_request", true},
  };
  std::int64_t version = shop->version;
  for (const Row& row : rows) {
    CAPTURE(row.name);
    Client changed = *shop;
    row.change(changed);
    changed.version = ++version;
    REQUIRE(oauth.disk->transact([&](store::Transaction& t) { return SqlClients{t}.update(changed); }));
    const auto code = oauth.world.block_on(oauth.codes.ask(CreateAuthCode{
        .request = {.client = shop, .redirect_uri = uri, .state = "s1", .audience = {oauth.options.issuer}},
        .authentication = {.user = fixture::alice().user.id,
                           .session = SessionId{fixture::Ids{}.next().text()},
                           .time = fixture::start},
        .scope = fixture::scope("openid offline_access")}));
    CHECK_EQ(code ? "" : code.error().domain->error.code, row.told);
    if (!code) CHECK_EQ(code.error().domain->stays_here(), row.stays_here);
    CHECK_EQ(oauth.world.block_on(oauth.codes.ask(CheckWayBack{shop_id, uri})).has_value(), !row.stays_here);
  }
  oauth.disk->transact([](store::Transaction& t) { SqlClients{t}.remove(shop_id); });
  CHECK_EQ(oauth.world.block_on(oauth.codes.ask(CheckWayBack{shop_id, uri})).error().domain, errors::invalid_request);
}

TEST_CASE("a code by a sign-in from before the password was changed gives nothing, however new it is (T44)") {
  ActorWorld oauth{12};
  const ClientPtr shop = oauth.client(shop_id);
  oauth.world.advance(1min);
  const SetPassword change{fixture::alice().user.id, crypto::Password{"battery staple"}};
  REQUIRE(oauth.world.block_on(oauth.users.ask(change)).has_value());
  CHECK_EQ(oauth.redeem(oauth.authorize(shop), shop).error().domain, errors::invalid_grant);
  CHECK(oauth.redeem(oauth.authorize(shop, "openid offline_access", oauth.now()), shop).has_value());
}

TEST_CASE("a second redemption of a code takes back what the first one gave") {
  ActorWorld oauth{2};
  const ClientPtr shop = oauth.client(shop_id);
  const IssuedCode code = oauth.authorize(shop);
  const auto first = oauth.redeem(code, shop);
  const auto second = oauth.redeem(code, shop);
  CHECK_EQ(second.error().domain, errors::invalid_grant);
  CHECK_FALSE(oauth.is_active(first->access_token, shop));
  CHECK_FALSE(oauth.is_active(*first->refresh_token, shop));
  REQUIRE_EQ(oauth.revoked().size(), 1);
  CHECK_FALSE(oauth.revoked().front().token.has_value());
  CHECK_EQ(oauth.redeem(code, shop).error().domain, errors::invalid_grant);
  CHECK_EQ(oauth.revoked().size(), 1);  // nobody is told twice
}

TEST_CASE("another client's attempt neither spends a code nor ends what came of it") {
  ActorWorld oauth{3};
  const ClientPtr shop = oauth.client(shop_id);
  const ClientPtr phone = oauth.client(phone_id);
  const IssuedCode code = oauth.authorize(shop);
  CHECK_EQ(oauth.redeem(code, phone).error().domain, errors::invalid_grant);
  const auto tokens = oauth.redeem(code, shop);
  REQUIRE(tokens.has_value());
  CHECK_EQ(oauth.redeem(code, phone).error().domain, errors::invalid_grant);
  CHECK(oauth.is_active(tokens->access_token, shop));
}

TEST_CASE("of a thousand redemptions at once exactly one is answered with tokens") {
  actor::test::explore({.schedules = 5, .schedules_proof = 10}, [&](actor::test::Seed seed) {
    ActorWorld oauth{seed};
    const ClientPtr shop = oauth.client(shop_id);
    const IssuedCode code = oauth.authorize(shop);
    const auto answers = oauth.all_at_once(oauth.codes, oauth.shown(code, shop), 1000);
    REQUIRE_EQ(answers.size(), 1000);
    int given = 0;
    for (const auto& answer : answers) {
      if (answer) {
        ++given;
        CHECK_FALSE(oauth.is_active(answer->access_token, shop));  // the replays have taken it back
      } else {
        CHECK_EQ(answer.error().domain, errors::invalid_grant);
      }
    }
    CHECK_EQ(given, 1);
    CHECK_EQ(oauth.revoked().size(), 1);
  });
}

TEST_CASE("a code that was redeemed before a crash stays spent after it, and an unused one stays good") {
  const fixture::Disk disk = fixture::new_disk();
  std::optional<IssuedCode> used, unused;
  std::optional<TokenText> token;
  {
    ActorWorld before{4, disk};
    const ClientPtr shop = before.client(shop_id);
    used = before.authorize(shop);
    unused = before.authorize(shop);
    token = before.redeem(*used, shop)->access_token;
  }
  ActorWorld after{5, disk};
  const ClientPtr shop = after.client(shop_id);
  CHECK(after.is_active(*token, shop));
  CHECK(after.redeem(*unused, shop).has_value());
  CHECK_EQ(after.redeem(*used, shop).error().domain, errors::invalid_grant);
  CHECK_FALSE(after.is_active(*token, shop));  // it was a replay, also across the crash
}

TEST_CASE("a code ends after a minute, and garbage is none") {
  ActorWorld oauth{6};
  const ClientPtr shop = oauth.client(shop_id);
  const IssuedCode code = oauth.authorize(shop);
  oauth.world.advance(61s);
  CHECK_EQ(oauth.redeem(code, shop).error().domain, errors::invalid_grant);
  std::string altered = oauth.authorize(shop).code.expose();
  altered.back() = altered.back() == 'A' ? 'Q' : 'A';
  CHECK_EQ(oauth.redeem({TokenText{altered}}, shop).error().domain, errors::invalid_grant);
  CHECK_EQ(oauth.redeem({TokenText{""}}, shop).error().domain, errors::invalid_grant);
}

TEST_CASE("a request is judged with the client that it names") {
  ActorWorld oauth{7};
  const auto judge = [&](const char* client) {
    wire::Form form{{"client_id", client},
                    {"response_type", "code"},
                    {"redirect_uri", "https://shop.example/cb"},
                    {"scope", "read"},
                    {"code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"},
                    {"code_challenge_method", "S256"}};
    return oauth.world.block_on(oauth.codes.ask(ValidateAuthRequest{form}));
  };
  const auto good = judge("c_shop");
  REQUIRE(good.has_value());
  CHECK_EQ(good->client->id, shop_id);
  CHECK(judge("c_nobody").error().domain->stays_here());
  CHECK(judge("c_phone").error().domain->stays_here());  // not its redirect URI
}

}  // namespace
}  // namespace troupe::oauth
