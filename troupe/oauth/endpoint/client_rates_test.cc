// Limits of clients: who has one, what it is told, and that nobody can use up another's.
#include "troupe/oauth/endpoint/client_rates.h"

#include <doctest/doctest.h>

#include "troupe/oauth/actor/testing/fixture.h"
#include "troupe/oauth/sim/oauth_world.h"

namespace troupe::oauth {
namespace {

using namespace std::chrono_literals;
using test::OauthWorld;
using test::Reply;

OauthWorld limited(actor::test::Seed seed, double burst = 3) {
  return OauthWorld{{.seed = seed, .oauth = {.client_requests = {.per_second = 0.01, .burst = burst}}}};
}

TEST_CASE("without a limit nothing is counted, and a public client never is") {
  ClientRates none{{.per_second = 0, .burst = 0}};
  ClientRates one{{.per_second = 1, .burst = 1}};
  for (int i = 0; i < 100; ++i) {
    CHECK(none.take(fixture::shop(), {}));
    CHECK(one.take(fixture::phone(), {}));
  }
  CHECK_EQ(none.size(), 0);
  CHECK_EQ(one.size(), 0);
  CHECK(one.take(fixture::shop(), {}));
  const auto refused = one.take(fixture::shop(), {});
  REQUIRE_FALSE(refused);
  CHECK_EQ(refused.error().status, 429);
  CHECK_EQ(refused.error().retry_after, 1s);
}

TEST_CASE("where no burst is said it is that of a second, and at least one request") {
  ClientRates slow{{.per_second = 0.5, .burst = 0}};
  CHECK(slow.take(fixture::shop(), {}));
  CHECK_FALSE(slow.take(fixture::shop(), {}));
  ClientRates fast{{.per_second = 3, .burst = 0}};
  for (int i = 0; i < 3; ++i) CHECK(fast.take(fixture::shop(), {}));
  CHECK_FALSE(fast.take(fixture::shop(), {}));
}

TEST_CASE("a client that asks too often is told when to come again, at each endpoint, and no other client is") {
  auto oauth = limited(1);
  struct Row {
    const char* path;
    wire::Form form;
  };
  const Row rows[] = {
      {"/oauth/token", {{"grant_type", "client_credentials"}}},
      {"/oauth/introspect", {{"token", "at_x"}}},
      {"/oauth/revoke", {{"token", "at_x"}}},
  };
  for (const Row& row : rows) {
    CAPTURE(row.path);
    oauth.advance(300s);
    for (int i = 0; i < 3; ++i) CHECK_EQ(oauth.post_as(oauth.api, row.path, row.form).status(), 200);
    const Reply refused = oauth.post_as(oauth.api, row.path, row.form);
    CHECK_EQ(refused.status(), 429);
    CHECK_EQ(refused.error(), "temporarily_unavailable");
    CHECK_GT(std::stoi(refused.header("retry-after")), 90);
    CHECK_EQ(refused.header("cache-control"), "no-store");
    CHECK_EQ(oauth.post_as(oauth.other_shop, row.path, row.form).status(), 200);
    oauth.advance(100s);
    CHECK_EQ(oauth.post_as(oauth.api, row.path, row.form).status(), 200);
  }
}

TEST_CASE("who names a client and cannot prove it takes nothing from it (T67)") {
  auto oauth = limited(2);
  test::ClientApp thief = oauth.api;
  thief.secret = "guessed";
  for (int i = 0; i < 20; ++i)
    CHECK_EQ(oauth.post_as(thief, "/oauth/token", {{"grant_type", "client_credentials"}}).status(), 401);
  CHECK_EQ(oauth.post_as(oauth.api, "/oauth/token", {{"grant_type", "client_credentials"}}).status(), 200);
}

TEST_CASE("a batch counts by its tokens, and one that is larger than what is left uses it up") {
  auto oauth = limited(3, 4);
  const auto batch = [&](int tokens) {
    web::Request request = oauth.token_request(oauth.api, {}, "/oauth/introspect/batch");
    request.headers.set("Content-Type", "application/json");
    std::string list;
    for (int i = 0; i < tokens; ++i) list += list.empty() ? "\"at_x\"" : ",\"at_x\"";
    request.body = R"({"tokens":[)" + list + "]}";
    return oauth.send(std::move(request)).status();
  };
  CHECK_EQ(batch(2), 200);
  CHECK_EQ(batch(2), 200);
  CHECK_EQ(batch(1), 429);
  oauth.advance(400s);
  CHECK_EQ(batch(100), 200);
  CHECK_EQ(batch(1), 429);
}

}  // namespace
}  // namespace troupe::oauth
