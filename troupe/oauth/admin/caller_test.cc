// Who may administer: with which token, and what nobody gives who does not have it (T80).
#include "troupe/oauth/admin/caller.h"

#include <set>

#include "troupe/oauth/admin/testing/office.h"

namespace troupe::oauth::test {
namespace {

using web::Method;

/// The path below /admin/v1, with something for what is in braces.
std::string target_of(const admin::Call& call) {
  std::string path{call.path.substr(std::string_view{"/admin/v1"}.size())};
  for (auto open = path.find('{'); open != std::string::npos; open = path.find('{'))
    path.replace(open, path.find('}') - open + 1, "AAAAAAAAAAAAAAAAAAAAAA");
  return path;
}

std::set<std::string> all_scopes() {
  std::set<std::string> scopes{"admin", "introspect"};
  for (const admin::Call& call : admin::calls()) scopes.emplace(call.scope);
  return scopes;
}

bool suffices(const std::string& scope, std::string_view needed) {
  return scope == "admin" || scope == needed || scope + ":read" == needed;
}

TEST_CASE("T80 each call is for tokens with its scope, and for no other") {
  OauthWorld oauth{quick(1)};
  Office office{oauth};
  for (const admin::Call& call : admin::calls()) {
    for (const std::string& scope : all_scopes()) {
      CAPTURE(call.path);
      CAPTURE(scope);
      auto reply = office.ask_with(office.token(scope), call.method, target_of(call));
      if (suffices(scope, call.scope)) {
        CHECK_NE(reply.status(), 401);
        CHECK_NE(reply.status(), 403);
      } else {
        CHECK_EQ(reply.status(), 403);
        CHECK_EQ(reply.at("code"), "insufficient_scope");
        CHECK(reply.header("www-authenticate").contains("scope=\"" + std::string{call.scope} + "\""));
      }
      CHECK_EQ(reply.header("cache-control"), "no-store");
    }
  }
}

TEST_CASE("T80 without a token of ours that is for us nobody administers") {
  OauthWorldOptions options = quick(2);
  options.oauth.resources = {"https://api.example"};
  OauthWorld oauth{options};
  Office office{oauth};
  const std::string for_others =
      oauth
          .post_as(office.desk, "/oauth/token",
                   {{"grant_type", "client_credentials"}, {"scope", "admin"}, {"resource", "https://api.example"}})
          .at("access_token");
  const std::string revoked = office.token("admin.users");
  CHECK_EQ(office.ask_with(revoked, Method::get, "/users").status(), 200);
  oauth.post_as(office.desk, "/oauth/revoke", {{"token", revoked}});
  for (const admin::Call& call : admin::calls()) {
    CAPTURE(call.path);
    web::Request bare{.method = call.method, .path = "/admin/v1" + target_of(call)};
    const auto without = oauth.send(bare);
    CHECK_EQ(without.status(), 401);
    CHECK(without.header("www-authenticate").starts_with("Bearer realm="));
    CHECK_FALSE(without.header("www-authenticate").contains("error="));
    for (const std::string& token : {std::string{"guess"}, for_others, revoked}) {
      auto reply = office.ask_with(token, call.method, target_of(call));
      CHECK_EQ(reply.status(), 401);
      CHECK(reply.header("www-authenticate").contains("error=\"invalid_token\""));
    }
  }
  web::Request other_scheme = oauth.token_request(office.desk, {}, "/admin/v1/users");
  CHECK_EQ(oauth.send(other_scheme).status(), 401);
}

TEST_CASE("a call refuses what it does not read: a parameter that it has not, and a body where it takes none") {
  OauthWorld oauth{quick(5)};
  Office office{oauth};
  for (const admin::Call& call : admin::calls()) {
    CAPTURE(call.path);
    const auto mistyped = office.ask(call.method, target_of(call) + "?dry_runs=true");
    CHECK_EQ(mistyped.status(), 400);
    CHECK(mistyped.at("detail").contains("There is no parameter `dry_runs` here"));
    if (call.takes == admin::Takes::body) continue;
    for (const char* body : {R"({"dry_run":true})", "garbage{"})
      CHECK_EQ(office.ask(call.method, target_of(call), body).status(), 400);
  }
}

TEST_CASE("what would be a dry run elsewhere does nothing where there is none") {
  OauthWorld oauth{quick(6)};
  Office office{oauth};
  const ClientApp client = office.add("read");
  const std::string target = "/clients/" + client.id.value();
  const web::Headers any{{"If-Match", "*"}};
  CHECK_EQ(office.ask(Method::patch, target + "?dry_run=true", R"({"enabled":false})", any).status(), 400);
  CHECK_EQ(office.ask(Method::delete_, target, R"({"dry_run":true})").status(), 400);
  const auto client_now = office.get(target);
  CHECK_EQ(client_now.status(), 200);
  CHECK(*client_now.json.find("enabled")->boolean());

  const auto keys = office.column(office.get("/keys"), "keys", "kid");
  CHECK_EQ(office.post("/keys/rotate", R"({"revoke":")" + keys.front() + R"("})").status(), 400);
  CHECK_EQ(office.column(office.get("/keys"), "keys", "kid"), keys);
}

TEST_CASE("T80 a token in a person's name opens nothing") {
  OauthWorld oauth{quick(3)};
  Office office{oauth};
  const ClientMetadata console{.name = "Console",
                               .redirect_uris = {"https://console.example/cb"},
                               .scope = ScopeSet::parse("openid admin").value(),
                               .id_token_alg = crypto::Algorithm::es256};
  auto made = oauth.world().block_on(oauth.actors().clients.ask(RegisterClient{console})).value();
  const ClientApp app{made.client->id, made.secret->expose(), "https://console.example/cb"};
  const auto token = oauth.redeem(app, oauth.authorize(alice, app, "scope=admin")).at("access_token");
  REQUIRE_FALSE(token.empty());
  const auto refused = office.ask_with(token, Method::get, "/users");
  CHECK_EQ(refused.status(), 403);
  CHECK(refused.header("www-authenticate").contains("insufficient_scope"));
  CHECK_FALSE(refused.header("www-authenticate").contains("scope=\"admin"));  // more of it would not help
  oauth.advance(std::chrono::milliseconds{10});                               // nobody waits for the trail
  const auto events = office.get("/events?kind=administration_refused");
  CHECK_EQ(office.column(events, "events", "reason"), std::vector<std::string>{"in_a_persons_name"});
}

TEST_CASE("T80 who was refused is in the audit trail, with what they lacked") {
  OauthWorld oauth{quick(4)};
  Office office{oauth};
  office.ask_with(office.token("admin.users:read"), Method::post, "/keys/rotate");
  const auto events = office.get("/events?kind=administration_refused");
  CHECK_EQ(office.column(events, "events", "client"), std::vector{office.desk.id.value()});
  CHECK_EQ(office.column(events, "events", "reason"), std::vector<std::string>{"lacks admin.keys"});
}

TEST_CASE("T80 who knocks without a good token is in the audit trail, some of many with how many they were") {
  OauthWorld oauth{quick(6)};
  Office office{oauth};
  const auto knock = [&](const std::string& token) { return office.ask_with(token, Method::get, "/users").status(); };
  CHECK_EQ(knock("guess"), 401);
  CHECK_EQ(oauth.send({.path = "/admin/v1/keys", .request_id = "r-77"}).status(), 401);
  oauth.advance(std::chrono::milliseconds{10});  // nobody waits for the trail
  auto events = office.get("/events?kind=administration_refused");
  CHECK_EQ(office.column(events, "events", "reason"), std::vector<std::string>{"no_token", "invalid_token"});
  CHECK_EQ(office.column(events, "events", "request").front(), "r-77");
  for (int i = 0; i < 100; ++i) knock("guess");
  oauth.advance(std::chrono::seconds{2});
  CHECK_EQ(knock("guess"), 401);
  oauth.advance(std::chrono::milliseconds{10});
  events = office.get("/events?kind=administration_refused");
  const auto reasons = office.column(events, "events", "reason");
  CHECK(reasons.size() < 102);
  CHECK(reasons.front().contains("refusals that were only counted"));
}

TEST_CASE("T80 nobody gives a client more than they have, themselves included") {
  OauthWorld oauth{quick(5)};
  Office office{oauth};
  const std::string modest = office.token("admin.clients");
  const web::Headers any{{"If-Match", "*"}};
  const std::string own = "/clients/" + office.desk.id.value();
  struct Row {
    Method method;
    std::string target;
    std::string body;
  };
  const Row refused[] = {
      {Method::post, "/clients", R"({"client_name":"x","grant_types":["client_credentials"],"scope":"admin"})"},
      {Method::post, "/clients", R"({"client_name":"x","grant_types":["client_credentials"],"scope":"admin.keys"})"},
      {Method::post, "/clients", R"({"client_name":"x","grant_types":["client_credentials"],"scope":"introspect"})"},
      {Method::post, "/clients", R"({"client_name":"x","grant_types":["client_credentials"],"scope":"live:admin"})"},
      {Method::post, "/clients",
       R"({"client_name":"x","grant_types":["client_credentials"],"scope":"topic:system.oauth.>:subscribe"})"},
      {Method::patch, own, R"({"client_name":"mine"})"},
      {Method::patch, own, R"({"scope":"read"})"},
      {Method::patch, "/clients/" + oauth.web_shop.id.value(), R"({"scope":"read admin"})"},
      {Method::post, own + "/secrets", ""},
      {Method::delete_, own, ""},
  };
  for (const Row& row : refused) {
    CAPTURE(row.target);
    CAPTURE(row.body);
    auto reply = office.ask_with(modest, row.method, row.target, row.body, any);
    CHECK_EQ(reply.status(), 403);
    CHECK_EQ(reply.at("code"), "insufficient_scope");
  }
  CHECK_EQ(office.causes("administration_refused").size(), std::size(refused));
  CHECK_EQ(office
               .ask_with(modest, Method::post, "/clients",
                         R"({"client_name":"x","grant_types":["client_credentials"],"scope":"read admin.clients"})")
               .status(),
           201);
  CHECK_EQ(office.ask(Method::patch, own, R"({"client_name":"mine"})", any).status(), 200);
}

TEST_CASE("T80 who does not hold introspect makes no client the server of a resource, and touches none that is one") {
  OauthWorld oauth{quick(7)};
  Office office{oauth};
  const std::string modest = office.token("admin.clients"), trusted = office.token("admin.clients introspect");
  const web::Headers any{{"If-Match", "*"}};
  const char* server =
      R"({"client_name":"x","grant_types":["client_credentials"],"resources":["https://api.example"]})";
  CHECK_EQ(office.ask_with(modest, Method::post, "/clients", server).status(), 403);
  const auto made = office.ask_with(trusted, Method::post, "/clients", server);
  REQUIRE_EQ(made.status(), 201);
  const std::string path = "/clients/" + made.at("client_id");
  const auto patch = [&](const std::string& token, const std::string& target, const char* body) {
    return office.ask_with(token, Method::patch, target, body, any);
  };
  for (const char* body :
       {R"({"resources":null})", R"({"resources":["https://all.example"]})", R"({"client_name":"y"})"})
    CHECK_EQ(patch(modest, path, body).status(), 403);
  CHECK_EQ(office.ask_with(modest, Method::post, path + "/secrets").status(), 403);
  CHECK_EQ(office.ask_with(modest, Method::delete_, path).status(), 403);
  const auto refused = patch(modest, "/clients/" + oauth.web_shop.id.value(), R"({"resources":["urn:all"]})");
  CHECK_EQ(refused.status(), 403);
  CHECK(refused.header("www-authenticate").contains("scope=\"introspect\""));
  CHECK_EQ(patch(trusted, path, R"({"resources":null})").status(), 200);
  CHECK_EQ(patch(modest, path, R"({"client_name":"y"})").status(), 200);
}

TEST_CASE("T57 no page of another origin may read what the administration says") {
  OauthWorld oauth{quick(6)};
  Office office{oauth};
  for (const Method method : {Method::get, Method::options}) {
    auto reply = office.ask(method, "/clients", "", {{"Origin", "https://shop.example"}});
    CHECK_EQ(reply.header("access-control-allow-origin"), "");
  }
}

}  // namespace
}  // namespace troupe::oauth::test
