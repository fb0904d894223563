// Refresh: rotation, the grace for lost answers, and the end of a family whose token is reused.
#include "troupe/oauth/actor/refresh.h"

#include <doctest/doctest.h>

#include "troupe/oauth/actor/testing/fixture.h"

namespace troupe::oauth {
namespace {

using namespace std::chrono_literals;
using fixture::start;

const OauthOptions options;

struct Bench {
  MemoryTables rows;
  Tables tables = rows.all();
  fixture::Ids ids;
  ClientPtr client;
  Grant grant;
  RefreshRecord first;

  explicit Bench(const Client& of, std::vector<std::string> audience = {"https://issuer.example"})
      : client(std::make_shared<Client>(of)) {
    fixture::fill(tables);
    grant = fixture::grant_of(of, ids.next(), ids.next());
    grant.audience = std::move(audience);
    tables.grants.insert_family({.grant = grant, .expires_at = start + 30 * 24h});
    const crypto::TokenId id = ids.next();
    first = {.id = id, .family = grant.family, .hash = hash_of(id), .expires_at = start + options.refresh_idle};
    tables.grants.insert_refresh(first);
  }

  static crypto::Digest hash_of(const crypto::TokenId& id) { return crypto::sha256(id.text()); }

  ShownRefreshToken shown(const crypto::TokenId& id) {
    const crypto::TokenId successor = ids.next();
    return {.read = {.use = TokenUse::refresh, .id = id, .hash = hash_of(id)},
            .client = client,
            .scope = std::nullopt,
            .resources = {},
            .successor_id = successor,
            .successor_hash = hash_of(successor),
            .access_id = ids.next(),
            .hash_of = [](const AccessRecord& record) { return hash_of(record.id); }};
  }

