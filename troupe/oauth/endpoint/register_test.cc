// Registration by the application itself: who may, what it is told, and how it manages itself (RFC 7591, RFC 7592).
#include <doctest/doctest.h>
#include <fmt/format.h>

#include "troupe/oauth/sim/oauth_world.h"

namespace troupe::oauth::test {
namespace {

using web::Method;

constexpr std::string_view metadata =
    R"({"redirect_uris":["https://new.example/cb"],"client_name":"New","grant_types":["authorization_code"],
        "require_pkce":false})";

Reply ask(OauthWorld& oauth, Method method, std::string path, std::string body, const std::string& bearer = "",
          std::string type = "application/json") {
  web::Request request{.method = method, .path = std::move(path)};
  if (!body.empty()) request.headers.add("Content-Type", std::move(type));
  if (!bearer.empty()) request.headers.add("Authorization", "Bearer " + bearer);
  request.body = std::move(body);
  return oauth.send(std::move(request));
}

Reply enrol(OauthWorld& oauth, std::string body = std::string{metadata}, const std::string& bearer = "") {
  return ask(oauth, Method::post, "/oauth/register", std::move(body), bearer);
}

std::string path_of(const Reply& registered) { return "/oauth/register/" + registered.at("client_id"); }

OauthWorldOptions open(actor::test::Seed seed) { return {.seed = seed, .oauth = {.registration = Registration::open}}; }

TEST_CASE("a client that registers itself gets all that it needs, and signs a user in") {
  OauthWorld oauth{open(1)};
  auto made = enrol(oauth);
  REQUIRE_EQ(made.status(), 201);
  CHECK_EQ(made.header("cache-control"), "no-store");
  CHECK_EQ(made.at("client_name"), "New");
  CHECK_EQ(made.at("token_endpoint_auth_method"), "client_secret_basic");
  CHECK_EQ(*made.json.find("client_secret_expires_at")->integer(), 0);
  CHECK(made.json.find("client_id_issued_at") != nullptr);
  CHECK_EQ(made.at("registration_client_uri"), oauth.options().issuer + path_of(made));
  const ClientApp app{ClientId{made.at("client_id")}, made.at("client_secret"), "https://new.example/cb"};
  CHECK_EQ(oauth.redeem(app, oauth.authorize(alice, app, "scope=openid")).status(), 200);
}

