// What was granted, over the administration API: sessions, grants and tokens are listed, and taken back.
#include <algorithm>

#include "troupe/oauth/admin/testing/office.h"

namespace troupe::oauth::test {
namespace {

using Texts = std::vector<std::string>;

Reply tokens_of(OauthWorld& oauth, const Person& person, const ClientApp& client, std::string_view changes = "") {
  return oauth.redeem(client, oauth.authorize(person, client, changes));
}

TEST_CASE("grants are listed by user and by client, as long as they are live") {
  OauthWorld oauth{quick(1)};
  Office office{oauth};
  tokens_of(oauth, alice, oauth.web_shop);
  tokens_of(oauth, alice, oauth.other_shop);
  tokens_of(oauth, bob, oauth.web_shop);
  const auto clients_of = [&](const std::string& query) {
    auto texts = office.column(office.get("/grants" + query), "grants", "client_id");
    std::ranges::sort(texts);
    return texts;
  };
  Texts both{oauth.web_shop.id.value(), oauth.other_shop.id.value()};
  std::ranges::sort(both);
  CHECK_EQ(clients_of("?user=" + office.sub_of(alice)), both);
  CHECK_EQ(clients_of("?client=" + oauth.web_shop.id.value()).size(), 2);
  CHECK_EQ(clients_of("?client=" + oauth.web_shop.id.value() + "&user=" + office.sub_of(bob)).size(), 1);
  CHECK_EQ(clients_of("").size(), 3);
  CHECK(clients_of("?user=u_nobody").empty());
  const auto first = office.get("/grants?limit=2");
  CHECK_EQ(office.column(first, "grants", "sub").size(), 2);
  CHECK_EQ(office.column(office.get("/grants?limit=2&after=" + first.at("next")), "grants", "sub").size(), 1);
  const auto by_user = office.get("/grants?limit=1&user=" + office.sub_of(alice));
  CHECK_EQ(office
               .column(office.get("/grants?limit=1&user=" + office.sub_of(alice) + "&after=" + by_user.at("next")),
                       "grants", "grant")
               .size(),
           1);
  office.post("/users/" + office.sub_of(alice) + "/disable");
  CHECK_EQ(clients_of("").size(), 1);
}

TEST_CASE("a grant that is taken back takes its tokens with it, and others stay") {
  OauthWorld oauth{quick(2)};
  Office office{oauth};
  auto tokens = tokens_of(oauth, alice, oauth.web_shop);
  auto others = tokens_of(oauth, bob, oauth.web_shop);
  const auto grant = office.column(office.get("/grants?user=" + office.sub_of(alice)), "grants", "grant").front();
  CHECK_EQ(office.remove("/grants/" + grant).status(), 204);
  CHECK_EQ(office.remove("/grants/" + grant).status(), 204);
  CHECK_FALSE(oauth.is_active(tokens.at("access_token")));
  CHECK_EQ(oauth.refresh(oauth.web_shop, tokens.at("refresh_token")).error(), "invalid_grant");
  CHECK(oauth.is_active(others.at("access_token")));
  CHECK_EQ(office.causes("family_revoked"), Texts{office.me()});
  CHECK_EQ(office.remove("/grants/no-grant").status(), 404);
}

TEST_CASE("a consent that is taken back is asked for again") {
  OauthWorld oauth{quick(3)};
  Office office{oauth};
  auto tokens = tokens_of(oauth, alice, oauth.web_shop);
  const std::string query = "?user=" + office.sub_of(alice) + "&client=" + oauth.web_shop.id.value();
  CHECK_EQ(office.remove("/grants" + query).status(), 204);
  CHECK_EQ(office.remove("/grants" + query).status(), 204);
  CHECK_FALSE(oauth.is_active(tokens.at("access_token")));
  CHECK_EQ(office.causes("consent_revoked").size(), 1);
  CHECK_EQ(office.remove("/grants?user=" + office.sub_of(alice)).status(), 400);
  CHECK_EQ(office.remove("/grants").status(), 400);
}

TEST_CASE("tokens are listed without their texts, and taken back by their ids") {
  OauthWorld oauth{quick(4)};
  Office office{oauth};
  auto tokens = tokens_of(oauth, alice, oauth.web_shop);
  tokens_of(oauth, bob, oauth.web_shop);
  const auto sub = office.sub_of(alice);
  auto access = office.get("/tokens?user=" + sub);
  REQUIRE_EQ(office.column(access, "tokens", "jti").size(), 1);
  CHECK_EQ(office.column(access, "tokens", "use"), Texts{"access"});
  CHECK_EQ(office.column(access, "tokens", "sub"), Texts{sub});
  const auto grant = office.column(access, "tokens", "grant").front();
  auto refresh = office.get("/tokens?use=refresh&grant=" + grant);
  CHECK_EQ(office.column(refresh, "tokens", "use"), Texts{"refresh"});
  CHECK_EQ(office.column(refresh, "tokens", "client_id"), Texts{oauth.web_shop.id.value()});
  for (const Reply& list : {access, refresh}) {
    CHECK_FALSE(list.body().contains(tokens.at("access_token")));
    CHECK_FALSE(list.body().contains(tokens.at("refresh_token")));
  }
  CHECK_EQ(office.column(office.get("/tokens?client=" + oauth.web_shop.id.value()), "tokens", "jti").size(), 2);
  CHECK_EQ(office.column(office.get("/tokens?grant=" + grant), "tokens", "jti").size(), 1);

  const auto jti = office.column(access, "tokens", "jti").front();
  CHECK_EQ(office.remove("/tokens/" + jti).status(), 204);
  CHECK_EQ(office.remove("/tokens/" + jti).status(), 204);
  CHECK_FALSE(oauth.is_active(tokens.at("access_token")));
  CHECK(oauth.is_active(tokens.at("refresh_token")));
  CHECK_EQ(office.remove("/tokens/" + office.column(refresh, "tokens", "jti").front()).status(), 204);
  CHECK_FALSE(oauth.is_active(tokens.at("refresh_token")));
  CHECK_EQ(office.causes("token_revoked").size(), 2);
  CHECK(office.column(office.get("/tokens?user=" + sub), "tokens", "jti").empty());
  CHECK_EQ(office.remove("/tokens/none").status(), 404);
  CHECK_EQ(office.get("/tokens?use=both").status(), 400);
}

TEST_CASE("tokens that nobody may use any more are passed over, and pages go on behind them") {
  OauthWorld oauth{quick(5)};
  Office office{oauth};
  Texts jtis;
  const wire::Form form{{"grant_type", "client_credentials"}};
  for (int i = 0; i < 30; ++i) oauth.post_as(oauth.web_shop, "/oauth/token", form);
  const std::string query = "/tokens?limit=4&client=" + oauth.web_shop.id.value();
  for (const auto& jti : office.column(office.get(query), "tokens", "jti")) office.remove("/tokens/" + jti);
  std::string after;
  do {
    auto page = office.get(query + after);
    for (auto& jti : office.column(page, "tokens", "jti")) jtis.push_back(std::move(jti));
    after = page.at("next").empty() ? "" : "&after=" + page.at("next");
  } while (!after.empty());
  CHECK_EQ(jtis.size(), 26);
  std::ranges::sort(jtis);
  CHECK(std::ranges::adjacent_find(jtis) == jtis.end());
  oauth.advance(std::chrono::minutes{11});
  CHECK(office
            .column(office.ask_with(oauth.post_as(office.desk, "/oauth/token", form).at("access_token"),
                                    web::Method::get, query),
                    "tokens", "jti")
            .empty());
}

TEST_CASE("sessions of a user are listed and ended with the tokens that stem from them") {
  OauthWorld oauth{quick(6)};
  Office office{oauth};
  auto tokens = tokens_of(oauth, alice, oauth.web_shop, "scope=openid");
  auto lasting = tokens_of(oauth, alice, oauth.web_shop);  // offline_access, in another browser
  const auto sub = office.sub_of(alice);
  auto list = office.get("/sessions?user=" + sub);
  const auto sids = office.column(list, "sessions", "sid");
  REQUIRE_EQ(sids.size(), 2);
  auto first = office.get("/sessions?limit=1&user=" + sub);
  auto second = office.get("/sessions?limit=1&user=" + sub + "&after=" + first.at("next"));
  CHECK_EQ(office.column(second, "sessions", "sid"), Texts{sids[1]});
  CHECK_EQ(second.at("next"), "");
  for (const auto& sid : sids) CHECK_EQ(office.remove("/sessions/" + sid).status(), 204);
  CHECK_EQ(office.remove("/sessions/" + sids.front()).status(), 204);
  CHECK_EQ(office.remove("/sessions/none").status(), 204);
  CHECK_FALSE(oauth.is_active(tokens.at("access_token")));
  CHECK(oauth.is_active(lasting.at("access_token")));
  CHECK(office.column(office.get("/sessions?user=" + sub), "sessions", "sid").empty());
  CHECK_EQ(office.causes("session_ended").size(), 2);
  CHECK_EQ(office.get("/sessions").status(), 400);
}

TEST_CASE("a dry run of what ends one session, grant, token or key says what would end, and ends nothing") {
  OauthWorld oauth{quick(7)};
  Office office{oauth};
  const auto bound = tokens_of(oauth, alice, oauth.web_shop, "scope=openid");
  const auto sub = office.sub_of(alice);
  const auto sid = office.column(office.get("/sessions?user=" + sub), "sessions", "sid").front();
  const auto lasting = tokens_of(oauth, alice, oauth.web_shop);  // in another browser
  const auto access = office.column(office.get("/tokens?user=" + sub), "tokens", "jti");
  const auto refresh = office.column(office.get("/tokens?use=refresh&user=" + sub), "tokens", "jti").front();
  const auto grants = office.column(office.get("/grants?user=" + sub), "grants", "grant");
  REQUIRE_EQ(grants.size(), 2);
  const auto kid = office.column(office.get("/keys"), "keys", "kid").front();
  const auto before = oauth.events().size();

  const auto dry = [&](const Reply& reply, std::string_view list, std::string_view member) {
    CHECK_EQ(reply.status(), 200);
    return office.column(reply, list, member);
  };
  CHECK_EQ(dry(office.remove("/sessions/" + sid + "?dry_run=true"), "grants", "grant"), Texts{grants[0]});
  CHECK(dry(office.remove("/sessions/none?dry_run=true"), "grants", "grant").empty());
  CHECK_EQ(dry(office.remove("/grants/" + grants[1] + "?dry_run=true"), "grants", "grant"), Texts{grants[1]});
  auto one = office.remove("/tokens/" + access[0] + "?dry_run=true");
  CHECK_EQ(dry(one, "tokens", "jti"), Texts{access[0]});
  CHECK(dry(one, "grants", "grant").empty());
  auto whole = office.remove("/tokens/" + refresh + "?dry_run=true");
  CHECK_EQ(dry(whole, "tokens", "use"), Texts{"refresh"});
  CHECK_EQ(dry(whole, "grants", "grant"), Texts{grants[1]});
  CHECK_EQ(dry(office.post("/keys/rotate?dry_run=true"), "keys", "kid"), Texts{kid});
  CHECK_EQ(office.post("/keys/rotate?dry_run=true&revoke=nobody").status(), 404);
  CHECK_EQ(dry(office.post("/keys/rotate?dry_run=true&revoke=" + kid), "keys", "state"), Texts{"signing"});

  CHECK_EQ(oauth.events().size(), before);
  for (const Reply& tokens : {bound, lasting}) CHECK(oauth.is_active(tokens.at("access_token")));
  CHECK_EQ(office.column(office.get("/keys"), "keys", "state"), Texts{"signing"});
  CHECK_EQ(office.remove("/tokens/" + access[0] + "?dry_run=perhaps").status(), 400);
  CHECK_EQ(office.remove("/tokens/" + access[0] + "?dry_run=true&limit=2").status(), 400);
  office.remove("/grants/" + grants[1]);
  CHECK(dry(office.remove("/grants/" + grants[1] + "?dry_run=true"), "grants", "grant").empty());
  CHECK(dry(office.remove("/tokens/" + refresh + "?dry_run=true"), "tokens", "jti").empty());
}

TEST_CASE("a dry run names the grant of a client that acts for itself, as the deed ends it") {
  OauthWorld oauth{quick(8)};
  Office office{oauth};
  const Reply own = oauth.post_as(oauth.web_shop, "/oauth/token", {{"grant_type", "client_credentials"}});
  const std::string client = oauth.web_shop.id.value();
  const auto grant = office.column(office.get("/tokens?client=" + client), "tokens", "grant").front();
  const auto dry = [&] { return office.remove("/grants/" + grant + "?dry_run=true"); };
  CHECK_EQ(office.column(dry(), "grants", "grant"), Texts{grant});
  CHECK_EQ(office.column(dry(), "grants", "client_id"), Texts{client});
  CHECK(oauth.is_active(own.at("access_token")));
  CHECK(office.column(office.get("/grants?client=" + client), "grants", "grant").empty());  // as documented: not there
  CHECK_EQ(office.remove("/grants/" + grant).status(), 204);
  CHECK_FALSE(oauth.is_active(own.at("access_token")));
  CHECK(office.column(dry(), "grants", "grant").empty());
}

}  // namespace
}  // namespace troupe::oauth::test
