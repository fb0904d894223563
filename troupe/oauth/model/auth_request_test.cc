// Authorization requests: who is told of which error.
#include "troupe/oauth/model/auth_request.h"

#include <doctest/doctest.h>

namespace troupe::oauth {
namespace {

constexpr auto challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

ClientPtr web_shop(PkcePolicy pkce = PkcePolicy::required) {
  auto client = std::make_shared<Client>();
  client->id = ClientId{"c_shop"};
  client->metadata = {.name = "Shop",
                      .redirect_uris = {"https://shop.example/cb"},
                      .scope = ScopeSet::parse("openid profile read").value(),
                      .pkce = pkce};
  return client;
}

/// A good request, with the parameters in `query` added or, where the value is "-", taken away.
wire::Form request_with(std::string_view query) {
  auto changes = wire::parse_form(query).value();
  wire::Form form;
  for (auto [name, value] :
       std::initializer_list<std::pair<std::string, std::string>>{{"client_id", "c_shop"},
                                                                  {"redirect_uri", "https://shop.example/cb"},
                                                                  {"response_type", "code"},
                                                                  {"scope", "openid read"},
                                                                  {"state", "s1"},
                                                                  {"code_challenge", challenge},
                                                                  {"code_challenge_method", "S256"}}) {
    if (!changes.get(name)) form.add(name, value);
  }
  for (const auto& [name, value] : changes) {
    if (value != "-") form.add(name, value);
  }
  return form;
}

auto check(std::string_view query, ClientPtr client = web_shop()) {
  OauthOptions options{.issuer = "https://as.example", .resources = {"https://api.example/"}};
  return check_auth_request(request_with(query), std::move(client), options);
}

TEST_CASE("a complete authorization request is understood") {
  auto request = check("nonce=n1&max_age=60&login_hint=alice&prompt=login+consent&response_mode=query&extra=1");
  REQUIRE(request);
  CHECK_EQ(request->redirect_uri, "https://shop.example/cb");
  CHECK(request->scope == ScopeSet::parse("openid read").value());
  CHECK_EQ(request->state, "s1");
  CHECK_EQ(request->nonce, "n1");
  CHECK_EQ(request->max_age, std::chrono::seconds{60});
  CHECK_EQ(request->prompt, Prompt::login_and_consent);
  CHECK_EQ(request->audience, std::vector<std::string>{"https://as.example"});
}

TEST_CASE("until client and redirect URI belong together, errors stay on our page (T1, T4, T6, T7)") {
  for (auto query : {"redirect_uri=https://evil.example/cb", "redirect_uri=https://shop.example/cb/", "redirect_uri=-",
                     "client_id=-", "client_id=", "client_id=c_shop&client_id=c_shop",
                     "redirect_uri=https://shop.example/cb&redirect_uri=https://shop.example/cb"}) {
    CAPTURE(query);
    auto request = check(query);
    REQUIRE_FALSE(request);
    CHECK(request.error().stays_here());
    CHECK(request.error().error == errors::invalid_request);
  }
  CHECK(check("", nullptr).error().stays_here());
  auto disabled = std::make_shared<Client>(*web_shop());
  disabled->state = ClientState::disabled;
  CHECK_EQ(check("", disabled).error().error.description, check("redirect_uri=https://x").error().error.description);
}

TEST_CASE("a sole registered redirect URI need not be sent, but with OpenID it must (T4)") {
  auto request = check("redirect_uri=-&scope=read");
  REQUIRE(request);
  CHECK_EQ(request->redirect_uri, "https://shop.example/cb");
  CHECK_FALSE(request->redirect_uri_was_sent);
  auto two = std::make_shared<Client>(*web_shop());
  two->metadata.redirect_uris.push_back("https://shop.example/cb2");
  CHECK(check("redirect_uri=-&scope=read", two).error().stays_here());
}

TEST_CASE("everything else that is wrong goes back to the client with its state") {
  struct Row {
    const char* what;
    std::string query;
    OauthError error;
  };
  const Row rows[] = {
      {"T7 a parameter twice", "scope=read&scope=read", errors::invalid_request},
      {"T8 an empty response type", "response_type=", errors::invalid_request},
      {"T10 no response type", "response_type=-", errors::invalid_request},
      {"T10 implicit", "response_type=token", errors::unsupported_response_type},
      {"T10 hybrid", "response_type=code+token", errors::unsupported_response_type},
      {"T10 none", "response_type=none", errors::unsupported_response_type},
      {"T11 a scope that is not the client's", "scope=openid+admin", errors::invalid_scope},
      {"T11 bad characters", "scope=%22read%22", errors::invalid_scope},
      {"T11 no scope", "scope=-", errors::invalid_scope},
      {"T18 a short challenge", "code_challenge=abc", errors::invalid_request},
      {"T20 plain", "code_challenge_method=plain", errors::invalid_request},
      {"T20 lower case", "code_challenge_method=s256", errors::invalid_request},
      {"T20 S512", "code_challenge_method=S512", errors::invalid_request},
      {"T20 no method, which means plain", "code_challenge_method=-", errors::invalid_request},
      {"T20 a method without challenge", "code_challenge=-", errors::invalid_request},
      {"T20 no PKCE", "code_challenge=-&code_challenge_method=-", errors::invalid_request},
      {"T48 a request object", "request=e30.e30.", errors::request_not_supported},
      {"T48 a request URI", "request_uri=https://x", errors::request_uri_not_supported},
      {"T70 none and login", "prompt=none+login", errors::invalid_request},
      {"T70 an unknown prompt", "prompt=dance", errors::invalid_request},
      {"T70 a max_age in words", "max_age=old", errors::invalid_request},
      {"T70 a negative max_age", "max_age=-1", errors::invalid_request},
      {"T79 an unknown resource", "resource=https://other.example/", errors::invalid_target},
      {"T79 a resource with fragment", "resource=https://api.example/%23f", errors::invalid_target},
      {"an unknown response mode", "response_mode=fragment", errors::invalid_request},
      {"a long nonce", "nonce=" + std::string(513, 'n'), errors::invalid_request},
      {"a long login hint", "login_hint=" + std::string(257, 'n'), errors::invalid_request},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    auto request = check(row.query);
    REQUIRE_FALSE(request);
    CHECK_EQ(request.error().error.code, row.error.code);
    CHECK_EQ(request.error().redirect_uri, "https://shop.example/cb");
    CHECK_EQ(request.error().state, "s1");
  }
}

TEST_CASE("a state that is too long or comes twice is not sent back (T7, T23)") {
  CHECK_EQ(check("state=" + std::string(2049, 's')).error().state, "");
  CHECK_EQ(check("state=a&state=b").error().state, "");
  CHECK_EQ(check("state=" + std::string(2048, 's'))->state.size(), 2048);
}

TEST_CASE("a confidential client may be registered to do without PKCE, a public one never (T21)") {
  constexpr auto without = "code_challenge=-&code_challenge_method=-";
  CHECK(check(without, web_shop(PkcePolicy::optional)));
  auto app = std::make_shared<Client>(*web_shop(PkcePolicy::optional));
  app->metadata.auth_method = ClientAuthMethod::none;
  CHECK(check(without, app).error().error == errors::invalid_request);
}

TEST_CASE("resources that the operator has listed become the audience (T79)") {
  auto request = check("resource=https://as.example&resource=https://api.example/&resource=https://as.example");
  REQUIRE(request);
  CHECK_EQ(request->audience, std::vector<std::string>{"https://api.example/", "https://as.example"});
}

}  // namespace
}  // namespace troupe::oauth
