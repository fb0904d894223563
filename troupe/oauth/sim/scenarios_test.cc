// Scenarios of the authorization server under many schedules: a code is redeemed once and a family has one live end,
// whoever comes first, whatever is started anew in the middle of it.
#include <doctest/doctest.h>

#include "troupe/actor/sim/explore.h"
#include "troupe/oauth/sim/oauth_world.h"

namespace troupe::oauth::test {
namespace {

using namespace std::chrono_literals;
using actor::test::explore;
using actor::test::Seed;

/// What is told apart here are orders of events, not algorithms.
OauthWorldOptions quick(Seed seed) { return {.seed = seed, .keys = {.algorithms = {crypto::Algorithm::es256}}}; }

web::Request redemption_of(const OauthWorld& oauth, const std::string& code) {
  return oauth.token_request(oauth.web_shop, {{"grant_type", "authorization_code"},
                                              {"code", code},
                                              {"redirect_uri", oauth.web_shop.redirect_uri},
                                              {"code_verifier", std::string{OauthWorld::verifier}}});
}

web::Request refresh_of(const OauthWorld& oauth, const std::string& token) {
  return oauth.token_request(oauth.phone, {{"grant_type", "refresh_token"}, {"refresh_token", token}});
}

}  // namespace

TEST_CASE("of many redemptions of a code exactly one succeeds, and what it gave is taken back") {
  explore({.schedules = 60}, [](Seed seed) {
    OauthWorld oauth{quick(seed)};
    base::SeededRandom random{seed.number};
    const auto code = oauth.authorize(alice, oauth.web_shop);
    const std::vector<web::Request> requests(2 + random.below(12), redemption_of(oauth, code));
    int granted = 0;
    std::string access, refresh;
    for (const Reply& reply : oauth.send_all(requests)) {
      if (reply.status() == 200) {
        ++granted;
        access = reply.at("access_token");
        refresh = reply.at("refresh_token");
      } else {
        CHECK_EQ(reply.error(), "invalid_grant");
      }
    }
    CHECK_EQ(granted, 1);
    CHECK_FALSE(oauth.is_active(access));
    CHECK_FALSE(oauth.is_active(refresh));
  });
}

TEST_CASE(
    "with actors started anew among the redemptions of a code none succeeds twice, and a replay ends the family") {
  int granted_in_all = 0;
  int troubles = 0;
  explore(
      {.schedules = 60},
      [&](Seed seed) {
        OauthWorld oauth{quick(seed)};
        base::SeededRandom random{seed.number};
        const auto code = oauth.authorize(alice, oauth.web_shop);
        int granted = 0;
        std::vector<std::string> tokens;
        auto meanwhile = [&] {  // turns pass at once, but the store takes its time
          oauth.advance(std::chrono::milliseconds{random.below(6)});
          oauth.world().run(random.below(40));
          oauth.break_store(random.below(2) == 0 ? Trouble::surprise : Trouble::outage);
          oauth.world().run(random.below(40));
          oauth.advance(std::chrono::milliseconds{random.below(12)});
          oauth.repair_store();
        };
        const std::vector<web::Request> requests(2 + random.below(10), redemption_of(oauth, code));
        for (const Reply& reply : oauth.send_all(requests, meanwhile)) {
          if (reply.status() == 200) {
            ++granted;
            tokens.push_back(reply.at("access_token"));
            tokens.push_back(reply.at("refresh_token"));
          } else if (reply.error() != "invalid_grant") {
            CHECK_GE(reply.status(), 500);
            ++troubles;
          }
        }
        CHECK_LE(granted, 1);
        granted_in_all += granted;
        oauth.advance(30s);  // who was started anew is there again
        const auto last = oauth.redeem(oauth.web_shop, code);
        if (last.status() == 200) {  // everybody before it met the trouble before the code was spent
          CHECK_EQ(granted, 0);
          tokens = {last.at("access_token")};
          CHECK_EQ(oauth.redeem(oauth.web_shop, code).error(), "invalid_grant");
        } else {
          CHECK_EQ(last.error(), "invalid_grant");
        }
        for (const auto& token : tokens) CHECK_FALSE(oauth.is_active(token));
      },
      [&] {
        CHECK_GT(granted_in_all, 30);  // neither always in trouble
        CHECK_GT(troubles, 60);        // nor never
      });
}

TEST_CASE(
    "refreshes at once within the grace give one successor; a reuse after it ends the family and all its tokens") {
  int ended = 0;
  int lived = 0;
  explore(
      {.schedules = 60},
      [&](Seed seed) {
        OauthWorld oauth{quick(seed)};
        base::SeededRandom random{seed.number};
        const auto first = oauth.redeem(oauth.phone, oauth.authorize(alice, oauth.phone));
        std::vector<std::string> chain{first.at("refresh_token")};  // each was made from the one before
        std::string access = first.at("access_token");
        bool alive = true;
        for (int round = 0; round < 6 && alive; ++round) {
          // The end of the chain, mostly with others of it, at once or a while later.
          std::vector<web::Request> requests(1 + random.below(4), refresh_of(oauth, chain.back()));
          const bool late = random.below(4) == 0;
          oauth.advance(late ? 31s : std::chrono::seconds{random.below(3)});
          const bool with_older = chain.size() > 1 && random.below(3) == 0;
          if (with_older) {
            requests.insert(requests.begin() + static_cast<std::ptrdiff_t>(random.below(requests.size() + 1)),
                            refresh_of(oauth, chain[chain.size() - 2]));
          }
          std::string successor;
          for (const Reply& reply : oauth.send_all(std::move(requests))) {
            if (reply.status() != 200) {
              CHECK_EQ(reply.error(), "invalid_grant");
              CHECK(with_older);  // only a reuse ends a family
              alive = false;
              continue;
            }
            access = reply.at("access_token");
            const auto token = reply.at("refresh_token");
            if (token == chain.back()) continue;  // the older one within its grace: the same answer again
            if (successor.empty()) successor = token;
            CHECK_EQ(token, successor);
          }
          if (with_older && late) CHECK_FALSE(alive);
          if (!successor.empty()) chain.push_back(successor);
        }
        if (alive) {
          ++lived;
          CHECK(oauth.is_active(access));
          const auto next = oauth.refresh(oauth.phone, chain.back());
          CHECK_EQ(next.status(), 200);
          chain.push_back(next.at("refresh_token"));
          oauth.advance(31s);  // and now somebody shows the one before it
          CHECK_EQ(oauth.refresh(oauth.phone, chain[chain.size() - 2]).error(), "invalid_grant");
        } else {
          ++ended;
        }
        CHECK_FALSE(oauth.is_active(access));
        for (const auto& token : chain) CHECK_EQ(oauth.refresh(oauth.phone, token).error(), "invalid_grant");
      },
      [&] {
        CHECK_GT(ended, 10);
        CHECK_GT(lived, 10);
      });
}

TEST_CASE("whatever hurries at the end of a session, no token of it is alive afterwards (T44)") {
  int granted = 0, late = 0;
  explore(
      {.schedules = 60},
      [&](Seed seed) {
        OauthWorld oauth{quick(seed)};
        base::SeededRandom random{seed.number};
        Browser browser{oauth};
        const auto authorize = [&] {
          const auto query = oauth.authorization_query(oauth.web_shop, "scope=openid+read");
          auto page = browser.follow(browser.get("/oauth/authorize?" + query));
          if (page.body().contains("Sign in")) {
            page = browser.follow(
                browser.submit(page, "/login", {{"username", alice.name}, {"password", alice.password}}));
          }
          if (page.status() == 200) page = browser.submit(page, "/consent", {{"decision", "allow"}});
          return std::string{page.location_query().get("code").value_or("")};
        };
        const auto first = oauth.redeem(oauth.web_shop, authorize());
        web::Request sign_out{.path = "/oauth/logout", .query = "id_token_hint=" + first.at("id_token")};
        sign_out.headers.add("Cookie", "troupe_session=" + browser.cookies.at("troupe_session"));
        const std::vector<web::Request> redemptions{redemption_of(oauth, authorize()),
                                                    redemption_of(oauth, authorize())};
        std::vector<Reply> replies;
        oauth.send_all({sign_out}, [&] {
          oauth.world().run(random.below(60));  // a redemption is shorter than a sign-out
          oauth.advance(std::chrono::milliseconds{random.below(12)});
          replies = oauth.send_all(redemptions);
        });

        std::vector<std::string> tokens{first.at("access_token")};
        for (const Reply& reply : replies) {
          if (reply.at("access_token").empty()) {
            ++late;
            continue;
          }
          ++granted;  // it was just in time
          tokens.push_back(reply.at("access_token"));
        }
        CHECK_EQ(browser.get("/account").status(), 303);
        for (const auto& token : tokens) CHECK_FALSE(oauth.is_active(token));
      },
      [&] {
        CHECK_GT(granted, 5);  // neither always late
        CHECK_GT(late, 5);     // nor never
      });
}

}  // namespace troupe::oauth::test
