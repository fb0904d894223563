// Who asks too often is told so by each path in its own manner.
#include "troupe/oauth/endpoint/too_many.h"

#include <doctest/doctest.h>

namespace troupe::oauth {
namespace {

TEST_CASE("an address that asks too often gets an error of OAuth, a page, or what others answer") {
  struct Row {
    std::string_view path, type;
  };
  constexpr Row rows[] = {
      {"/oauth/token", "application/json"},
      {"/oauth/jwks", "application/json"},
      {"/oauth/authorize", "text/html"},
      {"/oauth/logout", "text/html"},
      {"/login", "text/html"},
      {"/consent", "text/html"},
      {"/account", "text/html"},
      {"/account/password", "text/html"},
      {"/accounts", ""},
      {"/admin/v1/users", ""},
      {"/ws", ""},
  };
  for (const Row& row : rows) {
    CAPTURE(row.path);
    const auto told = too_many_requests({.path = std::string{row.path}});
    REQUIRE_EQ(told.has_value(), !row.type.empty());
    if (!told) continue;
    CHECK_EQ(told->status, 429);
    CHECK(told->headers.get("content-type")->starts_with(row.type));
    CHECK(told->headers.get("cache-control")->contains("no-store"));
  }
}

}  // namespace
}  // namespace troupe::oauth
