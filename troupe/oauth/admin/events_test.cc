// Keys and the audit trail over the administration API.
#include <algorithm>

#include "troupe/oauth/admin/testing/office.h"

namespace troupe::oauth::test {
namespace {

using Texts = std::vector<std::string>;

TEST_CASE("keys are listed by their public parts, and rotated") {
  OauthWorld oauth{quick(1)};
  Office office{oauth};
  auto before = office.get("/keys");
  REQUIRE_EQ(office.column(before, "keys", "state"), Texts{"signing"});
  CHECK_FALSE(before.body().contains("\"d\":"));
  auto after = office.post("/keys/rotate");
  CHECK_EQ(after.status(), 200);
  CHECK_EQ(office.column(after, "keys", "state"), Texts{"retained", "signing"});
  CHECK_EQ(office.column(after, "keys", "kid").front(), office.column(before, "keys", "kid").front());
  const auto jwks = oauth.send({.path = "/oauth/jwks"});
  for (const auto& kid : office.column(after, "keys", "kid")) CHECK(jwks.body().contains(kid));
  CHECK_EQ(office.get("/keys").status(), 200);  // the token is of the key before
  CHECK_EQ(office.causes("keys_rotated"), Texts{office.me()});
}

TEST_CASE("events are found by kind, client, user, grant and time, the newest first") {
  OauthWorld oauth{quick(2)};
  Office office{oauth};
  const auto start = oauth.world().manual_clock().wall().seconds();
  oauth.redeem(oauth.web_shop, oauth.authorize(alice, oauth.web_shop));
  oauth.advance(std::chrono::seconds{100});
  oauth.redeem(oauth.other_shop, oauth.authorize(bob, oauth.other_shop));
  const auto kinds = [&](const std::string& query) {
    return office.column(office.get("/events?" + query), "events", "kind");
  };
  const auto has = [](const Texts& texts, std::string_view one) { return std::ranges::count(texts, one) > 0; };
  CHECK_EQ(kinds("kind=consent_given").size(), 2);
  CHECK_EQ(kinds("kind=consent_given&client=" + oauth.web_shop.id.value()).size(), 1);
  CHECK_EQ(kinds("kind=consent_given&user=" + office.sub_of(bob)).size(), 1);
  CHECK_EQ(kinds("kind=consent_given&user=" + office.sub_of(bob) + "&client=" + oauth.web_shop.id.value()).size(), 0);
  CHECK_EQ(kinds("kind=consent_given&since=" + std::to_string(start + 50)).size(), 1);
  CHECK_EQ(kinds("kind=consent_given&until=" + std::to_string(start + 50)).size(), 1);
  CHECK_EQ(
      kinds("kind=consent_given&since=" + std::to_string(start + 50) + "&until=" + std::to_string(start + 60)).size(),
      0);
  CHECK(kinds("kind=nothing_of_the_kind").empty());
  const auto grant = office.column(office.get("/grants?user=" + office.sub_of(bob)), "grants", "grant").front();
  office.remove("/grants/" + grant);
  CHECK(has(kinds("grant=" + grant), "family_revoked"));
  CHECK_EQ(kinds("limit=1"), Texts{"family_revoked"});
  for (const char* query : {"since=yesterday", "since=-1", "until=99999999999999", "client=", "who=me"}) {
    CAPTURE(query);
    CHECK_EQ(office.get(std::string{"/events?"} + query).status(), 400);
  }
}

TEST_CASE("what a back end has seen is noted, by it, and cannot look like one of ours") {
  OauthWorld oauth{quick(4)};
  Office office{oauth};
  const std::string event = R"({"kind":"invoice_paid","client":")" + oauth.web_shop.id.value() + R"(","user":")" +
                            office.sub_of(alice) + R"(","reason":"order 7"})";
  CHECK_EQ(office.post("/events", event).status(), 202);
  oauth.advance(std::chrono::seconds{1});
  auto noted = office.get("/events?kind=custom.invoice_paid&user=" + office.sub_of(alice));
  CHECK_EQ(office.column(noted, "events", "reason"), Texts{"order 7"});
  CHECK_EQ(office.column(noted, "events", "by"), Texts{office.me()});
  CHECK_EQ(office.column(noted, "events", "client"), Texts{oauth.web_shop.id.value()});
  for (const char* body : {R"({})", R"({"kind":"Bad Kind"})", R"({"kind":7})", R"({"kind":"x","reason":"\u0000"})",
                           R"({"kind":"x","at":1})", R"({"kind":"x","client":""})"}) {
    CAPTURE(body);
    CHECK_EQ(office.post("/events", body).status(), 400);
  }
}

TEST_CASE("the trail comes page by page, each event once, and nobody changes it") {
  OauthWorld oauth{quick(3)};
  Office office{oauth};
  oauth.redeem(oauth.web_shop, oauth.authorize(alice, oauth.web_shop));
  const auto all = office.column(office.get("/events?limit=1000"), "events", "id");
  CHECK_GT(all.size(), 8);
  Texts seen;
  std::string after;
  do {
    auto page = office.get("/events?limit=3" + after);
    for (auto& id : office.column(page, "events", "id")) seen.push_back(std::move(id));
    after = page.at("next").empty() ? "" : "&after=" + page.at("next");
  } while (!after.empty());
  CHECK_EQ(seen, all);
  for (const auto method : {web::Method::delete_, web::Method::put, web::Method::patch}) {
    CHECK_EQ(office.ask(method, "/events").status(), 405);
  }
}

}  // namespace
}  // namespace troupe::oauth::test
