// Revocation: a client takes back what it was given.
#include <doctest/doctest.h>
#include "troupe/oauth/sim/oauth_world.h"

namespace troupe::oauth::test {
namespace {

TEST_CASE("a client takes back its own tokens and no others (T54)") {
  OauthWorld oauth{{.seed = 3}};
  auto access = oauth.redeem(oauth.web_shop, oauth.authorize(alice, oauth.web_shop)).at("access_token");
  const wire::Form form{{"token", access}};
  auto foreign = oauth.post_as(oauth.other_shop, "/oauth/revoke", form);
  CHECK_EQ(foreign.status(), 400);
  CHECK_EQ(oauth.post_as(oauth.phone, "/oauth/revoke", form).status(), 200);  // a public one is told nothing
  CHECK(oauth.is_active(access));

  CHECK_EQ(oauth.post_as(oauth.web_shop, "/oauth/revoke", {{"token", "unknown"}}).status(), 200);
  CHECK_EQ(oauth.post_as(oauth.web_shop, "/oauth/revoke", {{"a", "b"}}).error(), "invalid_request");
  auto own = oauth.post_as(oauth.web_shop, "/oauth/revoke", {{"token", access}, {"token_type_hint", "magic"}});
  CHECK_EQ(own.status(), 200);
  CHECK_EQ(own.body(), "{}");
  CHECK_FALSE(oauth.is_active(access));
}

}  // namespace
}  // namespace troupe::oauth::test
