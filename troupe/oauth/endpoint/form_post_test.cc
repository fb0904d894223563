// The page that posts an authorization response: its fields, and what its policy lets run.
#include "troupe/oauth/endpoint/form_post.h"

#include <doctest/doctest.h>

#include "troupe/oauth/sim/oauth_world.h"

namespace troupe::oauth::test {
namespace {

TEST_CASE("the page has the parameters as they are, whatever is in them (T24)") {
  const auto response = form_post_page(Language::german, "https://app.example/cb?a=1&b=2",
                                       {{"code", "ac_x"}, {"state", "\"><script>alert(1)</script>"}});
  const auto body = response.body.view();
  CHECK(body.contains("action=\"https://app.example/cb?a=1&amp;b=2\""));
  CHECK(body.contains("name=\"code\" value=\"ac_x\""));
  CHECK(body.contains(">Weiter</button>"));
  CHECK(body.contains("value=\"&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;\""));
  CHECK_EQ(response.headers.get("cache-control"), "no-store");
  CHECK_EQ(response.headers.get("x-frame-options"), "DENY");
  CHECK(response.headers.get("content-security-policy")->contains("script-src 'sha256-"));
  CHECK_FALSE(response.headers.get("content-security-policy")->contains("unsafe"));
}

TEST_CASE("who asks for form_post gets codes and errors in a form, and nothing in an address") {
  OauthWorld oauth{{.seed = 1}};
  Browser browser{oauth};
  const auto ask = [&](std::string_view changes) {
    return browser.get("/oauth/authorize?" + oauth.authorization_query(oauth.web_shop, changes));
  };
  auto refused = ask("response_mode=form_post&prompt=none");
  CHECK_EQ(refused.status(), 200);
  CHECK_EQ(refused.header("location"), "");
  CHECK(refused.body().contains("name=\"error\" value=\"login_required\""));
  CHECK(refused.body().contains("name=\"iss\" value=\"" + oauth.options().issuer + "\""));
  auto invalid = ask("response_mode=form_post&scope=unheard");
  CHECK(invalid.body().contains("value=\"invalid_scope\""));
  CHECK_EQ(ask("response_mode=fragment").location_query().get("error"), "invalid_request");

  auto login = browser.follow(ask("response_mode=form_post"));
  auto consent =
      browser.follow(browser.submit(login, "/login", {{"username", alice.name}, {"password", alice.password}}));
  auto answer = browser.submit(consent, "/consent", {{"decision", "allow"}});
  CHECK_EQ(answer.status(), 200);
  CHECK(answer.body().contains("action=\"" + oauth.web_shop.redirect_uri + "\""));
  const auto body = std::string{answer.body()};
  const auto at = body.find("name=\"code\" value=\"") + 19;
  CHECK_EQ(oauth.redeem(oauth.web_shop, body.substr(at, body.find('"', at) - at)).status(), 200);
}

}  // namespace
}  // namespace troupe::oauth::test
