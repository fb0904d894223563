// Token Actor: what is issued is active until something it stands on is not; refreshing gives
// one successor whoever hurries; revoking is seen at once and told to whoever watches.
#include "troupe/oauth/actor/token_actor.h"

#include <doctest/doctest.h>

#include "troupe/actor/sim/explore.h"
#include "troupe/oauth/actor/testing/actor_world.h"

namespace troupe::oauth {
namespace {

using namespace std::chrono_literals;
using fixture::ActorWorld;

const ClientId phone_id = fixture::phone().id;
const ClientId shop_id = fixture::shop().id;

IssuedTokens sign_in(ActorWorld& oauth, const ClientPtr& client,
                     std::string_view scopes = "openid offline_access read") {
  return oauth.redeem(oauth.authorize(client, scopes), client).value();
}

IssuedTokens own_token(ActorWorld& oauth, const ClientPtr& client) {
  Grant grant{.client = client->id, .scope = fixture::scope("read"), .audience = {oauth.options.issuer}};
  return oauth.world.block_on(oauth.tokens.ask(CreateToken{client, std::move(grant)})).value();
}

auto revoke(ActorWorld& oauth, const TokenText& token, const ClientPtr& caller) {
  return oauth.world.block_on(oauth.tokens.ask(RevokeToken{token, caller}));
}

TEST_CASE("a client's own token says whose it is and has no user, no refresh token and no ID token") {
  ActorWorld oauth{1};
  const ClientPtr shop = oauth.client(shop_id);
  const IssuedTokens tokens = own_token(oauth, shop);
  CHECK_FALSE(tokens.refresh_token.has_value());
  CHECK_FALSE(tokens.id_token.has_value());
  const auto claims = oauth.world.block_on(oauth.tokens.ask(ValidateToken{tokens.access_token}));
  REQUIRE(claims.has_value());
  CHECK_EQ(claims->subject, "c_shop");
  CHECK_FALSE(claims->user.has_value());
  CHECK_EQ(claims->scope, fixture::scope("read"));
}

TEST_CASE("many tokens are created by one message, each answered in its place, and one that is refused alone") {
  ActorWorld oauth{21};
  const ClientPtr shop = oauth.client(shop_id);
  const ClientPtr phone = oauth.client(phone_id);
  const IssuedTokens revoked = sign_in(oauth, phone);
  const auto family = oauth.world.block_on(oauth.tokens.ask(ValidateToken{revoked.access_token}))->family;
  CHECK(revoke(oauth, *revoked.refresh_token, phone).has_value());

  const auto own = [&](std::string_view scope) {
    return CreateToken{shop,
                       Grant{.client = shop->id, .scope = fixture::scope(scope), .audience = {oauth.options.issuer}}};
  };
  BatchCreateToken batch;
  batch.requests.push_back(own("read"));
  batch.requests.push_back({phone, Grant{.family = family,
                                         .client = phone->id,
                                         .scope = fixture::scope("read"),
                                         .audience = {oauth.options.issuer},
                                         .authentication = Authentication{.user = fixture::alice().user.id,
                                                                          .session = SessionId{family.value()},
                                                                          .time = fixture::start}}});
  batch.requests.push_back(own("write"));
  const auto answers = oauth.world.block_on(oauth.tokens.ask(std::move(batch))).value();
  REQUIRE_EQ(answers.size(), 3);
  CHECK(oauth.is_active(answers[0]->access_token, shop));
  CHECK_EQ(answers[0]->scope, fixture::scope("read"));
  CHECK_EQ(answers[1].error(), errors::invalid_grant);
  CHECK(oauth.is_active(answers[2]->access_token, shop));
  CHECK_EQ(answers[2]->scope, fixture::scope("write"));

  BatchCreateToken large;
  large.requests.resize(BatchCreateToken::batch_max + 1, own("read"));
  const auto none = oauth.world.block_on(oauth.tokens.ask(std::move(large))).value();
  CHECK_EQ(none.size(), BatchCreateToken::batch_max + 1);
  CHECK_EQ(none.front().error(), errors::invalid_request);
}

TEST_CASE("a token ends with its ten minutes") {
  ActorWorld oauth{2};
  const ClientPtr shop = oauth.client(shop_id);
  const IssuedTokens tokens = own_token(oauth, shop);
  oauth.world.advance(599s);
  CHECK(oauth.is_active(tokens.access_token, shop));
  oauth.world.advance(2s);
  CHECK_FALSE(oauth.is_active(tokens.access_token, shop));
}

TEST_CASE("only who may know is told about a token") {
  ActorWorld oauth{3};
  const ClientPtr shop = oauth.client(shop_id);
  const ClientPtr phone = oauth.client(phone_id);
  const IssuedTokens tokens = sign_in(oauth, phone);
  CHECK(oauth.is_active(tokens.access_token, phone));
  CHECK_FALSE(oauth.is_active(tokens.access_token, shop));
  Client guard = fixture::shop();
  guard.metadata.scope = fixture::scope("introspect");
  CHECK(oauth.is_active(tokens.access_token, std::make_shared<Client>(guard)));
  CHECK_FALSE(oauth.is_active(TokenText{"garbage"}, shop));
}

TEST_CASE("a refresh token or an ID token is no access token") {
  ActorWorld oauth{4};
  const IssuedTokens tokens = sign_in(oauth, oauth.client(phone_id));
  for (const TokenText& token : {*tokens.refresh_token, *tokens.id_token}) {
    const auto claims = oauth.world.block_on(oauth.tokens.ask(ValidateToken{token}));
    CHECK_EQ(claims.error().domain, errors::invalid_token);
  }
}

TEST_CASE("a hundred refreshes at once get the same successor, and the family has one living leaf") {
  actor::test::explore({.schedules = 5, .schedules_proof = 10}, [&](actor::test::Seed seed) {
    ActorWorld oauth{seed};
    const ClientPtr phone = oauth.client(phone_id);
    const TokenText token = *sign_in(oauth, phone).refresh_token;
    const auto answers = oauth.all_at_once(oauth.tokens, RefreshToken{token, phone, std::nullopt}, 100);
    REQUIRE_EQ(answers.size(), 100);
    for (const auto& answer : answers) {
      REQUIRE(answer.has_value());
      CHECK_EQ(answer->refresh_token->expose(), answers[0]->refresh_token->expose());
      CHECK(oauth.is_active(answer->access_token, phone));
    }
    CHECK_FALSE(oauth.is_active(token, phone));
    CHECK(oauth.is_active(*answers[0]->refresh_token, phone));
    CHECK(oauth.refresh(*answers[0]->refresh_token, phone).has_value());
  });
}

TEST_CASE("one owner has all that concerns a family, and families are spread over the owners") {
  ActorWorld oauth{21, fixture::new_disk(), 4};
  const ClientPtr phone = oauth.client(phone_id);
  const TokenText token = *sign_in(oauth, phone).refresh_token;
  for (const auto& answer : oauth.all_at_once(oauth.tokens, RefreshToken{token, phone, std::nullopt}, 20)) {
    CHECK(answer.has_value());
  }
  CHECK(revoke(oauth, token, phone).has_value());
  const auto sorted = [&](std::string_view key) {
    auto values = oauth.shown_by("TokenActor", key);
    std::ranges::sort(values);
    return values;
  };
  CHECK_EQ(sorted("refreshed"), std::vector<std::string>{"0", "0", "0", "20"});
  CHECK_EQ(sorted("revoked"), std::vector<std::string>{"0", "0", "0", "1"});

  for (int i = 0; i < 40; ++i) CHECK(oauth.refresh(*sign_in(oauth, phone).refresh_token, phone).has_value());
  for (const std::string& refreshed : oauth.shown_by("TokenActor", "refreshed")) CHECK_NE(refreshed, "0");
}

TEST_CASE("what one server has given out is good in the next one, which has more owners or fewer") {
  const fixture::Disk disk = fixture::new_disk();
  std::vector<TokenText> tokens;
  std::vector<IssuedCode> codes;
  const auto work_with = [&](std::uint64_t seed, std::size_t owners) {
    CAPTURE(owners);
    ActorWorld oauth{seed, disk, owners};
    const ClientPtr phone = oauth.client(phone_id);
    for (TokenText& token : tokens) {
      const auto refreshed = oauth.refresh(token, phone);
      REQUIRE(refreshed.has_value());
      token = *refreshed->refresh_token;
    }
    for (const IssuedCode& code : codes) {
      const auto redeemed = oauth.redeem(code, phone);
      REQUIRE(redeemed.has_value());
      tokens.push_back(*redeemed->refresh_token);
    }
    codes.clear();
    for (int i = 0; i < 8; ++i) codes.push_back(oauth.authorize(phone));
  };
  work_with(22, 2);
  work_with(23, 5);
  work_with(24, 1);
  CHECK_EQ(tokens.size(), 16);
}

TEST_CASE("a refresh token that is used again after the grace time ends everything") {
  ActorWorld oauth{5};
  const ClientPtr phone = oauth.client(phone_id);
  const IssuedTokens first = sign_in(oauth, phone);
  const auto second = oauth.refresh(*first.refresh_token, phone);
  oauth.world.advance(31s);
  CHECK_EQ(oauth.refresh(*first.refresh_token, phone).error().domain, errors::invalid_grant);
  for (const TokenText& token : {first.access_token, second->access_token, *second->refresh_token})
    CHECK_FALSE(oauth.is_active(token, phone));
  CHECK_EQ(oauth.revoked().size(), 1);
}

TEST_CASE("an opaque token is repeated byte for byte") {
  ActorWorld oauth{6};
  ClientPtr phone = oauth.client(phone_id);
  Client opaque = *phone;
  opaque.metadata.access_token_format = AccessTokenFormat::opaque;
  phone = std::make_shared<Client>(opaque);
  const IssuedTokens first = sign_in(oauth, phone);
  CHECK(first.access_token.expose().starts_with("at_"));
  const auto once = oauth.refresh(*first.refresh_token, phone);
  const auto again = oauth.refresh(*first.refresh_token, phone);
  CHECK_EQ(once->access_token.expose(), again->access_token.expose());
  CHECK(oauth.is_active(again->access_token, phone));
}

TEST_CASE("a lost answer is repeated also after a crash") {
  const fixture::Disk disk = fixture::new_disk();
  std::optional<TokenText> token, successor;
  {
    ActorWorld before{7, disk};
    const ClientPtr phone = before.client(phone_id);
    token = sign_in(before, phone).refresh_token;
    successor = before.refresh(*token, phone)->refresh_token;
  }
  ActorWorld after{8, disk};
  const auto repeat = after.refresh(*token, after.client(phone_id));
  REQUIRE(repeat.has_value());
  CHECK_EQ(repeat->refresh_token->expose(), successor->expose());
}

TEST_CASE("revoking an access token ends it alone, revoking a refresh token the family") {
  ActorWorld oauth{9};
  const ClientPtr phone = oauth.client(phone_id);
  const IssuedTokens tokens = sign_in(oauth, phone);
  CHECK(revoke(oauth, tokens.access_token, phone).has_value());
  CHECK_FALSE(oauth.is_active(tokens.access_token, phone));
  CHECK(oauth.is_active(*tokens.refresh_token, phone));
  CHECK(oauth.revoked().back().token.has_value());

  const auto more = oauth.refresh(*tokens.refresh_token, phone);
  CHECK(revoke(oauth, *more->refresh_token, phone).has_value());
  CHECK_FALSE(oauth.is_active(more->access_token, phone));
  CHECK_FALSE(oauth.refresh(*more->refresh_token, phone).has_value());
  CHECK_FALSE(oauth.revoked().back().token.has_value());
}

TEST_CASE("another client's token is not revoked, and a public client is not told that it exists") {
  ActorWorld oauth{10};
  const ClientPtr shop = oauth.client(shop_id);
  const ClientPtr phone = oauth.client(phone_id);
  const IssuedTokens of_phone = sign_in(oauth, phone);
  const IssuedTokens of_shop = own_token(oauth, shop);
  CHECK_EQ(revoke(oauth, of_phone.access_token, shop).error().domain, errors::invalid_request);
  CHECK(revoke(oauth, of_shop.access_token, phone).has_value());
  CHECK(revoke(oauth, TokenText{"garbage"}, phone).has_value());
  CHECK(oauth.is_active(of_phone.access_token, phone));
  CHECK(oauth.is_active(of_shop.access_token, shop));
  CHECK(oauth.revoked().empty());
}

/// The session that these claims name, as one that has ended.
void end_session_of(ActorWorld& oauth, const TokenClaims& claims) {
  oauth.disk->transact([&](store::Transaction& transaction) {
    SqlUsers{transaction}.insert_session(
        {.session = {.id = *claims.session,
                     .authentication = {.user = *claims.user, .session = *claims.session, .time = fixture::start},
                     .created_at = fixture::start,
                     .seen_at = fixture::start},
         .hash = {},
         .expires_at = fixture::start + 12h,
         .ended_at = fixture::start});
  });
}

TEST_CASE("no token outlives its session, not even one whose family began after its end (T44)") {
  ActorWorld oauth{11};
  const ClientPtr shop = oauth.client(shop_id);
  const IssuedCode code = oauth.authorize(shop, "openid read");
  const IssuedTokens bound = sign_in(oauth, shop, "openid read");
  const IssuedTokens offline = sign_in(oauth, shop, "openid offline_access read");
  const auto claims = oauth.world.block_on(oauth.tokens.ask(ValidateToken{bound.access_token}));
  end_session_of(oauth, *claims);  // as if the server had stopped before the families
  CHECK_FALSE(oauth.is_active(bound.access_token, shop));
  CHECK(oauth.is_active(offline.access_token, shop));
  CHECK_EQ(oauth.redeem(code, shop).error().domain, errors::invalid_grant);
}

TEST_CASE("a token for less than was granted outlives its session where the grant does") {
  ActorWorld oauth{28};
  const ClientPtr shop = oauth.client(shop_id);
  const IssuedTokens offline = sign_in(oauth, shop, "openid offline_access read");
  const auto ask_for_less = [&] {
    return oauth.world.block_on(oauth.tokens.ask(RefreshToken{*offline.refresh_token, shop, fixture::scope("read")}))
        .value();
  };
  const IssuedTokens before = ask_for_less();
  const auto claims = oauth.world.block_on(oauth.tokens.ask(ValidateToken{before.access_token}));
  end_session_of(oauth, *claims);
  CHECK(oauth.is_active(before.access_token, shop));
  CHECK(oauth.is_active(ask_for_less().access_token, shop));
  CHECK(oauth.world.block_on(oauth.tokens.ask(RevokeFamily{claims->family, "test"})).has_value());
  CHECK_FALSE(oauth.is_active(before.access_token, shop));
}

TEST_CASE("a family can be revoked by name") {
  ActorWorld oauth{12};
  const ClientPtr shop = oauth.client(shop_id);
  const IssuedTokens tokens = sign_in(oauth, shop);
  const auto claims = oauth.world.block_on(oauth.tokens.ask(ValidateToken{tokens.access_token}));
  CHECK(oauth.world.block_on(oauth.tokens.ask(RevokeFamily{claims->family, "test"})).has_value());
  CHECK_FALSE(oauth.is_active(tokens.access_token, shop));
}

TEST_CASE("the grant of a client that acts for itself is taken back by name, too: it is that one token") {
  ActorWorld oauth{22};
  const ClientPtr shop = oauth.client(shop_id);
  const IssuedTokens token = own_token(oauth, shop);
  const IssuedTokens other = own_token(oauth, shop);
  const auto claims = oauth.world.block_on(oauth.tokens.ask(ValidateToken{token.access_token}));
  CHECK(oauth.world.block_on(oauth.tokens.ask(RevokeFamily{claims->family, "administration"})).has_value());
  CHECK_FALSE(oauth.is_active(token.access_token, shop));
  CHECK(oauth.is_active(other.access_token, shop));
}

TEST_CASE("the id of a user's access token names no grant, and nothing is taken back by it") {
  ActorWorld oauth{23};
  const ClientPtr shop = oauth.client(shop_id);
  const IssuedTokens tokens = sign_in(oauth, shop);
  const auto claims = oauth.world.block_on(oauth.tokens.ask(ValidateToken{tokens.access_token}));
  const FamilyId none{claims->id.text()};
  REQUIRE_NE(none, claims->family);
  CHECK(oauth.world.block_on(oauth.tokens.ask(RevokeFamily{none, "administration"})).has_value());
  CHECK(oauth.is_active(tokens.access_token, shop));
  const auto events = oauth.disk->transact([](store::Transaction& t) { return SqlTables{t}.audit.events({}, 100); });
  CHECK(std::ranges::none_of(events, [](const AuditEvent& event) { return event.kind == "family_revoked"; }));
}

TEST_CASE("tokens go with their client and with their user") {
  ActorWorld oauth{13};
  const ClientPtr shop = oauth.client(shop_id);
  const ClientPtr phone = oauth.client(phone_id);
  const IssuedTokens of_shop = sign_in(oauth, shop);
  const IssuedTokens of_phone = sign_in(oauth, phone);
  CHECK(oauth.world.block_on(oauth.clients.ask(DeleteClient{shop_id})).has_value());
  CHECK_FALSE(oauth.is_active(of_shop.access_token, shop));
  CHECK(oauth.is_active(of_phone.access_token, phone));
  CHECK(oauth.world.block_on(oauth.users.ask(RemoveUser{fixture::alice().user.id})).has_value());
  CHECK_FALSE(oauth.is_active(of_phone.access_token, phone));
  CHECK_FALSE(oauth.refresh(*of_phone.refresh_token, phone).has_value());
}

TEST_CASE("tokens outlive a rotation of the keys, new ones are signed with the new key") {
  ActorWorld oauth{14};
  const ClientPtr shop = oauth.client(shop_id);
  const IssuedTokens before = own_token(oauth, shop);
  const auto rotated = oauth.world.block_on(oauth.keys.ask(RotateKeys{}));
  REQUIRE(rotated.has_value());
  CHECK_EQ((*rotated)->verifying.size(), 2);
  const IssuedTokens after = own_token(oauth, shop);
  CHECK(oauth.is_active(before.access_token, shop));
  CHECK(oauth.is_active(after.access_token, shop));
}

TEST_CASE("what is over is swept away, what is alive stays") {
  ActorWorld oauth{15};
  const ClientPtr phone = oauth.client(phone_id);
  const IssuedTokens tokens = sign_in(oauth, phone);
  oauth.world.manual_clock().jump_wall(5 * 24h);
  oauth.world.advance(2min);
  const auto rows = [&](const char* table) {
    return oauth.disk->transact([&](store::Transaction& t) {
      return t.first(std::string{"SELECT count(*) FROM "} + table, {},
                     [](const store::Row& r) { return r.integer(0); });
    });
  };
  CHECK_EQ(rows("codes"), 0);
  CHECK_EQ(rows("access_tokens"), 0);
  CHECK_EQ(rows("refresh_tokens"), 1);
  CHECK(oauth.refresh(*tokens.refresh_token, phone).has_value());
}

}  // namespace
}  // namespace troupe::oauth
