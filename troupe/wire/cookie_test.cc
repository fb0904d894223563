// Cookies: what a browser sends is read, and what is no cookie is passed over.
#include "troupe/wire/cookie.h"

#include <doctest/doctest.h>

namespace troupe::wire {
namespace {

TEST_CASE("a Cookie header is read pair by pair") {
  std::string_view header =
      "__Host-session=abc=; theme=\"dark\";empty=; =nameless; lonely; bad name=1; bad=a\x01z ; x=1";
  std::vector<CookiePair> expected = {{"__Host-session", "abc="}, {"theme", "dark"}, {"empty", ""}, {"x", "1"}};
  CHECK(parse_cookies(header) == expected);
  CHECK_EQ(find_cookie(header, "theme"), "dark");
  CHECK_EQ(find_cookie(header, "THEME"), std::nullopt);
  CHECK(parse_cookies("").empty());
  CHECK(parse_cookies(";;;").empty());
}

TEST_CASE("of two cookies with one name the first counts") { CHECK_EQ(find_cookie("a=1; a=2", "a"), "1"); }

}  // namespace
}  // namespace troupe::wire
