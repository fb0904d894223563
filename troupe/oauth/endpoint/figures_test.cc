// Figures: every answer of the endpoints is counted once, where an operator looks for it.
#include "troupe/oauth/endpoint/figures.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "troupe/oauth/sim/oauth_world.h"

namespace troupe::oauth::test {

TEST_CASE("tokens, refusals, introspections, revocations and sign-ins are counted") {
  base::Metrics metrics;
  OauthWorld oauth{{.metrics = &metrics}};
  const auto code = oauth.authorize(alice, oauth.web_shop);
  const auto tokens = oauth.redeem(oauth.web_shop, code);
  (void)oauth.redeem(oauth.web_shop, code);
  (void)oauth.is_active(tokens.at("access_token"));
  (void)oauth.is_active("garbage");
  (void)oauth.post_as(oauth.web_shop, "/oauth/revoke", {{"token", "garbage"}});
  (void)oauth.post_as(oauth.web_shop, "/oauth/token", {{"grant_type", "client_credentials"}, {"scope", "read"}});
  (void)oauth.post_as({ClientId{"c_nobody"}, "secret", ""}, "/oauth/token", {{"grant_type", "client_credentials"}});
  const std::string scraped = metrics.scrape();
  for (const char* line : {R"(troupe_oauth_tokens_issued_total{grant="authorization_code"} 1)",
                           R"(troupe_oauth_tokens_issued_total{grant="client_credentials"} 1)",
                           R"(troupe_oauth_tokens_issued_total{grant="refresh_token"} 0)",
                           R"(troupe_oauth_refused_total{endpoint="token",error="invalid_grant"} 1)",
                           R"(troupe_oauth_refused_total{endpoint="token",error="invalid_client"} 1)",
                           R"(troupe_oauth_introspections_total{active="true"} 0)",
                           R"(troupe_oauth_introspections_total{active="false"} 2)", "troupe_oauth_revocations_total 1",
                           R"(troupe_oauth_sign_ins_total{outcome="ok"} 1)"}) {
    CAPTURE(line);
    CHECK(scraped.contains(line));
  }
}

TEST_CASE("the refusals that somebody may be woken for are shown before the first one") {
  base::Metrics metrics;
  const OauthWorld oauth{{.metrics = &metrics}};
  const std::string scraped = metrics.scrape();
  for (const char* error : {"invalid_client", "invalid_grant", "temporarily_unavailable"}) {
    CAPTURE(error);
    CHECK(scraped.contains(fmt::format("troupe_oauth_refused_total{{endpoint=\"token\",error=\"{}\"}} 0\n", error)));
  }
}

}  // namespace troupe::oauth::test
