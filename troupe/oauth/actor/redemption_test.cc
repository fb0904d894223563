// Redemption: a code is good once, for its own client, with everything it was asked with; and
// no wrong attempt takes it away.
#include "troupe/oauth/actor/redemption.h"

#include <doctest/doctest.h>

#include <functional>

#include "troupe/oauth/actor/testing/fixture.h"

namespace troupe::oauth {
namespace {

using fixture::start;

constexpr base::UnixTime after_a_second = {start.milliseconds + 1000};
constexpr base::UnixTime much_later = {start.milliseconds + 90LL * 24 * 3600 * 1000};

// RFC 7636, appendix B.
constexpr const char* verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
constexpr const char* challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

struct Bench {
  MemoryTables rows;
  Tables tables = rows.all();
  fixture::Ids ids;
  AuthCode code{.id = ids.next(),
                .hash = crypto::sha256("the code"),
                .grant = fixture::grant_of(fixture::shop(), ids.next(), ids.next()),
                .redirect_uri = "https://shop.example/cb",
                .code_challenge = challenge,
                .expires_at = start + std::chrono::seconds{60}};
  ShownCode shown{.read = {.id = code.id, .hash = code.hash},
                  .client = fixture::shop().id,
                  .redirect_uri = code.redirect_uri,
                  .code_verifier = verifier};

