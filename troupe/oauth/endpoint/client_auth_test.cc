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

TEST_CASE("a client presents itself by header, by body, or by its id alone") {
  auto by_header = present("a=1", basic("c%3A1:s%2B+%C3%A4%3A"));
  REQUIRE(by_header);
  CHECK_EQ(by_header->id.value(), "c:1");
  CHECK_EQ(by_header->secret.expose(), "s+ \xc3\xa4:");
  CHECK_EQ(by_header->presented, ClientAuthMethod::client_secret_basic);

  auto by_body = present("client_id=c_1&client_secret=s");
  REQUIRE(by_body);
  CHECK_EQ(by_body->presented, ClientAuthMethod::client_secret_post);
  CHECK_EQ(by_body->secret.expose(), "s");

  auto by_id = present("client_id=c_1&client_secret=");
  REQUIRE(by_id);
  CHECK_EQ(by_id->presented, ClientAuthMethod::none);
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
      {"an assertion", "client_id=c&client_assertion=x", "", errors::invalid_client},
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
  auto good = read_form(post("a=1&b=&resource=x&resource=y", form + "; charset=UTF-8"));
  REQUIRE(good);
  CHECK_FALSE(good->get("b"));
  CHECK_EQ(good->count("resource"), 2);
}

}  // namespace
}  // namespace troupe::oauth
