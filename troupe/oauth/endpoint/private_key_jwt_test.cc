// Clients that prove themselves by a key of their own, at the endpoints that ask who they are (T47).
#include <doctest/doctest.h>

#include "troupe/oauth/endpoint/discovery.h"
#include "troupe/oauth/model/client_assertion.h"
#include "troupe/oauth/model/testing/assertions.h"
#include "troupe/oauth/sim/oauth_world.h"

namespace troupe::oauth::test {
namespace {

using namespace std::chrono_literals;
using testing::AssertingClient;

constexpr auto keys_uri = "https://robot.example/keys";

/// A world with a client that has a key, in its registration or where it says.
struct RobotWorld : OauthWorld {
  explicit RobotWorld(std::uint64_t seed, bool by_uri = false) : OauthWorld({.seed = seed}) {
    ClientMetadata metadata{.name = "Robot",
                            .auth_method = ClientAuthMethod::private_key_jwt,
                            .grant_types = {GrantType::client_credentials},
                            .scope = ScopeSet::parse("read").value()};
    (by_uri ? metadata.jwks_uri : metadata.jwks) = by_uri ? keys_uri : key.jwks();
    robot = add(metadata);
    servers->answer = [this](const web::Fetch&) { return web::Fetched{200, key.jwks()}; };
  }

  std::string assertion(const wire::Json::Object& claims = {}, const wire::Json::Object& header = {}) {
    return key.sign(robot.id.value(), options().issuer, world().manual_clock().wall(), header, claims);
  }

  Reply post(const std::string& path, wire::Form form, const std::string& shown) {
    form.add("client_assertion_type", std::string{assertion_type});
    form.add("client_assertion", shown);
    web::Request request{.method = web::Method::post, .path = path};
    request.headers.add("Content-Type", "application/x-www-form-urlencoded");
    request.body = wire::write_form(form);
    return send(std::move(request));
  }
  Reply ask_token(const std::string& shown, wire::Form more = {}) {
    more.add("grant_type", "client_credentials");
    return post("/oauth/token", std::move(more), shown);
  }

  /// Requests in the names of so many clients whose servers never answer. Anybody can make them.
  std::vector<web::Request> in_the_name_of_hung_clients(int count) {
    servers->hung = "https://hung.example/";
    std::vector<web::Request> requests;
    for (int i = 0; i < count; ++i) {
      const ClientApp hung = add({.name = "Hung",
                                  .auth_method = ClientAuthMethod::private_key_jwt,
                                  .grant_types = {GrantType::client_credentials},
                                  .jwks_uri = servers->hung + std::to_string(i)});
      web::Request request{.method = web::Method::post, .path = "/oauth/token"};
      request.headers.add("Content-Type", "application/x-www-form-urlencoded");
      request.body = wire::write_form(
          {{"grant_type", "client_credentials"},
           {"client_assertion_type", std::string{assertion_type}},
           {"client_assertion", key.sign(hung.id.value(), options().issuer, world().manual_clock().wall())}});
      requests.push_back(std::move(request));
    }
    return requests;
  }

