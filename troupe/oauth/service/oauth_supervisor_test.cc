// The supervisor: what its actors do while a dependency fails, and after it.
#include "troupe/oauth/service/oauth_supervisor.h"

#include <doctest/doctest.h>

#include <map>
#include <set>

#include "troupe/oauth/sim/oauth_world.h"

namespace troupe::oauth::test {
namespace {

TEST_CASE("a dead store is told as such, and all is well when it is back") {
  OauthWorld oauth{{.seed = 9}};
  auto code = oauth.authorize(alice, oauth.web_shop);
  const wire::Form form{{"grant_type", "client_credentials"}};
  oauth.break_store();
  for (int i = 0; i < 50; ++i) {
    auto reply = oauth.post_as(oauth.web_shop, "/oauth/token", form);
    CHECK_EQ(reply.status(), 503);
    CHECK_EQ(reply.error(), "temporarily_unavailable");
    CHECK_NE(reply.header("retry-after"), "");
  }
  CHECK_EQ(oauth.redeem(oauth.web_shop, code).status(), 503);
  oauth.repair_store();
  CHECK_EQ(oauth.post_as(oauth.web_shop, "/oauth/token", form).status(), 200);
  CHECK_EQ(oauth.redeem(oauth.web_shop, code).status(), 200);  // it was not spent
}

TEST_CASE("actors that fault again and again are there again when the cause is gone") {
  OauthWorld oauth{{.seed = 10}};
  const wire::Form form{{"grant_type", "client_credentials"}};
  oauth.break_store(Trouble::surprise);
  for (int i = 0; i < 60; ++i) {
    CHECK_EQ(oauth.post_as(oauth.web_shop, "/oauth/token", form).status(), 503);
  }
  oauth.repair_store();
  oauth.advance(std::chrono::seconds{15});
  CHECK_EQ(oauth.post_as(oauth.web_shop, "/oauth/token", form).status(), 200);
}

TEST_CASE("an owner that was started anew owns what it owned: a code is redeemed once, a token refreshed") {
  OauthWorld oauth{{.seed = 11}};
  const auto code = oauth.authorize(alice, oauth.web_shop);
  const auto tokens = oauth.redeem(oauth.web_shop, oauth.authorize(alice, oauth.web_shop));
  oauth.break_store(Trouble::surprise);
  CHECK_EQ(oauth.redeem(oauth.web_shop, code).status(), 503);
  CHECK_EQ(oauth.refresh(oauth.web_shop, tokens.at("refresh_token")).status(), 503);
  oauth.repair_store();
  oauth.advance(std::chrono::seconds{5});
  CHECK_EQ(oauth.redeem(oauth.web_shop, code).status(), 200);
  CHECK_EQ(oauth.redeem(oauth.web_shop, code).error(), "invalid_grant");
  CHECK_EQ(oauth.refresh(oauth.web_shop, tokens.at("refresh_token")).status(), 200);
}

TEST_CASE("each core has an owner of codes and one of tokens") {
  OauthWorld oauth;
  std::map<std::string, std::set<int>> cores;
  for (const auto& actor : oauth.world().block_on(oauth.world().system().inspect()))
    cores[actor.type].insert(actor.core);
  CHECK_EQ(cores["AuthActor"], std::set{0, 1});
  CHECK_EQ(cores["TokenActor"], std::set{0, 1});
}

}  // namespace
}  // namespace troupe::oauth::test
