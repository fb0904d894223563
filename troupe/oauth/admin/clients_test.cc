// Clients over the administration API: made, read, changed by who has seen them, given secrets, removed.
#include <fmt/format.h>

#include <algorithm>

#include "troupe/oauth/admin/testing/office.h"

namespace troupe::oauth::test {
namespace {

using web::Method;

constexpr std::string_view machine =
    R"({"client_name":"Machine","grant_types":["client_credentials"],"scope":"read write"})";

std::string path_of(const Reply& made) { return "/clients/" + made.at("client_id"); }
ClientApp app_of(const Reply& made) { return {ClientId{made.at("client_id")}, made.at("client_secret"), ""}; }
int token_status(OauthWorld& oauth, const ClientApp& app) {
  return oauth.post_as(app, "/oauth/token", {{"grant_type", "client_credentials"}}).status();
}

Reply patch(Office& office, const std::string& target, std::string body, const std::string& tag) {
  return office.ask(Method::patch, target, std::move(body),
                    {{"If-Match", tag}, {"Content-Type", "application/merge-patch+json"}});
}

TEST_CASE("a client that is made gets a secret that is shown once, and works") {
  OauthWorld oauth{quick(1)};
  Office office{oauth};
  auto made = office.post("/clients", std::string{machine});
  REQUIRE_EQ(made.status(), 201);
  CHECK_EQ(made.header("location"), "/admin/v1" + path_of(made));
  CHECK_EQ(made.at("client_name"), "Machine");
  CHECK_EQ(token_status(oauth, app_of(made)), 200);
  auto shown = office.get(path_of(made));
  CHECK_EQ(shown.header("etag"), made.header("etag"));
  CHECK_EQ(shown.at("scope"), "read write");
  for (const Reply& later : {shown, office.get("/clients"), office.get("/events")}) {
    CHECK_FALSE(later.body().contains("\"client_secret\":"));
    CHECK_FALSE(later.body().contains(made.at("client_secret")));
  }
  CHECK_EQ(office.causes("client_registered").front(), office.me());
  CHECK_EQ(office.get("/clients/c_nobody").status(), 404);
}

TEST_CASE("a public client has no secret") {
  OauthWorld oauth{quick(2)};
  Office office{oauth};
  auto made = office.post(
      "/clients",
      R"({"client_name":"App","redirect_uris":["https://app.example/"],"token_endpoint_auth_method":"none"})");
  REQUIRE_EQ(made.status(), 201);
  CHECK(made.json.find("client_secret") == nullptr);
  CHECK_EQ(office.post(path_of(made) + "/secrets").status(), 400);
}

TEST_CASE("a document that cannot be is refused, and says why") {
  OauthWorld oauth{quick(3)};
  Office office{oauth};
  struct Row {
    const char* body;
    int status;
    const char* says;
  };
  const Row rows[] = {
      {"{", 400, "malformed"},
      {"[]", 400, "object"},
      {R"({"client_name":"a","client_name":"b"})", 400, "A name comes twice"},
      {R"({"client_name":[[[[[[[[1]]]]]]]]})", 400, "too deep"},
      {R"({"client_name":"\u200b","grant_types":["client_credentials"]})", 400, "no character that people see"},
      {R"({"client_nmae":"a"})", 400, "`client_nmae`"},
      {R"({"client_id":"mine"})", 400, "`client_id`"},
      {R"({"client_secret":"mine"})", 400, "`client_secret`"},
      {R"({"client_name":7})", 400, "client_name"},
      {R"({"redirect_uris":"https://a.example/"})", 400, "redirect_uris"},
      {R"({"redirect_uris":[7]})", 400, "redirect_uris"},
      {R"({"grant_types":["password"]})", 400, "grant_types"},
      {R"({"scope":"two  spaces"})", 400, "scope"},
      {R"({"enabled":"yes"})", 400, "enabled"},
      {R"({"enabled":false})", 400, "enabled"},
      {R"({"token_endpoint_auth_method":"magic"})", 400, "token_endpoint_auth_method"},
      {R"({"require_pkce":1})", 400, "require_pkce"},
      {R"({"access_token_format":"paper"})", 400, "access_token_format"},
      {R"({"access_token_signed_response_alg":"none"})", 400, "access_token_signed_response_alg"},
      {R"({"id_token_signed_response_alg":"HS256"})", 400, "id_token_signed_response_alg"},
      {R"({"access_token_lifetime":3601})", 400, "access_token_lifetime"},
      {R"({"access_token_lifetime":0})", 400, "access_token_lifetime"},
      {R"({"client_name":"a","redirect_uris":["http://evil.example/#x"]})", 400, "redirect URI"},
      {R"({"client_name":"","grant_types":["client_credentials"]})", 400, "name"},
      {R"({"resources":"https://api.example"})", 400, "resources"},
      {R"({"client_name":"a","grant_types":["client_credentials"],"resources":["/api"]})", 400, "absolute URIs"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.body);
    auto reply = office.post("/clients", row.body);
    CHECK_EQ(reply.status(), row.status);
    CHECK_EQ(reply.header("content-type"), "application/problem+json");
    CHECK(reply.at("detail").contains(row.says));
  }
  CHECK_EQ(office.ask(Method::post, "/clients", std::string{machine}, {{"Content-Type", "text/plain"}}).status(), 415);
  CHECK_EQ(office.column(office.get("/clients"), "clients", "client_id").size(),
           7);  // those of the world, and the desk
}

TEST_CASE("a change is of the version that was seen, and of no other") {
  OauthWorld oauth{quick(4)};
  Office office{oauth};
  auto made = office.post("/clients", std::string{machine});
  const auto path = path_of(made);
  CHECK_EQ(office.ask(Method::patch, path, R"({"client_name":"New"})").status(), 428);
  CHECK_EQ(patch(office, path, R"({"client_name":"New"})", "\"0\"").status(), 412);
  CHECK_EQ(patch(office, path, R"({"client_name":"New"})", "W/" + made.header("etag")).status(), 412);
  auto changed = patch(office, path, R"({"client_name":"New"})", made.header("etag"));
  CHECK_EQ(changed.status(), 200);
  CHECK_EQ(changed.at("client_name"), "New");
  CHECK_EQ(changed.at("scope"), "read write");  // what was not named
  CHECK_NE(changed.header("etag"), made.header("etag"));
  CHECK_EQ(patch(office, path, R"({"client_name":"Newer"})", made.header("etag")).status(), 412);
  CHECK_EQ(patch(office, path, R"({"client_name":"Newer"})", "*").status(), 200);
  CHECK_EQ(patch(office, "/clients/c_nobody", "{}", "*").status(), 404);
  CHECK_EQ(office.causes("client_updated").size(), 2);
}

TEST_CASE("a patch that changes nothing is no change, and who has the client already is told so") {
  OauthWorld oauth{quick(4)};
  Office office{oauth};
  const auto made = office.post("/clients", std::string{machine});
  const auto path = path_of(made);
  for (const auto* same : {"{}", R"({"scope":"read write"})"}) {
    const auto changed = patch(office, path, same, made.header("etag"));
    CHECK_EQ(changed.status(), 200);
    CHECK_EQ(changed.header("etag"), made.header("etag"));
  }
  CHECK(office.causes("client_updated").empty());
  const auto known = office.ask(Method::get, path, "", {{"If-None-Match", made.header("etag")}});
  CHECK_EQ(known.status(), 304);
  CHECK_EQ(known.header("etag"), made.header("etag"));
  CHECK(known.body().empty());
  CHECK_EQ(office.ask(Method::get, path, "", {{"If-None-Match", "\"0\""}}).status(), 200);
}

TEST_CASE("the trail says what was changed of a client, and that one may do without PKCE from its beginning") {
  OauthWorld oauth{quick(8)};
  Office office{oauth};
  const auto reasons = [&](const std::string& kind) {
    return office.column(office.get("/events?kind=" + kind), "events", "reason");
  };
  auto made = office.post("/clients", std::string{machine});
  CHECK_EQ(reasons("client_registered").front(), "");
  for (const char* change : {R"({"scope":"read","client_name":"New"})", R"({"require_pkce":false,"scope":"read"})",
                             R"({"enabled":false,"access_token_lifetime":60})", R"({"enabled":true})", "{}"})
    REQUIRE_EQ(patch(office, path_of(made), change, "*").status(), 200);
  CHECK_EQ(reasons("client_updated"), std::vector<std::string>{"enabled", "disabled, access_token_lifetime",
                                                               "pkce_optional", "client_name, scope"});
  REQUIRE_EQ(office
                 .post("/clients", R"({"client_name":"Old","redirect_uris":["https://old.example/cb"],)"
                                   R"("grant_types":["authorization_code"],"require_pkce":false})")
                 .status(),
             201);
  CHECK_EQ(reasons("client_registered").front(), "pkce_optional");
}

TEST_CASE("a client is made the server of resources, and no longer, and the trail has it") {
  OauthWorldOptions options = quick(10);
  options.oauth.resources = {"https://api.example"};
  OauthWorld oauth{options};
  Office office{oauth};
  const auto made = office.post("/clients", std::string{machine});
  const auto token = oauth
                         .post_as(oauth.web_shop, "/oauth/token",
                                  {{"grant_type", "client_credentials"}, {"resource", "https://api.example"}})
                         .at("access_token");
  const auto sees = [&] {
    return oauth.post_as(app_of(made), "/oauth/introspect", {{"token", token}}).body().contains("\"active\":true");
  };
  CHECK_FALSE(sees());
  const auto given = patch(office, path_of(made), R"({"resources":["https://api.example"]})", made.header("etag"));
  CHECK(given.body().contains(R"("resources":["https://api.example"])"));
  CHECK_EQ(office.get(path_of(made)).body(), given.body());
  CHECK(sees());
  CHECK_EQ(patch(office, path_of(made), R"({"resources":null})", "*").status(), 200);
  CHECK_FALSE(sees());
  CHECK_EQ(office.column(office.get("/events?kind=client_updated"), "events", "reason"),
           std::vector<std::string>{"resources", "resources"});
}

TEST_CASE("of many changes at once of the same version one is made") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    OauthWorld oauth{quick(seed)};
    Office office{oauth};
    auto made = office.post("/clients", std::string{machine});
    std::vector<web::Request> requests;
    for (int i = 0; i < 10; ++i) {
      requests.push_back(office.request(Method::patch, path_of(made),
                                        R"({"client_name":"x)" + std::to_string(i) + "\"}",
                                        {{"If-Match", made.header("etag")}}));
    }
    auto replies = oauth.send_all(std::move(requests));
    CHECK_EQ(std::ranges::count(replies, 200, &Reply::status), 1);
    CHECK_EQ(std::ranges::count(replies, 412, &Reply::status), 9);
    CHECK_EQ(office.causes("client_updated").size(), 1);
  }
}

TEST_CASE("null gives a member its default again") {
  OauthWorld oauth{quick(5)};
  Office office{oauth};
  auto made = office.post("/clients", R"({"client_name":"M","grant_types":["client_credentials"],"scope":"read",
      "access_token_format":"opaque","access_token_lifetime":60,"token_endpoint_auth_method":"client_secret_post"})");
  REQUIRE_EQ(made.status(), 201);
  CHECK_EQ(made.at("access_token_format"), "opaque");
  auto changed = patch(
      office, path_of(made),
      R"({"scope":null,"access_token_format":null,"access_token_lifetime":null,"token_endpoint_auth_method":null})",
      made.header("etag"));
  REQUIRE_EQ(changed.status(), 200);
  CHECK_EQ(changed.at("scope"), "");
  CHECK_EQ(changed.at("access_token_format"), "jwt");
  CHECK_EQ(changed.at("token_endpoint_auth_method"), "client_secret");
  CHECK(changed.json.find("access_token_lifetime") == nullptr);
  CHECK_EQ(patch(office, path_of(made), R"({"client_name":null})", "*").status(), 400);  // it needs one
  CHECK_EQ(patch(office, path_of(made), R"({"token_endpoint_auth_method":"none"})", "*").status(), 400);
}

TEST_CASE("a client that is disabled or removed loses its tokens, and removing it twice is as once") {
  OauthWorld oauth{quick(6)};
  Office office{oauth};
  auto made = office.post("/clients", std::string{machine});
  const auto token =
      oauth.post_as(app_of(made), "/oauth/token", {{"grant_type", "client_credentials"}}).at("access_token");
  CHECK(oauth.is_active(token));
  CHECK_EQ(patch(office, path_of(made), R"({"enabled":false})", "*").status(), 200);
  CHECK_FALSE(oauth.is_active(token));
  CHECK_EQ(token_status(oauth, app_of(made)), 401);
  auto enabled = patch(office, path_of(made), R"({"enabled":true})", "*");
  CHECK_EQ(token_status(oauth, app_of(made)), 200);
  CHECK_FALSE(oauth.is_active(token));
  CHECK_EQ(office.ask(Method::delete_, path_of(made), "", {{"If-Match", made.header("etag")}}).status(), 412);
  CHECK_EQ(office.ask(Method::delete_, path_of(made), "", {{"If-Match", enabled.header("etag")}}).status(), 204);
  CHECK_EQ(office.remove(path_of(made)).status(), 204);
  CHECK_EQ(office.ask(Method::delete_, path_of(made), "", {{"If-Match", "*"}}).status(), 412);
  CHECK_EQ(office.get(path_of(made)).status(), 404);
  CHECK_EQ(token_status(oauth, app_of(made)), 401);
  CHECK_EQ(office.causes("client_deleted").size(), 1);
}

TEST_CASE("a new secret takes the place of the one before after the time that was said") {
  OauthWorld oauth{quick(7)};
  Office office{oauth};
  auto made = office.post("/clients", std::string{machine});
  const ClientApp first = app_of(made);
  auto renewed = office.post(path_of(made) + "/secrets", R"({"overlap":60})");
  REQUIRE_EQ(renewed.status(), 201);
  const ClientApp second = app_of(renewed);
  CHECK_EQ(token_status(oauth, first), 200);
  CHECK_EQ(token_status(oauth, second), 200);
  oauth.advance(std::chrono::seconds{61});
  CHECK_EQ(token_status(oauth, first), 401);
  CHECK_EQ(token_status(oauth, second), 200);
  const ClientApp third = app_of(office.post(path_of(made) + "/secrets"));
  CHECK_EQ(token_status(oauth, second), 200);  // a day, where nothing is said
  const ClientApp fourth = app_of(office.post(path_of(made) + "/secrets", R"({"overlap":0})"));
  CHECK_EQ(token_status(oauth, second), 401);
  CHECK_EQ(token_status(oauth, third), 401);
  CHECK_EQ(token_status(oauth, fourth), 200);
  CHECK_EQ(office.post(path_of(made) + "/secrets", R"({"overlap":-1})").status(), 400);
  CHECK_EQ(office.post(path_of(made) + "/secrets", R"({"overlapp":1})").status(), 400);
  CHECK_EQ(office.post("/clients/c_nobody/secrets").status(), 404);
  CHECK_EQ(office.causes("client_secret_renewed").size(), 3);
}

TEST_CASE("a list comes page by page, each client once, and a parameter that is not known is refused") {
  OauthWorld oauth{quick(8)};
  Office office{oauth};
  for (int i = 0; i < 20; ++i) REQUIRE_EQ(office.post("/clients", std::string{machine}).status(), 201);
  const auto all = office.column(office.get("/clients?limit=1000"), "clients", "client_id");
  CHECK_EQ(all.size(), 27);
  std::vector<std::string> seen;
  std::string after;
  do {
    auto page = office.get("/clients?limit=5" + after);
    for (auto& id : office.column(page, "clients", "client_id")) seen.push_back(std::move(id));
    after = page.at("next").empty() ? "" : "&after=" + page.at("next");
  } while (!after.empty());
  CHECK_EQ(seen, all);
  for (const char* query :
       {"limit=0", "limit=1001", "limit=x", "limit=5&limit=5", "limit=", "after=%21", "page=2", "after=5&limt=1"}) {
    CAPTURE(query);
    CHECK_EQ(office.get(std::string{"/clients?"} + query).status(), 400);
  }
}

TEST_CASE("a list of large clients comes in smaller pages, each client once and none left out") {
  OauthWorld oauth{quick(10)};
  Office office{oauth};
  ClientMetadata large{.name = "Large", .scope = ScopeSet::parse("read").value()};
  for (std::size_t i = 0; i < client_uris_max; ++i)
    large.redirect_uris.push_back(fmt::format("https://{}.example/{}", i, std::string(1000, 'x')));
  for (int i = 0; i < 25; ++i) oauth.add(large);
  std::vector<std::string> seen;
  std::vector<std::size_t> sizes;
  std::string after;
  do {
    auto page = office.get("/clients?limit=1000" + after);
    REQUIRE_EQ(page.status(), 200);
    CHECK_LT(page.body().size(), 1024 * 1024 + 200 * 1024);
    const auto ids = office.column(page, "clients", "client_id");
    sizes.push_back(ids.size());
    seen.insert(seen.end(), ids.begin(), ids.end());
    after = page.at("next").empty() ? "" : "&after=" + page.at("next");
  } while (!after.empty());
  CHECK_EQ(seen.size(), 32);
  CHECK(std::ranges::is_sorted(seen));
  CHECK_EQ(std::ranges::adjacent_find(seen), seen.end());
  CHECK_GT(sizes.size(), 2);
  CHECK_EQ(std::ranges::count(sizes, 0), 0);
}

TEST_CASE("a store that is away is told as such") {
  OauthWorld oauth{quick(9)};
  Office office{oauth};
  (void)office.token("admin");
  oauth.break_store();
  auto reply = office.get("/clients");
  CHECK_EQ(reply.status(), 503);
  CHECK_NE(reply.header("retry-after"), "");
  oauth.repair_store();
  CHECK_EQ(office.get("/clients").status(), 200);
}

TEST_CASE("a client whose row is damaged stands beside the others of the list, and is told where it is asked for") {
  OauthWorld oauth{quick(40)};
  Office office{oauth};
  const auto good = office.post("/clients", std::string{machine});
  const auto bad = office.post("/clients", std::string{machine});
  oauth.disk().transact(
      [&](store::Transaction& t) { t.run("UPDATE clients SET scope = '\"' WHERE id = ?1", {bad.at("client_id")}); });
  oauth.advance(std::chrono::seconds{1});
  const auto all = office.get("/clients");
  REQUIRE_EQ(all.status(), 200);
  const auto listed = office.column(all, "clients", "client_id");
  CHECK_EQ(std::ranges::count(listed, good.at("client_id")), 1);
  CHECK_EQ(std::ranges::count(listed, bad.at("client_id")), 0);
  CHECK_EQ(office.column(all, "damaged", "client_id"), std::vector{bad.at("client_id")});
  for (const auto& refused : {office.get(path_of(bad)), office.remove(path_of(bad))}) {
    CHECK_EQ(refused.status(), 500);
    CHECK(refused.at("detail").contains("damaged"));
  }
  CHECK(office.get(path_of(good)).json.find("damaged") == nullptr);
  CHECK_EQ(token_status(oauth, app_of(bad)), 500);
  CHECK_EQ(token_status(oauth, app_of(good)), 200);
}

}  // namespace
}  // namespace troupe::oauth::test
