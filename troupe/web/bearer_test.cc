// The token of the Authorization header, and all the ways in which there is none.
#include "troupe/web/bearer.h"

#include <doctest/doctest.h>

namespace troupe::web {
namespace {

TEST_CASE("a bearer token is one word behind its scheme, in one header") {
  CHECK_EQ(bearer_token(Request{}).value(), std::nullopt);
  for (auto header : {"Bearer abc", "bearer abc", "BEARER abc", "Bearer   abc", " Bearer\tabc "}) {
    CAPTURE(header);
    Request request;
    request.headers.add("authorization", header);
    CHECK_EQ(bearer_token(request).value(), "abc");
  }
}

TEST_CASE("a header that holds no bearer token is told apart from none") {
  struct Row {
    const char* header;
    BearerFault fault;
  };
  constexpr Row rows[] = {
      {"", BearerFault::malformed},
      {"Bearer", BearerFault::malformed},
      {"Bearer ", BearerFault::malformed},
      {"Bearer a b", BearerFault::malformed},
      {"Bearer abc, Bearer abc", BearerFault::malformed},
      {"Basic YTpi", BearerFault::other_scheme},
      {"Bearerabc", BearerFault::other_scheme},
      {"abc", BearerFault::other_scheme},
  };
  for (const Row& row : rows) {
    CAPTURE(row.header);
    Request request;
    request.headers.add("Authorization", row.header);
    const auto token = bearer_token(request);
    REQUIRE_FALSE(token.has_value());
    CHECK(token.error() == row.fault);
  }
  Request twice;
  twice.headers.add("Authorization", "Bearer abc");
  twice.headers.add("authorization", "Bearer abc");
  const auto token = bearer_token(twice);
  REQUIRE_FALSE(token.has_value());
  CHECK(token.error() == BearerFault::repeated);
}

}  // namespace
}  // namespace troupe::web
