// What a request presents of its client, and forms that are none.
#include "troupe/oauth/endpoint/client_auth.h"

#include <doctest/doctest.h>
#include "troupe/oauth/endpoint/form.h"
#include "troupe/wire/base64.h"

namespace troupe::oauth {
namespace {

web::Request post(std::string body, std::string type = "application/x-www-form-urlencoded") {
  web::Request request{.method = web::Method::post, .path = "/oauth/token"};
  request.headers.add("Content-Type", std::move(type));
  request.body = std::move(body);
  return request;
}

std::string basic(std::string_view pair) { return "Basic " + wire::to_base64(pair); }

auto present(std::string body, std::string authorization = "") {
  auto request = post(std::move(body));
  if (!authorization.empty()) request.headers.add("Authorization", std::move(authorization));
  return presented_client(request, read_form(request).value());
}

/// The same, of one who shows no assertion.
std::expected<ValidateClient, OauthError> present_plainly(std::string body, std::string authorization = "") {
  auto presented = present(std::move(body), std::move(authorization));
  if (!presented) return std::unexpected(presented.error());
  return std::get<ValidateClient>(*presented);
}

TEST_CASE("a client presents itself by header, by body, or by its id alone") {
  auto by_header = present_plainly("a=1", basic("c%3A1:s%2B+%C3%A4%3A"));
  REQUIRE(by_header);
  CHECK_EQ(by_header->id.value(), "c:1");
  CHECK_EQ(by_header->secret.expose(), "s+ \xc3\xa4:");
  CHECK_EQ(by_header->presented, ClientAuthMethod::client_secret_basic);

  auto by_body = present_plainly("client_id=c_1&client_secret=s");
  REQUIRE(by_body);
  CHECK_EQ(by_body->presented, ClientAuthMethod::client_secret_post);
  CHECK_EQ(by_body->secret.expose(), "s");

  auto by_id = present_plainly("client_id=c_1&client_secret=");
  REQUIRE(by_id);
  CHECK_EQ(by_id->presented, ClientAuthMethod::none);
}

const std::string jwt_bearer = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

TEST_CASE("RFC 7523, 2.2: an assertion is shown with its type, alone or with the id of its client") {
  const auto alone = present("client_assertion=a.b.c&client_assertion_type=" + jwt_bearer);
  REQUIRE(alone);
  CHECK_EQ(std::get<ValidateAssertion>(*alone).assertion.expose(), "a.b.c");
  CHECK_FALSE(std::get<ValidateAssertion>(*alone).named);
  const auto named = present("client_id=c_1&client_assertion=a.b.c&client_assertion_type=" + jwt_bearer);
  REQUIRE(named);
  CHECK_EQ(std::get<ValidateAssertion>(*named).named, ClientId{"c_1"});
}

TEST_CASE("what is presented twice, differently or malformed is refused (T35, T36)") {
  struct Row {
    const char* what;
    std::string body;
    std::string authorization;
    OauthError error;
  };
  const Row rows[] = {
      {"nothing", "a=1", "", errors::invalid_client},
      {"a secret without id", "client_secret=s", "", errors::invalid_client},
      {"header and body", "client_id=c&client_secret=s", basic("c:s"), errors::invalid_request},
      {"two ids", "client_id=other", basic("c:s"), errors::invalid_request},
      {"another scheme", "a=1", "Bearer abc", errors::invalid_request},
      {"no colon", "a=1", basic("cs"), errors::invalid_request},
      {"bad base64", "a=1", "Basic ***", errors::invalid_request},
      {"no credentials", "a=1", "Basic", errors::invalid_request},
      {"a bad escape", "a=1", basic("c%zz:s"), errors::invalid_request},
      {"not UTF-8", "a=1", basic("c\xff:s"), errors::invalid_request},
      {"no id", "a=1", basic(":s"), errors::invalid_request},
      {"an assertion without type", "client_id=c&client_assertion=x", "", errors::invalid_request},
      {"a type without assertion", "client_id=c&client_assertion_type=" + jwt_bearer, "", errors::invalid_request},
      {"another type",
       "client_assertion=x&client_assertion_type=urn:ietf:params:oauth:client-assertion-type:saml2-bearer", "",
       errors::invalid_client},
      {"a type in other case",
       "client_assertion=x&client_assertion_type=URN:ietf:params:oauth:client-assertion-type:jwt-bearer", "",
       errors::invalid_client},
      {"an assertion and a header", "client_assertion=x&client_assertion_type=" + jwt_bearer, basic("c:s"),
       errors::invalid_request},
      {"an assertion and a secret",
       "client_id=c&client_secret=s&client_assertion=x&client_assertion_type=" + jwt_bearer, "",
       errors::invalid_request},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    auto presented = present(row.body, row.authorization);
    REQUIRE_FALSE(presented);
    CHECK_EQ(presented.error().code, row.error.code);
  }
  CHECK(present("client_id=c", basic("c:s")));
}

TEST_CASE("a form that is none is refused before anything is read (T7, T8, T39)") {
  struct Row {
    const char* what;
    std::string body;
    std::string type;
    int status;
  };
  const std::string form = "application/x-www-form-urlencoded";
  const Row rows[] = {
      {"JSON", "{}", "application/json", 400},
      {"multipart", "", "multipart/form-data; boundary=x", 400},
      {"no type", "a=1", "", 400},
      {"a parameter twice", "a=1&a=2", form, 400},
      {"a parameter twice, once empty", "a=1&a=", form, 400},
      {"a bad escape", "a=%zz", form, 400},
      {"NUL", "a=%00", form, 400},
      {"not UTF-8", "a=%ff", form, 400},
      {"a long value", "a=" + std::string(8193, 'a'), form, 400},
      {"a large form", std::string(56 * 1024 + 1, 'a'), form, 413},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    auto read = read_form(post(row.body, row.type));
    REQUIRE_FALSE(read);
    CHECK_EQ(read.error().code, "invalid_request");
    CHECK_EQ(read.error().status, row.status);
  }
  std::string many;
  for (int i = 0; i < 10'000; ++i) many += "p" + std::to_string(i) + "&";
  CHECK_FALSE(read_form(post(many)));
  auto in_both = post("a=1&b=2", form);  // T7 one in each
  in_both.query = "c=1&b=2";
  CHECK_EQ(read_form(in_both).error().code, "invalid_request");
  in_both.query = "c=1&a=%";  // nothing is taken from there, whatever it is
  CHECK_EQ(read_form(in_both)->get("a"), "1");
  auto good = read_form(post("a=1&b=&resource=x&resource=y", form + "; charset=UTF-8"));
  REQUIRE(good);
  CHECK_FALSE(good->get("b"));
  CHECK_EQ(good->count("resource"), 2);
}

}  // namespace
}  // namespace troupe::oauth