  Bench() { fixture::fill(tables); }
  void change_client(void (*change)(Client&)) {
    Client changed = tables.clients.find(fixture::shop().id).value();
    change(changed);
    ++changed.version;
    tables.clients.update(changed);
  }
  auto redeem_at(base::UnixTime now) { return redeem(tables, shown, now, much_later); }
};

TEST_CASE("a code gives what was granted, and opens its family") {
  Bench bench;
  bench.tables.grants.insert_code(bench.code);
  const auto grant = bench.redeem_at(after_a_second);
  REQUIRE(grant.has_value());
  CHECK_EQ(grant->scope, bench.code.grant.scope);
  CHECK_EQ(bench.tables.grants.find_code(bench.code.id)->state, CodeState::used);
  CHECK_EQ(bench.tables.grants.find_family(grant->family)->expires_at, much_later);
}

TEST_CASE("who asks for some of the resources gets a token for those; for others, none, and the code stays good") {
  Bench bench;
  bench.code.grant.audience = {"https://a.example", "https://b.example"};
  bench.tables.grants.insert_code(bench.code);
  bench.shown.resources = {"https://b.example", "https://c.example"};
  CHECK_EQ(bench.redeem_at(after_a_second).error().error, errors::invalid_target);
  bench.shown.resources = {"https://b.example", "https://b.example"};
  const auto grant = bench.redeem_at(after_a_second);
  REQUIRE(grant.has_value());
  CHECK_EQ(grant->audience, std::vector<std::string>{"https://b.example"});
  CHECK_EQ(bench.tables.grants.find_family(grant->family)->grant.audience, bench.code.grant.audience);
}

TEST_CASE("a scope that was taken from the client since goes from the code's tokens, and comes back with it") {
  Bench bench;
  bench.tables.grants.insert_code(bench.code);
  bench.change_client([](Client& c) { c.metadata.scope = fixture::scope("write"); });
  const auto none = bench.redeem_at(after_a_second);
  REQUIRE_FALSE(none.has_value());
  CHECK_EQ(none.error().error, errors::invalid_grant);
  CHECK_EQ(none.error().reason, "scope_is_gone");
  bench.change_client([](Client& c) { c.metadata.scope = fixture::scope("openid write"); });
  const auto grant = bench.redeem_at(after_a_second);
  REQUIRE(grant.has_value());
  CHECK_EQ(grant->scope, fixture::scope("openid"));
  CHECK_EQ(bench.tables.grants.find_family(grant->family)->grant.scope, bench.code.grant.scope);
}

TEST_CASE("a native application redeems at the port that it had, as long as its address is registered") {
  Bench bench;
  bench.code.redirect_uri = bench.shown.redirect_uri = "http://127.0.0.1:49152/cb";
  bench.tables.grants.insert_code(bench.code);
  const auto gone = bench.redeem_at(after_a_second);
  REQUIRE_FALSE(gone.has_value());
  CHECK_EQ(gone.error().reason, "redirect_uri_is_gone");
  bench.change_client([](Client& c) { c.metadata.redirect_uris = {"http://127.0.0.1/cb"}; });
  CHECK(bench.redeem_at(after_a_second).has_value());
}

TEST_CASE("a code whose client, user or session has ended since is refused, and is not spent by that") {
  const Bench usual;
  const auto session = usual.code.grant.authentication->session;
  const struct {
    std::string what;
    std::function<void(Tables&)> end;
  } rows[] = {
      {"the client is disabled",
       [](Tables& t) {
         Client client = t.clients.find(fixture::shop().id).value();
         client.state = ClientState::disabled;
         ++client.version;
         CHECK(t.clients.update(client));
       }},
      {"the client is gone", [](Tables& t) { CHECK(t.clients.remove(fixture::shop().id)); }},
      {"the user is disabled",
       [](Tables& t) {
         UserRecord user = t.users.find(fixture::alice().user.id).value();
         user.user.state = UserState::disabled;
         CHECK(t.users.update(user));
       }},
      {"the session is over",
       [&](Tables& t) {
         SessionRecord record{.session = {.id = session}};
         record.session.authentication.user = fixture::alice().user.id;
         record.ended_at = start;
         t.users.insert_session(record);
       }},
  };
  // Once they are given, tokens with offline_access outlive the session; its code does not.
  for (const std::string scope : {"openid", "openid offline_access"}) {
    for (const auto& [what, end] : rows) {
      CAPTURE(what);
      CAPTURE(scope);
      Bench bench;
      bench.code.grant.scope = fixture::scope(scope);
      bench.tables.grants.insert_code(bench.code);
      end(bench.tables);
      const auto refused = bench.redeem_at(after_a_second);
      REQUIRE_FALSE(refused.has_value());
      CHECK_EQ(refused.error().error, errors::invalid_grant);
      CHECK_EQ(refused.error().reason, "grant_is_over");
      CHECK_EQ(bench.tables.grants.find_code(bench.code.id)->state, CodeState::live);
      CHECK_FALSE(bench.tables.grants.find_family(bench.code.grant.family).has_value());
    }
  }
}

TEST_CASE("a code shown twice by its client ends the family, once") {
  Bench bench;
  bench.tables.grants.insert_code(bench.code);
  const auto first = bench.redeem_at(after_a_second);
  const auto second = bench.redeem_at(after_a_second);
  REQUIRE_FALSE(second.has_value());
  CHECK_EQ(second.error().error, errors::invalid_grant);
  CHECK(second.error().is_replay);
  CHECK_EQ(second.error().revoked, first->family);
  CHECK_EQ(bench.tables.grants.find_family(first->family)->revoked_because, "code_replay");
  CHECK_FALSE(bench.redeem_at(after_a_second).error().revoked.has_value());
}

TEST_CASE("a code whose consent was taken back before it was redeemed is refused, and is no replay") {
  Bench bench;
  bench.tables.grants.insert_code(bench.code);
  const Grant& grant = bench.code.grant;
  REQUIRE_EQ(bench.tables.grants.use_codes_of(grant.authentication->user, grant.client, start), 1);
  const auto refused = bench.redeem_at(after_a_second);
  REQUIRE_FALSE(refused.has_value());
  CHECK_EQ(refused.error().error, errors::invalid_grant);
  CHECK_EQ(refused.error().reason, "consent_revoked");
  CHECK_FALSE(refused.error().is_replay);
  CHECK_FALSE(refused.error().revoked.has_value());
}

TEST_CASE("a used code shown by another client ends nothing") {
  Bench bench;
  bench.tables.grants.insert_code(bench.code);
  const auto first = bench.redeem_at(after_a_second);
  bench.shown.client = fixture::phone().id;
  CHECK_FALSE(bench.redeem_at(after_a_second).error().revoked.has_value());
  CHECK_FALSE(bench.tables.grants.find_family(first->family)->revoked_at.has_value());
}

struct Row {
  const char* name;
  void (*change)(Bench&);
  OauthError error = errors::invalid_grant;
};

TEST_CASE("a wrong attempt is refused and leaves the code live") {
  const Row rows[] = {
      {"another code", [](Bench& b) { b.shown.read.id = b.ids.next(); }},
      {"another secret", [](Bench& b) { b.shown.read.hash = crypto::sha256("guess"); }},
      {"another client", [](Bench& b) { b.shown.client = fixture::phone().id; }},
      {"another redirect URI", [](Bench& b) { b.shown.redirect_uri += "/"; }},
      {"no redirect URI", [](Bench& b) { b.shown.redirect_uri = ""; }, errors::invalid_request},
      {"no verifier", [](Bench& b) { b.shown.code_verifier = ""; }},
      {"another verifier", [](Bench& b) { b.shown.code_verifier = std::string(43, 'a'); }},
      {"the challenge as verifier", [](Bench& b) { b.shown.code_verifier = challenge; }},
      {"a verifier without challenge", [](Bench& b) { b.code.code_challenge = ""; }},
      {"a redirect URI that was not sent before", [](Bench& b) { b.code.redirect_uri = ""; }},
      {"a redirect URI that is registered no more",
       [](Bench& b) { b.change_client([](Client& c) { c.metadata.redirect_uris = {"https://new.example/cb"}; }); }},
      {"a client that was removed", [](Bench& b) { b.tables.clients.remove(fixture::shop().id); }},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    Bench bench;
    row.change(bench);
    bench.tables.grants.insert_code(bench.code);
    const auto grant = bench.redeem_at(after_a_second);
    REQUIRE_FALSE(grant.has_value());
    CHECK_EQ(grant.error().error, row.error);
    CHECK_EQ(bench.tables.grants.find_code(bench.code.id)->state, CodeState::live);
  }
}

TEST_CASE("a code ends with its minute") {
  Bench bench;
  bench.tables.grants.insert_code(bench.code);
  CHECK_FALSE(bench.redeem_at(bench.code.expires_at).has_value());
  CHECK(bench.redeem_at(bench.code.expires_at - std::chrono::milliseconds{1}).has_value());
}

TEST_CASE("a client without PKCE and without redirect URI redeems without both") {
  Bench bench;
  bench.code.code_challenge = bench.code.redirect_uri = "";
  bench.shown.code_verifier = bench.shown.redirect_uri = "";
  bench.tables.grants.insert_code(bench.code);
  CHECK(bench.redeem_at(after_a_second).has_value());
}

}  // namespace
}  // namespace troupe::oauth
