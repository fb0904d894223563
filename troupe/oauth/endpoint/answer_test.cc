// Answers: the form of errors, and what goes back in a redirect.
#include "troupe/oauth/endpoint/answer.h"

#include <doctest/doctest.h>

namespace troupe::oauth {
namespace {

std::string header(const web::Response& response, std::string_view name) {
  return std::string{response.headers.get(name).value_or("")};
}

TEST_CASE("an error is JSON that nobody keeps (T56)") {
  auto response = refuse(errors::invalid_grant);
  CHECK_EQ(response.status, 400);
  CHECK_EQ(header(response, "content-type"), "application/json");
  CHECK_EQ(header(response, "cache-control"), "no-store");
  CHECK_EQ(header(response, "pragma"), "no-cache");
  CHECK(response.body.view().starts_with(R"({"error":"invalid_grant","error_description":")"));
}

TEST_CASE("a client that has not proven itself is told the scheme (T33)") {
  CHECK_EQ(refuse(errors::invalid_client).status, 401);
  CHECK(header(refuse(errors::invalid_client), "www-authenticate").starts_with("Basic realm="));
  CHECK_EQ(header(refuse(errors::invalid_grant), "www-authenticate"), "");
}

TEST_CASE("an error that passes says when to come back") {
  auto response = refuse(errors::temporarily_unavailable);
  CHECK_EQ(response.status, 503);
  CHECK_EQ(header(response, "retry-after"), "2");
}

TEST_CASE("a resource tells who came without a token nothing but the scheme (T58, T59)") {
  CHECK_EQ(header(refuse_bearer(std::nullopt), "www-authenticate"), "Bearer realm=\"troupe\"");
  CHECK(header(refuse_bearer(errors::invalid_token), "www-authenticate").contains("error=\"invalid_token\""));
  auto insufficient = refuse_bearer(errors::insufficient_scope, "openid");
  CHECK_EQ(insufficient.status, 403);
  CHECK(header(insufficient, "www-authenticate").contains("scope=\"openid\""));
}

TEST_CASE("an error goes back with its state and the issuer, whatever is in the state (T22, T23)") {
  AuthRefusal refusal{.error = errors::login_required,
                      .redirect_uri = "https://app.example/cb?a=1",
                      .state = "x&error=none\r\nSet-Cookie: a=b\"\xc3\xa4"};
  auto response = redirect_back(refusal, "https://as.example");
  CHECK_EQ(response.status, 303);
  auto location = header(response, "location");
  CHECK(location.starts_with("https://app.example/cb?a=1&error=login_required&error_description="));
  CHECK(location.ends_with("&state=x%26error%3Dnone%0D%0ASet-Cookie%3A+a%3Db%22%C3%A4&iss=https%3A%2F%2Fas.example"));
}

TEST_CASE("every sentence of the catalogue may be sent as it stands (RFC 6749, 5.2)") {
  for (const auto& error :
       {errors::invalid_request, errors::invalid_client, errors::invalid_grant, errors::unauthorized_client,
        errors::unsupported_grant_type, errors::invalid_scope, errors::access_denied, errors::unsupported_response_type,
        errors::server_error, errors::temporarily_unavailable, errors::invalid_target, errors::invalid_token}) {
    for (char c : error.description) CHECK((c >= 0x20 && c < 0x7f && c != '"' && c != '\\'));
  }
}

}  // namespace
}  // namespace troupe::oauth