  AssertingClient key;
  ClientApp robot;
};

TEST_CASE("a client with a key gets its token, asks about it and takes it back, and has no secret") {
  RobotWorld oauth{1};
  CHECK_EQ(oauth.robot.secret, "");
  const auto tokens = oauth.ask_token(oauth.assertion(), {{"client_id", oauth.robot.id.value()}});
  REQUIRE_EQ(tokens.status(), 200);
  const std::string token = tokens.at("access_token");
  const auto about = oauth.post("/oauth/introspect", {{"token", token}}, oauth.assertion());
  REQUIRE_EQ(about.status(), 200);
  CHECK_EQ(about.at("client_id"), oauth.robot.id.value());
  CHECK_EQ(oauth.post("/oauth/revoke", {{"token", token}}, oauth.assertion()).status(), 200);
  CHECK_FALSE(oauth.is_active(token));
}

TEST_CASE("an assertion is good once, at whichever endpoint, and after a look into the database (T47)") {
  RobotWorld oauth{2};
  const std::string once = oauth.assertion();
  CHECK_EQ(oauth.ask_token(once).status(), 200);
  CHECK_EQ(oauth.ask_token(once).error(), "invalid_client");
  CHECK_EQ(oauth.post("/oauth/revoke", {{"token", "x"}}, once).status(), 401);
  oauth.advance(30s);
  CHECK_EQ(oauth.ask_token(once).status(), 401);
  // The same name under another end is the same assertion.
  const std::int64_t later = oauth.world().manual_clock().wall().seconds() + 600;
  CHECK_EQ(oauth.ask_token(oauth.assertion({{"jti", "mine"}})).status(), 200);
  CHECK_EQ(oauth.ask_token(oauth.assertion({{"jti", "mine"}, {"exp", later}})).status(), 401);
}

TEST_CASE("an assertion that was shown is not taken again after the clock was ahead for a while (T77)") {
  RobotWorld oauth{22};
  const std::string once = oauth.assertion();
  CHECK_EQ(oauth.ask_token(once).status(), 200);
  oauth.world().manual_clock().jump_wall(2h);
  oauth.advance(15s);  // there was a sweep
  oauth.world().manual_clock().jump_wall(-2h);
  CHECK_EQ(oauth.ask_token(once).error(), "invalid_client");
}

TEST_CASE("of one assertion shown many times at once one is taken (T47)") {
  RobotWorld oauth{3};
  const wire::Form form{{"grant_type", "client_credentials"},
                        {"client_assertion_type", std::string{assertion_type}},
                        {"client_assertion", oauth.assertion()}};
  std::vector<web::Request> requests;
  for (int i = 0; i < 20; ++i) {
    web::Request request{.method = web::Method::post, .path = "/oauth/token"};
    request.headers.add("Content-Type", "application/x-www-form-urlencoded");
    request.body = wire::write_form(form);
    requests.push_back(std::move(request));
  }
  int taken = 0;
  for (const Reply& reply : oauth.send_all(std::move(requests))) taken += reply.status() == 200 ? 1 : 0;
  CHECK_EQ(taken, 1);
}

TEST_CASE("whatever is wrong with an assertion, the client is told the same") {
  RobotWorld oauth{4};
  AssertingClient stranger;
  const base::UnixTime now = oauth.world().manual_clock().wall();
  const std::string id = oauth.robot.id.value(), issuer = oauth.options().issuer;
  struct Row {
    const char* what;
    std::string assertion;
    wire::Form more;
  };
  const Row rows[] = {
      {"garbage", "a.b.c", {}},
      {"a stranger's signature", stranger.sign(id, issuer, now, {{"kid", oauth.key.kid()}}), {}},
      {"no signature", oauth.assertion({}, {{"alg", "none"}}), {}},
      {"another audience", oauth.assertion({{"aud", "https://other.example"}}), {}},
      {"the endpoint that is asked", oauth.assertion({{"aud", issuer + "/oauth/revoke"}}), {}},
      {"no end", oauth.assertion({{"exp", nullptr}}), {}},
      {"a client that nobody knows", stranger.sign("c_nobody", issuer, now), {}},
      {"a client with a secret", stranger.sign(oauth.web_shop.id.value(), issuer, now), {}},
      {"a public client", stranger.sign(oauth.phone.id.value(), issuer, now), {}},
      {"another id beside it", oauth.assertion(), {{"client_id", oauth.web_shop.id.value()}}},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    const auto reply = oauth.ask_token(row.assertion, row.more);
    CHECK_EQ(reply.status(), 401);
    CHECK_EQ(reply.body(), R"({"error":"invalid_client","error_description":"Client authentication failed."})");
  }
  CHECK_EQ(oauth.ask_token(oauth.assertion(), {{"client_secret", "x"}}).error(), "invalid_request");
  CHECK_EQ(oauth.ask_token(oauth.assertion({{"aud", issuer + "/oauth/token"}})).status(), 200);
}

TEST_CASE("a client that proves itself by its key is not let in by a secret or by its id alone (T38)") {
  RobotWorld oauth{5};
  for (const std::string secret : {"", "guessed"}) {
    const ClientApp pretender{oauth.robot.id, secret, ""};
    CHECK_EQ(oauth.post_as(pretender, "/oauth/token", {{"grant_type", "client_credentials"}}).status(), 401);
  }
}

TEST_CASE("keys that stand elsewhere are fetched once, and again for a key that is new") {
  RobotWorld oauth{6, true};
  for (int i = 0; i < 3; ++i) CHECK_EQ(oauth.ask_token(oauth.assertion()).status(), 200);
  REQUIRE_EQ(oauth.servers->asked.size(), 1);
  CHECK_EQ(oauth.servers->asked[0].url, keys_uri);
  oauth.advance(1min);
  oauth.key = AssertingClient{};
  CHECK_EQ(oauth.ask_token(oauth.assertion()).status(), 200);
  CHECK_EQ(oauth.servers->asked.size(), 2);
}

TEST_CASE("whoever names keys that do not exist does not make the server ask and ask (T47, T51)") {
  RobotWorld oauth{7, true};
  CHECK_EQ(oauth.ask_token(oauth.assertion()).status(), 200);
  for (int i = 0; i < 100; ++i) {
    CHECK_EQ(oauth.ask_token(oauth.assertion({}, {{"kid", "made-up"}})).status(), 401);
    oauth.advance(1s);
  }
  CHECK_LE(oauth.servers->asked.size(), 1 + 100 / 30 + 1);
  CHECK_GE(oauth.servers->asked.size(), 3);
  CHECK_EQ(oauth.ask_token(oauth.assertion()).status(), 200);  // and the good key goes on being good
}

TEST_CASE("many who come at once wait for one fetch") {
  RobotWorld oauth{8, true};
  oauth.servers->takes = 1s;
  std::vector<web::Request> requests;
  for (int i = 0; i < 10; ++i) {
    web::Request request{.method = web::Method::post, .path = "/oauth/token"};
    request.headers.add("Content-Type", "application/x-www-form-urlencoded");
    request.body = wire::write_form({{"grant_type", "client_credentials"},
                                     {"client_assertion_type", std::string{assertion_type}},
                                     {"client_assertion", oauth.assertion()}});
    requests.push_back(std::move(request));
  }
  for (const Reply& reply : oauth.send_all(std::move(requests))) CHECK_EQ(reply.status(), 200);
  CHECK_EQ(oauth.servers->asked.size(), 1);
}

TEST_CASE("the trail says why an assertion was not taken, and its client is not told") {
  RobotWorld oauth{41};
  const auto last = [&] { return oauth.events().back(); };
  const auto refused = [&](const std::string& shown) {
    CHECK_EQ(oauth.ask_token(shown).error(), "invalid_client");
    oauth.advance(1s);
    CHECK_EQ(last().kind, "client_refused");
    return last().reason;
  };
  CHECK_EQ(refused("no.assertion"), "assertion_malformed");
  CHECK_EQ(refused(oauth.assertion({{"aud", "https://elsewhere.example"}})), "assertion_wrong_audience");
  CHECK_EQ(refused(AssertingClient{}.sign(oauth.robot.id.value(), oauth.options().issuer,
                                          oauth.world().manual_clock().wall())),
           "assertion_unknown_key");
  const std::string good = oauth.assertion();
  CHECK_EQ(oauth.ask_token(good).status(), 200);
  CHECK_EQ(refused(good), "assertion_replay");
  CHECK_EQ(last().client, oauth.robot.id);
}

TEST_CASE("a client whose keys cannot be had is refused, and comes in when they can; known ones last for an hour") {
  RobotWorld oauth{9, true};
  const auto good = oauth.servers->answer;
  const auto gone = [](const web::Fetch&) { return std::unexpected(web::FetchFault::unreachable); };
  oauth.servers->answer = gone;
  CHECK_EQ(oauth.ask_token(oauth.assertion()).status(), 401);
  oauth.servers->answer = [](const web::Fetch&) { return web::Fetched{302, ""}; };
  oauth.advance(31s);
  CHECK_EQ(oauth.ask_token(oauth.assertion()).status(), 401);
  oauth.servers->answer = good;
  oauth.advance(31s);
  CHECK_EQ(oauth.ask_token(oauth.assertion()).status(), 200);
  oauth.servers->answer = gone;
  oauth.advance(50min);
  CHECK_EQ(oauth.ask_token(oauth.assertion()).status(), 200);
  oauth.advance(15min);
  CHECK_EQ(oauth.ask_token(oauth.assertion()).status(), 401);
}

TEST_CASE("however many servers of clients hang, one that has answered before is asked (T51)") {
  RobotWorld oauth{12, true};
  CHECK_EQ(oauth.ask_token(oauth.assertion()).status(), 200);
  oauth.advance(1min);
  auto strangers = oauth.in_the_name_of_hung_clients(40);
  oauth.key = AssertingClient{};  // so that its keys have to be fetched anew
  Reply reply;
  oauth.send_all(std::move(strangers), [&] {
    oauth.advance(500ms);
    const auto begin = oauth.world().manual_clock().wall();
    reply = oauth.ask_token(oauth.assertion());
    CHECK_LE(oauth.world().manual_clock().wall() - begin, 2s);  // before the first of those is given up
  });
  CHECK_EQ(reply.status(), 200);
}

TEST_CASE("a client whose server could not be asked for its keys is told to come again, and may do so at once") {
  RobotWorld oauth{13, true};
  auto strangers = oauth.in_the_name_of_hung_clients(40);
  Reply reply;
  oauth.send_all(std::move(strangers), [&] {
    oauth.advance(500ms);
    reply = oauth.ask_token(oauth.assertion());
  });
  CHECK_EQ(reply.status(), 503);
  CHECK_EQ(reply.error(), "temporarily_unavailable");
  CHECK_EQ(reply.header("retry-after"), "2");
  CHECK(std::ranges::none_of(oauth.events(), [&](const AuditEvent& event) {
    return event.client == oauth.robot.id && event.kind == "client_refused";
  }));
  oauth.advance(3s);
  CHECK_EQ(oauth.ask_token(oauth.assertion()).status(), 200);
}

TEST_CASE("a server of its own that is slow holds up no other client") {
  RobotWorld oauth{10, true};
  oauth.servers->takes = 1h;
  const auto begin = oauth.world().manual_clock().wall();
  CHECK_EQ(oauth.ask_token(oauth.assertion()).status(), 401);
  CHECK_LE(oauth.world().manual_clock().wall() - begin, 10s);
  CHECK_EQ(oauth.post_as(oauth.api, "/oauth/introspect", {{"token", "x"}}).status(), 200);
}

TEST_CASE("discovery names the method and its algorithms for each endpoint that takes it (RFC 8414, 2)") {
  const auto document = wire::parse_json(discovery_document({})).value();
  for (const std::string endpoint : {"token", "introspection", "revocation"}) {
    CAPTURE(endpoint);
    const auto lists = [&](const std::string& name, const char* value) {
      const wire::Json* list = document.find(name);
      REQUIRE(list != nullptr);
      return std::ranges::count(*list->array(), wire::Json{value}) == 1;
    };
    CHECK(lists(endpoint + "_endpoint_auth_methods_supported", "private_key_jwt"));
    for (const char* algorithm : {"RS256", "ES256", "EdDSA"})
      CHECK(lists(endpoint + "_endpoint_auth_signing_alg_values_supported", algorithm));
    CHECK_FALSE(lists(endpoint + "_endpoint_auth_signing_alg_values_supported", "none"));
  }
}

TEST_CASE("the server's own fetch is the only one that the client's registration can bring about (T51)") {
  OauthWorld oauth{{.seed = 11}};
  const auto granted =
      oauth.post_as(oauth.api, "/oauth/token", {{"grant_type", "client_credentials"}, {"scope", "register"}});
  struct Row {
    const char* member;
    const char* value;
    int status;
  };
  const Row rows[] = {
      {"jwks_uri", R"("https://app.example/keys")", 201},
      {"jwks_uri", R"("http://app.example/keys")", 400},
      {"jwks_uri", R"("https://127.0.0.1/keys")", 400},
      {"jwks_uri", R"("https://[::ffff:10.0.0.1]/keys")", 400},
      {"jwks_uri", R"("file:///etc/passwd")", 400},
      {"jwks_uri", "7", 400},
      {"backchannel_logout_uri", R"("https://app.example/out")", 201},
      {"backchannel_logout_uri", R"("https://app.example/out#x")", 400},
      {"backchannel_logout_uri", R"("https://169.254.169.254/out")", 400},
      {"backchannel_logout_session_required", "true", 201},
      {"backchannel_logout_session_required", R"("yes")", 400},
      {"jwks", R"({"keys":[]})", 400},
      {"jwks", R"("keys")", 400},
      {"jwks", R"({"keys":[{"kty":"oct","k":"AAAA"}]})", 400},
      {"token_endpoint_auth_method", R"("private_key_jwt")", 400},
      {"token_endpoint_auth_signing_alg", R"("HS256")", 400},
      {"token_endpoint_auth_signing_alg", R"("none")", 400},
      {"token_endpoint_auth_signing_alg", R"("ES256")", 201},
  };
  for (const Row& row : rows) {
    CAPTURE(row.member);
    CAPTURE(row.value);
    web::Request request{.method = web::Method::post, .path = "/oauth/register"};
    request.headers.add("Content-Type", "application/json");
    request.headers.add("Authorization", "Bearer " + granted.at("access_token"));
    request.body =
        std::string{R"({"redirect_uris":["https://app.example/cb"],")"} + row.member + "\":" + row.value + "}";
    const auto reply = oauth.send(std::move(request));
    CHECK_EQ(reply.status(), row.status);
    if (row.status == 201) CHECK(reply.json.find(row.member) != nullptr);
  }
  CHECK(oauth.servers->asked.empty());
}

}  // namespace
}  // namespace troupe::oauth::test
