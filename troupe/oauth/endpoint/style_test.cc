// The look of the pages: as the operator chose it, and nothing that anybody could break out of.
#include "troupe/oauth/endpoint/style.h"

#include <doctest/doctest.h>

#include "troupe/oauth/endpoint/html.h"
#include "troupe/oauth/sim/oauth_world.h"

namespace troupe::oauth::test {
namespace {

std::shared_ptr<const Logo> logo_of(std::string bytes) {
  return std::make_shared<const Logo>(logo_of_bytes(std::move(bytes)).value());
}

TEST_CASE("the style has the colours of both schemes, and writes on buttons what can be read there") {
  Look look;
  look.light.accent = {0xff, 0xe0, 0x00};
  look.dark.accent = {0x10, 0x20, 0x30};
  const std::string style = stylesheet(look);
  const std::size_t dark = style.find("prefers-color-scheme: dark");
  REQUIRE_NE(dark, std::string::npos);
  CHECK(style.substr(0, dark).contains("--accent: #ffe000; --on-accent: #000000"));
  CHECK(style.substr(dark).contains("--accent: #102030; --on-accent: #ffffff"));
  CHECK_FALSE(style.contains("url("));
}

TEST_CASE("the text of a logo stays within its place in the style") {
  Look look{.logo = logo_of("<svg/>"), .logo_text = "a\"; } body { display: none\\\n</style>"};
  const std::string style = stylesheet(look);
  CHECK(style.contains(R"(/ "a\22 ; } body { display: none\5c \a \3c /style>")"));
}

TEST_CASE("the stylesheet is served and may be kept, and a reader who has it is not sent it again") {
  OauthWorld oauth;
  const auto reply = oauth.send({.path = "/oauth/pages.css"});
  CHECK_EQ(reply.status(), 200);
  CHECK(reply.header("content-type").starts_with("text/css"));
  CHECK(reply.body().contains("prefers-color-scheme: dark"));
  const auto again = oauth.send({.path = "/oauth/pages.css", .headers = {{"If-None-Match", reply.header("etag")}}});
  CHECK_EQ(again.status(), 304);
}

TEST_CASE("the logo is served at a path of its bytes, as an image that runs nothing (T24)") {
  const auto logo = logo_of("<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>");
  OauthWorld oauth{{.seed = 3, .oauth = {.look = {.logo = logo, .logo_text = "Acme"}}}};
  const std::string path = std::string{logos_path} + logo->name;
  CHECK(oauth.send({.path = "/oauth/pages.css"}).body().contains(path));

  const auto reply = oauth.send({.path = path});
  CHECK_EQ(reply.status(), 200);
  CHECK_EQ(reply.body(), logo->bytes.view());
  CHECK_EQ(reply.header("content-type"), "image/svg+xml");
  CHECK_EQ(reply.header("x-content-type-options"), "nosniff");
  CHECK(reply.header("content-security-policy").contains("default-src 'none'"));
  CHECK(reply.header("content-security-policy").contains("sandbox;"));
  CHECK(reply.header("cache-control").contains("immutable"));
}

TEST_CASE("there is no other image, and none at all without a logo") {
  OauthWorld with{{.seed = 4, .oauth = {.look = {.logo = logo_of("<svg/>")}}}};
  CHECK_EQ(with.send({.path = "/oauth/logo/other.svg"}).status(), 404);
  CHECK_EQ(with.send({.path = "/oauth/logo/"}).status(), 404);
  OauthWorld without{{.seed = 5}};
  CHECK_EQ(without.send({.path = "/oauth/logo/x.png"}).status(), 404);
}

}  // namespace
}  // namespace troupe::oauth::test
