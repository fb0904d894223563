// Pages: text from outside stays text, and nothing runs or is framed.
#include "troupe/oauth/endpoint/page.h"

#include <doctest/doctest.h>

namespace troupe::oauth {
namespace {

constexpr auto attack = "<script>alert('x')</script>\"&";

FormPlace place() { return {FlowId{"f1"}, CsrfToken{std::string{"t1"}}}; }

AuthRequest hostile_request() {
  auto client = std::make_shared<Client>();
  client->metadata.name = attack;
  return {.client = client, .redirect_uri = "https://app.example/cb", .scope = ScopeSet::parse("<b> openid").value()};
}

TEST_CASE("what comes from outside is text on our pages, never markup (T24)") {
  auto request = hostile_request();
  for (const auto& response : {login_page(200, place(), attack, attack, attack), consent_page(place(), request, attack),
                               logout_page({.client_id = attack, .state = attack}, CsrfToken{std::string{attack}}),
                               signed_out_page(std::string{"https://a.example/"} + attack), notice_page(attack, attack),
                               error_page({.code = "x", .description = attack})}) {
    CHECK_FALSE(response.body.view().contains("<script"));
    CHECK_FALSE(response.body.view().contains("<b>"));
    CHECK(response.body.view().contains("&lt;script&gt;"));
  }
}

TEST_CASE("pages run nothing, load nothing but their style, and stand in no frame (T24, T28, T32, T56)") {
  auto response = login_page(200, place(), "Shop", "", "");
  CHECK_EQ(response.headers.get("content-security-policy"),
           "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'");
  CHECK_EQ(response.headers.get("x-frame-options"), "DENY");
  CHECK_EQ(response.headers.get("referrer-policy"), "no-referrer");
  CHECK_EQ(response.headers.get("cache-control"), "no-store");
}

TEST_CASE("each form carries its flow and the token of its page") {
  auto body = consent_page(place(), hostile_request(), "alice").body;
  CHECK(body.view().contains(R"(name="flow" value="f1")"));
  CHECK(body.view().contains(R"(name="csrf" value="t1")"));
  CHECK(body.view().contains("Know who you are here"));
  CHECK(body.view().contains("app.example"));
}

}  // namespace
}  // namespace troupe::oauth