  auto show(const crypto::TokenId& id, base::UnixTime now) { return refresh(tables, shown(id), now, options); }
  bool is_revoked() { return tables.grants.find_family(grant.family)->revoked_at.has_value(); }
};

TEST_CASE("a public client's token is replaced by its successor, which is good in turn") {
  Bench bench{fixture::phone()};
  const auto first = bench.show(bench.first.id, start + 1s);
  REQUIRE(first.has_value());
  REQUIRE(first->successor.has_value());
  const auto second = bench.show(*first->successor, start + 2s);
  REQUIRE(second.has_value());
  CHECK_NE(second->successor, first->successor);
  CHECK_NE(second->access.id, first->access.id);
  CHECK(bench.tables.grants.find_access(second->access.id).has_value());
  CHECK_EQ(second->access.expires_at, start + 2s + options.access_token_ttl);
}

TEST_CASE("a confidential client keeps its token, with more time") {
  Bench bench{fixture::shop()};
  const auto first = bench.show(bench.first.id, start + 24h);
  REQUIRE(first.has_value());
  CHECK_FALSE(first->successor.has_value());
  CHECK_EQ(bench.tables.grants.find_refresh(bench.first.id)->expires_at, start + 24h + options.refresh_idle);
  CHECK(bench.show(bench.first.id, start + 48h).has_value());
}

TEST_CASE("a repeat within the grace time gets the same answer") {
  Bench bench{fixture::phone()};
  const auto first = bench.show(bench.first.id, start + 1s);
  const auto repeat = bench.show(bench.first.id, start + 1s + options.refresh_grace);
  REQUIRE(repeat.has_value());
  CHECK_EQ(repeat->successor, first->successor);
  CHECK_EQ(repeat->access.id, first->access.id);
  CHECK_EQ(repeat->access.expires_at, first->access.expires_at);
  CHECK_FALSE(bench.is_revoked());
}

TEST_CASE("a repeat that asks for something else is judged as ever, and gets an access token for that") {
  Bench bench{fixture::phone()};
  const auto first = bench.show(bench.first.id, start + 1s);
  const auto again = [&](std::string_view scope, std::vector<std::string> resources = {}) {
    ShownRefreshToken shown = bench.shown(bench.first.id);
    if (!scope.empty()) shown.scope = fixture::scope(scope);
    shown.resources = std::move(resources);
    return refresh(bench.tables, shown, start + 2s, options);
  };
  CHECK_EQ(again("read write").error().error, errors::invalid_scope);
  CHECK_EQ(again("", {"https://unknown.example/api"}).error().error, errors::invalid_target);
  CHECK_FALSE(bench.is_revoked());

  const auto narrow = again("read");
  REQUIRE(narrow.has_value());
  CHECK_EQ(narrow->successor, first->successor);
  CHECK_EQ(narrow->access.grant.scope, fixture::scope("read"));
  CHECK_NE(narrow->access.id, first->access.id);
  CHECK_EQ(bench.tables.grants.find_access(narrow->access.id)->hash, narrow->access.hash);
  CHECK_EQ(again("read")->access.id, narrow->access.id);  // a repeat of that
  CHECK_EQ(again("read", bench.grant.audience)->access.id, narrow->access.id);
  CHECK_EQ(again("")->access.grant.scope, bench.grant.scope);
  CHECK(bench.show(*first->successor, start + 3s).has_value());
}

TEST_CASE("a repeat whose access token is good no more gets another one beside the same successor") {
  struct Over {
    const char* name;
    void (*end)(Bench&, const crypto::TokenId&);
  };
  const Over rows[] = {
      {"revoked", [](Bench& b, const crypto::TokenId& id) { CHECK(b.tables.grants.revoke_access(id, start + 2s)); }},
      {"expired", [](Bench&, const crypto::TokenId&) {}},
      {"expired and removed",
       [](Bench& b, const crypto::TokenId&) { CHECK_EQ(b.tables.grants.remove_access_expired(start + 6s, 10), 1); }},
  };
  for (const Over& row : rows) {
    CAPTURE(row.name);
    Client quick = fixture::phone();
    quick.metadata.access_token_ttl = 5s;
    Bench bench{quick};
    const auto first = bench.show(bench.first.id, start + 1s);
    REQUIRE(first.has_value());
    row.end(bench, first->access.id);
    const auto repeat = bench.show(bench.first.id, start + 6s);
    REQUIRE(repeat.has_value());
    CHECK_EQ(repeat->successor, first->successor);
    CHECK_NE(repeat->access.id, first->access.id);
    CHECK_EQ(repeat->access.expires_at, start + 11s);
    CHECK_EQ(bench.show(bench.first.id, start + 7s)->access.id, repeat->access.id);
    CHECK_FALSE(bench.is_revoked());
  }
}

TEST_CASE("a repeat for fewer resources gets an access token for those alone") {
  Bench bench{fixture::phone(), {"https://a.example", "https://b.example"}};
  const auto first = bench.show(bench.first.id, start + 1s);
  CHECK_EQ(first->access.grant.audience, bench.grant.audience);
  ShownRefreshToken shown = bench.shown(bench.first.id);
  shown.resources = {"https://b.example"};
  const auto narrow = refresh(bench.tables, shown, start + 2s, options);
  REQUIRE(narrow.has_value());
  CHECK_EQ(narrow->access.grant.audience, shown.resources);
  CHECK_EQ(narrow->successor, first->successor);
}

TEST_CASE("a repeat gives no scope that was taken from the client since") {
  Bench bench{fixture::phone()};
  REQUIRE(bench.show(bench.first.id, start + 1s).has_value());
  Client changed = *bench.client;
  changed.metadata.scope = fixture::scope("openid offline_access");
  bench.client = std::make_shared<Client>(changed);
  CHECK_EQ(bench.show(bench.first.id, start + 2s)->access.grant.scope, fixture::scope("openid offline_access"));
  changed.metadata.scope = fixture::scope("write");
  bench.client = std::make_shared<Client>(changed);
  CHECK_EQ(bench.show(bench.first.id, start + 2s).error().error, errors::invalid_grant);
  CHECK_FALSE(bench.is_revoked());
}

TEST_CASE("a reuse after the grace time ends the family") {
  Bench bench{fixture::phone()};
  const auto first = bench.show(bench.first.id, start + 1s);
  const auto reuse = bench.show(bench.first.id, start + 1s + options.refresh_grace + 1ms);
  CHECK_EQ(reuse.error().error, errors::invalid_grant);
  CHECK_EQ(reuse.error().revoked, bench.grant.family);
  CHECK(bench.is_revoked());
  CHECK_FALSE(bench.show(*first->successor, start + 33s).has_value());
}

TEST_CASE("the grace ends early once the successor has been used") {
  Bench bench{fixture::phone()};
  const auto first = bench.show(bench.first.id, start + 1s);
  REQUIRE(bench.show(*first->successor, start + 2s).has_value());
  CHECK_EQ(bench.show(bench.first.id, start + 3s).error().revoked, bench.grant.family);
}

TEST_CASE("scope may narrow for the access token and comes back for the next") {
  Bench bench{fixture::phone()};
  ShownRefreshToken narrow = bench.shown(bench.first.id);
  narrow.scope = fixture::scope("read");
  const auto first = refresh(bench.tables, narrow, start + 1s, options);
  REQUIRE(first.has_value());
  CHECK_EQ(first->access.grant.scope, fixture::scope("read"));
  const auto second = bench.show(*first->successor, start + 2s);
  CHECK_EQ(second->access.grant.scope, bench.grant.scope);

  ShownRefreshToken wide = bench.shown(*second->successor);
  wide.scope = fixture::scope("read write");
  CHECK_EQ(refresh(bench.tables, wide, start + 3s, options).error().error, errors::invalid_scope);
  CHECK(bench.show(*second->successor, start + 3s).has_value());  // the refusal has spent nothing
}

TEST_CASE("a scope that was taken from a client goes from its next token, and one that has none left gets none") {
  Bench bench{fixture::shop()};
  const auto with_scope = [&](std::string_view text) {
    Client changed = *bench.client;
    changed.metadata.scope = fixture::scope(text);
    bench.client = std::make_shared<Client>(changed);
    return bench.show(bench.first.id, start + 1s);
  };
  CHECK_EQ(with_scope("openid offline_access read write").value().access.grant.scope, bench.grant.scope);
  CHECK_EQ(with_scope("openid offline_access").value().access.grant.scope, fixture::scope("openid offline_access"));
  auto wider = bench.shown(bench.first.id);
  wider.scope = fixture::scope("read");
  CHECK_EQ(refresh(bench.tables, wider, start + 1s, options).error().error, errors::invalid_scope);
  CHECK_EQ(with_scope("write").error().error, errors::invalid_grant);
  CHECK_EQ(with_scope("openid offline_access read write").value().access.grant.scope, bench.grant.scope);
}

TEST_CASE("resources may narrow for the access token, and a foreign one is refused and spends nothing (T43)") {
  Bench bench{fixture::phone()};
  ShownRefreshToken shown = bench.shown(bench.first.id);
  shown.resources = {bench.grant.audience.front(), "https://unknown.example/api"};
  CHECK_EQ(refresh(bench.tables, shown, start + 1s, options).error().error, errors::invalid_target);
  shown.resources = {bench.grant.audience.front()};
  const auto narrowed = refresh(bench.tables, shown, start + 1s, options);
  REQUIRE(narrowed.has_value());
  CHECK_EQ(narrowed->access.grant.audience, shown.resources);
}

TEST_CASE("a token that nobody used for two weeks, or whose family is over, is refused") {
  Bench bench{fixture::phone()};
  CHECK_FALSE(bench.show(bench.first.id, start + options.refresh_idle).has_value());
  Bench busy{fixture::shop()};
  for (int day = 10; day < 30; day += 10) CHECK(busy.show(busy.first.id, start + day * 24h).has_value());
  CHECK_FALSE(busy.show(busy.first.id, start + 30 * 24h).has_value());
}

struct Row {
  const char* name;
  void (*change)(Bench&);
};

TEST_CASE("nothing is refreshed that no longer stands") {
  const Row rows[] = {
      {"the family is revoked", [](Bench& b) { b.tables.grants.revoke_family(b.grant.family, start, "logout"); }},
      {"the user is gone", [](Bench& b) { b.tables.users.remove(fixture::alice().user.id); }},
      {"the user is disabled",
       [](Bench& b) {
         UserRecord user = fixture::alice();
         user.user.state = UserState::disabled;
         b.tables.users.update(user);
       }},
      {"the password was changed",
       [](Bench& b) {
         UserRecord user = fixture::alice();
         user.password_changed_at = start + 1s;
         b.tables.users.update(user);
       }},
      {"the client is gone", [](Bench& b) { b.tables.clients.remove(b.client->id); }},
      {"the client is disabled",
       [](Bench& b) {
         Client client = *b.client;
         client.state = ClientState::disabled;
         client.version = 2;
         b.tables.clients.update(client);
       }},
      {"it is another client", [](Bench& b) { b.client = std::make_shared<Client>(fixture::shop()); }},
      {"the secret is guessed",
       [](Bench& b) {
         b.first.hash = crypto::sha256("other");
         b.tables.grants.update_refresh(b.first);
       }},
      {"there is no such token", [](Bench& b) { b.first.id = b.ids.next(); }},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    Bench bench{fixture::phone()};
    row.change(bench);
    const auto answer = bench.show(bench.first.id, start + 2s);
    REQUIRE_FALSE(answer.has_value());
    CHECK_EQ(answer.error().error, errors::invalid_grant);
    CHECK_FALSE(answer.error().revoked.has_value());
  }
}

}  // namespace
}  // namespace troupe::oauth
