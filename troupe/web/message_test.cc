// HTTP messages: fields are found whatever their case, and the usual responses say what they should.
#include "troupe/web/message.h"

#include <doctest/doctest.h>

namespace troupe::web {
namespace {

TEST_CASE("fields are found without regard to case, in all their occurrences") {
  Headers headers{{"Connection", "keep-alive, Upgrade"}, {"X-A", "1"}, {"x-a", "2"}};
  CHECK_EQ(headers.get("x-A"), "1");
  CHECK_EQ(headers.count("X-a"), 2);
  CHECK(headers.has_token("connection", "upgrade"));
  CHECK_FALSE(headers.has_token("connection", "close"));
  CHECK_FALSE(headers.has("missing"));
  headers.set("X-A", "3");
  CHECK_EQ(headers.count("x-a"), 1);
  CHECK_EQ(headers.get("x-a"), "3");
}

TEST_CASE("methods have names, and other names are other") {
  for (auto method :
       {Method::get, Method::head, Method::post, Method::put, Method::delete_, Method::options, Method::patch}) {
    CHECK_EQ(method_of(text(method)), method);
  }
  CHECK_EQ(method_of("get"), Method::other);
  CHECK_EQ(method_of("TRACE"), Method::other);
  CHECK_EQ(text(Method::other), "");
}

TEST_CASE("a problem names the status and what was wrong") {
  auto response = problem(413, "the body is over 64 KiB");
  CHECK_EQ(response.headers.get("content-type"), "application/problem+json");
  CHECK_EQ(response.body.view(),
           R"({"status":413,"title":"Content Too Large","detail":"the body is over 64 KiB","code":"too_large"})");
  CHECK(problem(404, "", "no_such_topic").body.view().ends_with(R"("code":"no_such_topic"})"));
  CHECK(problem(418, "").body.view().ends_with(R"("code":"bad_request"})"));
  CHECK(problem(505, "").body.view().ends_with(R"("code":"not_implemented"})"));
  CHECK(problem(504, "").body.view().ends_with(R"("code":"internal"})"));
}

TEST_CASE("a cookie is safe unless it is told otherwise") {
  Response response;
  set_cookie(response, {.name = "__Host-session", .value = "abc"});
  CHECK_EQ(response.headers.get("set-cookie"), "__Host-session=abc; Path=/; Secure; HttpOnly; SameSite=Lax");
  set_cookie(response, {.name = "gone", .max_age_seconds = 0, .secure = false, .same_site = SameSite::strict});
  CHECK_EQ(response.headers.fields().back().value, "gone=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict");
}

}  // namespace
}  // namespace troupe::web