TEST_CASE("a client is told all that it has registered, also what it would have had without saying so") {
  OauthWorld oauth{open(24)};
  for (const char* more : {"", R"(,"subject_type":"public","backchannel_logout_session_required":false)"}) {
    auto made = enrol(oauth, fmt::format(R"({{"redirect_uris":["https://new.example/cb"]{}}})", more));
    auto seen = ask(oauth, Method::get, path_of(made), "", made.at("registration_access_token"));
    for (const Reply& told : {std::move(made), std::move(seen)}) {
      CHECK_EQ(told.at("subject_type"), "public");
      REQUIRE(told.json.find("backchannel_logout_session_required") != nullptr);
      CHECK_FALSE(*told.json.find("backchannel_logout_session_required")->boolean());
    }
  }
}

TEST_CASE("who may register is the operator's to say (T62)") {
  OauthWorld by_token{{.seed = 2}};
  const auto token = [&](const ClientApp& client, std::string scope) {
    return by_token.post_as(client, "/oauth/token", {{"grant_type", "client_credentials"}, {"scope", std::move(scope)}})
        .at("access_token");
  };
  CHECK_EQ(enrol(by_token).status(), 401);
  CHECK_EQ(enrol(by_token, std::string{metadata}, "guess").error(), "invalid_token");
  CHECK_EQ(enrol(by_token, std::string{metadata}, token(by_token.web_shop, "read")).error(), "insufficient_scope");
  CHECK_EQ(enrol(by_token, std::string{metadata}, token(by_token.api, "register")).status(), 201);
  CHECK(by_token.send({.path = "/.well-known/openid-configuration"}).body().contains("registration_endpoint"));

  OauthWorld closed{{.seed = 3, .oauth = {.registration = Registration::closed}}};
  CHECK_EQ(enrol(closed).status(), 403);
  CHECK_FALSE(closed.send({.path = "/.well-known/openid-configuration"}).body().contains("registration_endpoint"));
}

TEST_CASE("a body that is no metadata is refused, and says why") {
  OauthWorld oauth{open(4)};
  const auto deep = R"({"jwks":)" + std::string(9, '[') + std::string(9, ']') + "}";
  for (const auto& [body, says] : {std::pair{std::string{"{"}, "is malformed"},
                                   {R"({"client_name":"a","client_name":"b"})", "A name comes twice"},
                                   {deep, "too deep"},
                                   {R"({"client_name":1e999})", "A number"},
                                   {"[]", "must be a JSON object"},
                                   {"\"text\"", "must be a JSON object"},
                                   {"null", "must be a JSON object"}}) {
    CAPTURE(body);
    const auto refused = enrol(oauth, body);
    CHECK_EQ(refused.error(), "invalid_client_metadata");
    CHECK(refused.at("error_description").contains(says));
  }
  CHECK_EQ(enrol(oauth, R"({"redirect_uris":["https://new.example/#x"]})").error(), "invalid_redirect_uri");
  CHECK_EQ(ask(oauth, Method::post, "/oauth/register", std::string{metadata}, "", "text/plain").error(),
           "invalid_request");
}

TEST_CASE("as many clients as may register themselves do so, and no more") {
  OauthWorld oauth{{.seed = 5, .oauth = {.registration = Registration::open, .registrations_max = 2}}};
  CHECK_EQ(enrol(oauth).status(), 201);
  auto second = enrol(oauth);
  CHECK_EQ(second.status(), 201);
  CHECK_EQ(enrol(oauth).status(), 429);
  CHECK_EQ(ask(oauth, Method::delete_, path_of(second), "", second.at("registration_access_token")).status(), 204);
  CHECK_EQ(enrol(oauth).status(), 201);
}

TEST_CASE("a client reads its registration by its token, and no other's (T62)") {
  OauthWorld oauth{open(6)};
  auto mine = enrol(oauth), other = enrol(oauth);
  auto seen = ask(oauth, Method::get, path_of(mine), "", mine.at("registration_access_token"));
  CHECK_EQ(seen.status(), 200);
  CHECK_EQ(seen.at("client_id"), mine.at("client_id"));
  CHECK_EQ(seen.at("registration_access_token"), mine.at("registration_access_token"));
  CHECK_EQ(seen.at("client_secret"), "");  // only its hash is kept
  for (const auto& [path, token] :
       {std::pair{path_of(mine), other.at("registration_access_token")},
        {path_of(mine), std::string{"guess"}},
        {path_of(mine), std::string{}},
        {"/oauth/register/c_nobody", mine.at("registration_access_token")},
        {"/oauth/register/" + oauth.web_shop.id.value(), mine.at("registration_access_token")}}) {
    for (const auto method : {Method::get, Method::delete_})
      CHECK_EQ(ask(oauth, method, path, "", token).status(), 401);
  }
}

TEST_CASE("a client changes its registration, and its token with it") {
  OauthWorld oauth{open(7)};
  auto mine = enrol(oauth);
  const auto id = R"("client_id":")" + mine.at("client_id") + R"(",)";
  const auto change = [&](std::string members, const std::string& token) {
    return ask(oauth, Method::put, path_of(mine), "{" + members + "}", token);
  };
  const auto first = mine.at("registration_access_token");
  constexpr auto uris = R"("redirect_uris":["https://new.example/other"])";
  for (const auto& [members, error] :
       {std::pair{std::string{uris}, "invalid_client_metadata"},
        {R"("client_id":"c_other",)" + std::string{uris}, "invalid_client_metadata"},
        {id + R"("client_secret":"mine",)" + uris, "invalid_client_metadata"},
        {id + R"("registration_access_token":"mine",)" + uris, "invalid_client_metadata"},
        {id + R"("client_id_issued_at":1,)" + uris, "invalid_client_metadata"},
        {id + R"("token_endpoint_auth_method":"none",)" + uris, "invalid_client_metadata"},
        {id + R"("redirect_uris":["https://x/#y"])", "invalid_redirect_uri"}}) {
    CAPTURE(members);
    auto refused = change(members, first);
    CHECK_EQ(refused.status(), 400);
    CHECK_EQ(refused.error(), error);
  }
  auto changed = change(id + uris, first);
  REQUIRE_EQ(changed.status(), 200);
  CHECK(changed.body().contains("https://new.example/other"));
  const auto second = changed.at("registration_access_token");
  CHECK_NE(second, first);
  CHECK_EQ(change(id + uris, first).status(), 401);
  // It may repeat its own secret (RFC 7592, section 2.2); another one was refused above.
  CHECK_EQ(change(id + R"("client_secret":")" + mine.at("client_secret") + R"(",)" + uris, second).status(), 200);

  const ClientApp app{ClientId{mine.at("client_id")}, mine.at("client_secret"), "https://new.example/other"};
  CHECK_EQ(oauth.redeem(app, oauth.authorize(alice, app, "scope=openid")).status(), 200);  // its secret stays
}

TEST_CASE("who shows a wrong token is told so, and not what is wrong with the change (T62)") {
  OauthWorld oauth{open(23)};
  auto mine = enrol(oauth);
  const std::string good = R"({"client_id":")" + mine.at("client_id") + R"(","redirect_uris":["https://a.example/"]})";
  for (const std::string& body : {good, std::string{"{"}, std::string{"{}"}}) {
    for (const char* type : {"application/json", "text/plain"}) {
      CAPTURE(body);
      CAPTURE(type);
      auto refused = ask(oauth, Method::put, path_of(mine), body, "guess", type);
      CHECK_EQ(refused.status(), 401);
      CHECK_EQ(refused.error(), "invalid_token");
      CHECK(refused.header("www-authenticate").starts_with("Bearer "));
    }
  }
  for (const auto& [body, says] :
       {std::pair{"{", "is malformed"}, {"[]", "must be a JSON object"}, {"{}", "client_id"}}) {
    const auto refused = ask(oauth, Method::put, path_of(mine), body, mine.at("registration_access_token"));
    CHECK_EQ(refused.status(), 400);
    CHECK(refused.at("error_description").contains(says));
  }
}

TEST_CASE("what the operator alone says stays when a client changes itself, and a disabled one changes nothing") {
  OauthWorld oauth{open(17)};
  // It cannot make itself the server of a resource, and with that know other clients' tokens (T52).
  constexpr auto members = R"("redirect_uris":["https://new.example/cb"],"resources":["https://other.example"])";
  auto mine = enrol(oauth, fmt::format("{{{}}}", members));
  const ClientId id{mine.at("client_id")};
  const auto put = [&](const std::string& token) {
    return ask(oauth, Method::put, path_of(mine), fmt::format(R"({{"client_id":"{}",{}}})", id.value(), members),
               token);
  };
  const auto& clients = oauth.actors().clients;
  const auto present = [&] { return *oauth.world().block_on(clients.ask(GetClient{id})).value(); };
  const auto update = [&](ClientMetadata changed, ClientState state) {
    UpdateClient message{.id = id, .metadata = std::move(changed), .state = state};
    CHECK(oauth.world().block_on(clients.ask(std::move(message))).has_value());
  };
  CHECK(present().metadata.resources.empty());
  ClientMetadata metadata_now = present().metadata;
  metadata_now.resources = {"https://api.example"};
  metadata_now.access_token_format = AccessTokenFormat::opaque;
  metadata_now.access_token_ttl = std::chrono::seconds{60};
  update(metadata_now, ClientState::enabled);
  auto changed = put(mine.at("registration_access_token"));
  REQUIRE_EQ(changed.status(), 200);
  CHECK_EQ(present().metadata.resources, std::vector<std::string>{"https://api.example"});
  CHECK_EQ(present().metadata.access_token_format, AccessTokenFormat::opaque);
  CHECK_EQ(present().metadata.access_token_ttl, std::chrono::seconds{60});
  update(present().metadata, ClientState::disabled);
  CHECK_EQ(put(changed.at("registration_access_token")).status(), 401);
}

/// A client that has registered itself, and the operator above it.
class Enrolled {
 public:
  Enrolled(OauthWorld& oauth, const std::string& members)
      : oauth_(oauth),
        made_(enrol(oauth, "{" + redirect + members + "}")),
        token_(made_.at("registration_access_token")) {
    REQUIRE_EQ(made_.status(), 201);
  }

  /// What it is told when it asks for these members besides its redirect URI.
  Reply put(const std::string& members) {
    auto reply = ask(oauth_, Method::put, path_of(made_),
                     fmt::format(R"({{"client_id":"{}",{}{}}})", made_.at("client_id"), redirect, members), token_);
    if (reply.status() == 200) token_ = reply.at("registration_access_token");
    return reply;
  }
  Client present() { return *oauth_.world().block_on(clients().ask(GetClient{id()})).value(); }
  void operate(void (*change)(ClientMetadata&)) {
    ClientMetadata changed = present().metadata;
    change(changed);
    CHECK(oauth_.world().block_on(clients().ask(UpdateClient{.id = id(), .metadata = changed})).has_value());
  }

 private:
  static inline const std::string redirect = R"("redirect_uris":["https://new.example/cb"])";
  ClientId id() const { return ClientId{made_.at("client_id")}; }
  const actor::Ref<ClientActor>& clients() const { return oauth_.actors().clients; }

  OauthWorld& oauth_;
  Reply made_;
  std::string token_;
};

std::string grants_of(const Reply& reply) { return wire::write_json(*reply.json.find("grant_types")); }

TEST_CASE("what the operator has taken from a client it does not take back by itself") {
  OauthWorld oauth{open(18)};
  constexpr auto most =
      R"(,"scope":"openid email","grant_types":["authorization_code","refresh_token"],"require_pkce":false)";
  Enrolled client{oauth, most};
  client.operate([](ClientMetadata& m) {
    m.scope = ScopeSet::parse("openid profile").value();
    m.grant_types = {GrantType::authorization_code};
    m.pkce = PkcePolicy::required;
  });
  for (const char* wanted : {most, R"(,"scope":"openid email offline_access")", most}) {
    CAPTURE(wanted);
    auto told = client.put(wanted);
    REQUIRE_EQ(told.status(), 200);
    CHECK_EQ(told.at("scope"), "openid");
    CHECK_EQ(grants_of(told), R"(["authorization_code"])");
    CHECK(*told.json.find("require_pkce")->boolean());
    CHECK_EQ(client.present().metadata.scope.text(), "openid");
    CHECK_FALSE(client.present().may_use(GrantType::refresh_token));
    CHECK_EQ(client.present().metadata.pkce, PkcePolicy::required);
  }
}

TEST_CASE("what the operator has given a client beyond what may be registered it says again and keeps") {
  OauthWorld oauth{open(23)};
  Enrolled client{oauth, R"(,"scope":"openid")"};
  client.operate([](ClientMetadata& m) {
    m.scope = ScopeSet::parse("openid billing").value();
    m.grant_types.push_back(GrantType::client_credentials);
  });
  auto told = client.put(R"(,"scope":"billing openid","grant_types":["authorization_code","client_credentials"])");
  REQUIRE_EQ(told.status(), 200);
  CHECK_EQ(told.at("scope"), "billing openid");
  CHECK_EQ(grants_of(told), R"(["authorization_code","client_credentials"])");
  CHECK_EQ(client.put("").at("scope"), "billing openid");  // unsaid, it is not given up
  CHECK_EQ(client.put(R"(,"scope":"billing openid admin")").error(), "invalid_client_metadata");
  client.operate([](ClientMetadata& m) { m.scope = ScopeSet::parse("openid").value(); });
  CHECK_EQ(client.put(R"(,"scope":"billing openid")").error(), "invalid_client_metadata");
}

TEST_CASE("of a scope of topics that the operator has narrowed a client keeps what is left, whatever it asks for") {
  OauthWorldOptions options = open(22);
  options.oauth.registration_scopes = ScopeSet::parse("openid topic:>:subscribe").value();
  OauthWorld oauth{std::move(options)};
  Enrolled client{oauth, ""};
  client.operate([](ClientMetadata& m) { m.scope = ScopeSet::parse("openid topic:news.>:subscribe").value(); });
  CHECK_EQ(client.put("").at("scope"), "openid topic:news.>:subscribe");
  CHECK_EQ(client.put(R"(,"scope":"openid topic:news.a:subscribe")").at("scope"), "openid topic:news.a:subscribe");
}

TEST_CASE("a client that the operator has changed never has more scopes than a client may ask for") {
  OauthWorldOptions options = open(24);
  options.oauth.registration_scopes = ScopeSet::parse("openid topic:>:subscribe").value();
  OauthWorld oauth{std::move(options)};
  Enrolled client{oauth, ""};
  client.operate([](ClientMetadata& m) { m.name = "Known"; });
  for (int round = 0; round < 3; ++round) {
    CAPTURE(round);
    std::string scope = "topic:>:subscribe";
    for (int n = 0; n < 99; ++n) scope += fmt::format(" topic:room.{}:subscribe", 100 * round + n);
    const auto told = client.put(fmt::format(R"(,"scope":"{}")", scope));
    REQUIRE_EQ(told.status(), 200);
    CHECK_EQ(ScopeSet::parse(told.at("scope")).value(), ScopeSet::parse(scope).value());
  }
}

TEST_CASE("a client that the operator has changed may still give up what it has, and gets none of it back") {
  OauthWorld oauth{open(19)};
  constexpr auto most = R"(,"grant_types":["authorization_code","refresh_token"],"require_pkce":false)";
  Enrolled client{oauth, most};
  client.operate([](ClientMetadata& m) { m.name = "Known"; });
  auto same = client.put(most);
  CHECK_EQ(same.at("scope"), "email offline_access openid profile");
  CHECK_EQ(grants_of(same), R"(["authorization_code","refresh_token"])");
  CHECK_FALSE(*same.json.find("require_pkce")->boolean());
  CHECK_EQ(client.put(R"(,"scope":"openid")").at("scope"), "openid");
  auto again = client.put(most);
  CHECK_EQ(again.at("scope"), "openid");
  CHECK_EQ(grants_of(again), R"(["authorization_code"])");
  CHECK(*again.json.find("require_pkce")->boolean());
}

TEST_CASE("a client that may use none of the grants that it asks for is told so, and stays as it is") {
  OauthWorld oauth{open(20)};
  Enrolled client{oauth, ""};
  client.operate([](ClientMetadata& m) { m.grant_types = {GrantType::client_credentials}; });
  CHECK_EQ(client.put("").error(), "invalid_client_metadata");
  CHECK(client.present().may_use(GrantType::client_credentials));
  client.operate([](ClientMetadata& m) { m.grant_types.push_back(GrantType::authorization_code); });
  CHECK_EQ(client.put("").status(), 200);  // by the same token: nothing was changed before
}

TEST_CASE("a client that no operator has changed widens itself within what may be registered") {
  OauthWorld oauth{open(21)};
  Enrolled client{oauth, R"(,"scope":"openid")"};
  auto wider = client.put(
      R"(,"scope":"openid email","grant_types":["authorization_code","refresh_token"],"require_pkce":false)");
  CHECK_EQ(wider.at("scope"), "email openid");
  CHECK_EQ(grants_of(wider), R"(["authorization_code","refresh_token"])");
  CHECK_FALSE(*wider.json.find("require_pkce")->boolean());
}

TEST_CASE("of a hundred changes by the same token one succeeds") {
  OauthWorld oauth{open(8)};
  auto mine = enrol(oauth);
  web::Request change{.method = Method::put,
                      .path = path_of(mine),
                      .headers = {{"Content-Type", "application/json"},
                                  {"Authorization", "Bearer " + mine.at("registration_access_token")}}};
  change.body = R"({"client_id":")" + mine.at("client_id") + R"(","redirect_uris":["https://new.example/cb"]})";
  int changed = 0;
  for (const Reply& reply : oauth.send_all(std::vector(100, change))) changed += reply.status() == 200 ? 1 : 0;
  CHECK_EQ(changed, 1);
}

TEST_CASE("a client that removes itself is gone, with its tokens") {
  OauthWorld oauth{open(9)};
  auto mine = enrol(oauth);
  const ClientApp app{ClientId{mine.at("client_id")}, mine.at("client_secret"), "https://new.example/cb"};
  auto tokens = oauth.redeem(app, oauth.authorize(alice, app, "scope=openid"));
  CHECK(oauth.is_active(tokens.at("access_token")));
  const auto token = mine.at("registration_access_token");
  CHECK_EQ(ask(oauth, Method::delete_, path_of(mine), "", token).status(), 204);
  CHECK_EQ(ask(oauth, Method::get, path_of(mine), "", token).status(), 401);
  CHECK_FALSE(oauth.is_active(tokens.at("access_token")));
}

}  // namespace
}  // namespace troupe::oauth::test
