// Expiry: the tables stay as large as what is live, however much is issued.
#include "troupe/oauth/actor/expiry_actor.h"

#include <doctest/doctest.h>

#include "troupe/oauth/actor/browser_session.h"
#include "troupe/oauth/actor/testing/actor_world.h"

namespace troupe::oauth {
namespace {

using namespace std::chrono_literals;
using fixture::ActorWorld;

std::int64_t rows_of(ActorWorld& oauth, const char* table) {
  return oauth.disk->transact([&](store::Transaction& transaction) {
    const std::string sql = std::string{"SELECT count(*) FROM "} + table;
    return transaction.first(sql, {}, [](const store::Row& row) { return row.integer(0); }).value();
  });
}

TEST_CASE("a table of tokens stays as large as what was issued within their life, and is empty after it") {
  ActorWorld oauth{1};
  ClientMetadata metadata = fixture::shop().metadata;
  metadata.access_token_ttl = 60s;
  metadata.grant_types = {GrantType::client_credentials};
  const ClientPtr client = oauth.world.block_on(oauth.clients.ask(RegisterClient{metadata}))->client;
  const Grant grant{.client = client->id, .scope = fixture::scope("read"), .audience = {"https://api.example"}};

  std::int64_t most = 0;
  constexpr int a_second = 4;
  for (int second = 0; second < 1500; ++second) {
    for (int i = 0; i < a_second; ++i) {
      REQUIRE(oauth.world.block_on(oauth.tokens.ask(CreateToken{client, grant})).has_value());
    }
    oauth.world.advance(1s);
    if (second % 50 == 0) most = std::max(most, rows_of(oauth, "access_tokens"));
  }
  constexpr int kept_for = 60 + 5 * 60 + 15;  // its life, the slack, and the next sweep
  CHECK_LE(most, a_second * kept_for);
  CHECK_GT(most, a_second * 60);
  oauth.world.advance(10min);
  CHECK_EQ(rows_of(oauth, "access_tokens"), 0);
}

TEST_CASE("a grant is kept as long as the last token that can stand on it, and its session, and no longer") {
  OauthOptions options = fixture::usual_options();
  options.code_ttl = 10min;
  options.refresh_idle = options.refresh_absolute = options.refresh_absolute_public = 15min;
  ActorWorld oauth{3, fixture::new_disk(), 2, options};
  ClientMetadata metadata = fixture::shop().metadata;
  metadata.access_token_ttl = access_token_ttl_max;
  const ClientPtr client = oauth.world.block_on(oauth.clients.ask(RegisterClient{metadata}))->client;

  // The code is redeemed at its end, and the refresh token used at its own.
  const IssuedCode code = oauth.authorize(client);
  oauth.world.advance(9min);
  const auto first = oauth.redeem(code, client);
  REQUIRE(first.has_value());
  oauth.world.advance(14min);
  const auto last = oauth.refresh(first->refresh_token.value(), client);
  REQUIRE(last.has_value());

  oauth.world.advance(59min);
  CHECK(oauth.is_active(last->access_token, client));
  CHECK_EQ(rows_of(oauth, "refresh_tokens"), 0);
  oauth.world.advance(9min);  // 91 after the code: all three lives, the slack, and the next sweep
  CHECK_EQ(rows_of(oauth, "access_tokens"), 0);
  CHECK_EQ(rows_of(oauth, "families"), 1);  // its session may go on, and says at its end whom to tell
  oauth.world.manual_clock().jump_wall(session_name_max(options));
  oauth.world.advance(20s);
  CHECK_EQ(rows_of(oauth, "families"), 0);
}

TEST_CASE("a family stays as long as its code is remembered, however short refresh tokens live") {
  OauthOptions options = fixture::usual_options();
  options.refresh_idle = options.refresh_absolute = options.refresh_absolute_public = 1s;
  options.code_tombstone = 2h;
  ActorWorld oauth{4, fixture::new_disk(), 2, options};
  const ClientPtr shop = oauth.client(fixture::shop().id);
  REQUIRE(oauth.redeem(oauth.authorize(shop), shop).has_value());
  oauth.world.advance(110min);
  CHECK_EQ(rows_of(oauth, "codes"), 1);
  CHECK_EQ(rows_of(oauth, "families"), 1);
  oauth.world.advance(30min);
  CHECK_EQ(rows_of(oauth, "codes"), 0);
  oauth.world.manual_clock().jump_wall(session_name_max(options));
  oauth.world.advance(20s);
  CHECK_EQ(rows_of(oauth, "families"), 0);
}

TEST_CASE("what many tokens leave behind is gone within seconds") {
  ActorWorld oauth{2};
  oauth.disk->transact([&](store::Transaction& transaction) {
    SqlTables sql{transaction};
    base::SeededRandom random{3};
    crypto::TokenIds ids;
    for (int i = 0; i < 20'000; ++i) {
      sql.all().grants.insert_access({.id = ids.next(fixture::start, random),
                                      .grant = fixture::grant_of(fixture::shop(), ids.next(fixture::start, random),
                                                                 ids.next(fixture::start, random)),
                                      .issued_at = fixture::start,
                                      .expires_at = fixture::start + 60s});
    }
  });
  oauth.world.advance(6min + 10s + 3s);
  CHECK_EQ(rows_of(oauth, "access_tokens"), 0);
}

}  // namespace
}  // namespace troupe::oauth
