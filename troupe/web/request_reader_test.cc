// Reading requests: what is refused between head and body, and in which words.
#include "troupe/web/request_reader.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

namespace troupe::web {
namespace {

actor::Task<Response> nothing(Request) { co_return Response{}; }
Response told(const Request& request) {
  return text_response(413, fmt::format("{} takes no more than {} may send", request.path, request.header("x-who")));
}

TEST_CASE("a body over the limit is refused in the manner of its path, where it has one") {
  Router router;
  router.add(Method::post, "/plain", nothing, {.body_bytes_max = 10});
  router.add(Method::post, "/own", nothing, {.body_bytes_max = 10, .too_large = told});
  for (const char* rest :
       {"Content-Length: 11\r\n\r\n", "Content-Length: 11\r\nExpect: 100-continue\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\nb\r\n", "Transfer-Encoding: chunked\r\n\r\n6\r\nabcdef\r\n6\r\n"}) {
    CAPTURE(rest);
    const auto refusal_at = [&](const char* path) {
      RequestReader reader{router, {}, {}};
      const std::string text = fmt::format("POST {} HTTP/1.1\r\nHost: h\r\nX-Who: nobody\r\n{}", path, rest);
      std::string_view input{text};
      REQUIRE(reader.next(input) == RequestReader::Step::refused);
      Response refusal = reader.take_refusal();
      CHECK_EQ(refusal.status, 413);
      return refusal;
    };
    CHECK_EQ(refusal_at("/own").body.view(), "/own takes no more than nobody may send");
    CHECK_EQ(refusal_at("/plain").headers.get("content-type"), "application/problem+json");
  }
}

TEST_CASE("a body within the limit is read, whole or in pieces") {
  Router router;
  router.add(Method::post, "/own", nothing, {.body_bytes_max = 10, .too_large = told});
  for (const char* rest : {"Content-Length: 10\r\n\r\n0123456789",
                           "Transfer-Encoding: chunked\r\n\r\n5\r\n01234\r\n5\r\n56789\r\n0\r\n\r\n"}) {
    RequestReader reader{router, {}, {}};
    const std::string text = fmt::format("POST /own HTTP/1.1\r\nHost: h\r\n{}", rest);
    std::string_view input{text};
    REQUIRE(reader.next(input) == RequestReader::Step::request);
    CHECK_EQ(reader.take_request().request.body, "0123456789");
  }
}

}  // namespace
}  // namespace troupe::web
