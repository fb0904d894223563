// What the configuration means for the parts.
#include "troupe/app/platform/options.h"

#include <doctest/doctest.h>

using namespace troupe;
using namespace troupe::app;

TEST_CASE("nobody without a token is let in unless anonymous scopes are named") {
  Config config;
  CHECK(realtime_options(config).settings->anonymous() == realtime::Anonymous::refused);
  config.realtime.defaults.anonymous_scopes = "topic:news.*:subscribe topic:chat:publish";
  const auto options = realtime_options(config);
  CHECK(options.settings->anonymous() == realtime::Anonymous::allowed);
  CHECK_EQ(options.settings->grants_without_token()->size(), 2);
  CHECK(options.settings->grants_with_token()->empty());
}

TEST_CASE("anonymous scopes of one namespace are enough") {
  Config config;
  config.realtime.namespaces["news"].anonymous_scopes = "topic:news.*:subscribe";
  CHECK(realtime_options(config).settings->anonymous() == realtime::Anonymous::allowed);
}

TEST_CASE("pages of the issuer may connect, besides those that are named") {
  Config config;
  config.oauth.issuer = "https://a.example";
  config.realtime.allowed_origins = {"https://b.example"};
  CHECK_EQ(realtime_options(config).allowed_origins,
           std::vector<std::string>{"https://b.example", "https://a.example"});
}

TEST_CASE("proxies are trusted by network") {
  Config config;
  config.server.trusted_proxies = {"10.0.0.0/8", "::1"};
  const auto options = http_options(config);
  REQUIRE_EQ(options.guard.trusted_proxies.size(), 2);
  CHECK(options.guard.trusted_proxies[0].contains(*net::IpAddress::parse("10.1.2.3")));
}

TEST_CASE("a proxy stands before the server where one is trusted, or where others must speak its TLS") {
  Config config;
  config.oauth.issuer = "http://127.0.0.1:8080";
  CHECK(behind_proxy(config) == BehindProxy::no);
  config.server.trusted_proxies = {"127.0.0.0/8"};
  CHECK(behind_proxy(config) == BehindProxy::yes);
  config.server.trusted_proxies = {};
  config.oauth.issuer = "https://id.example.org";
  CHECK(behind_proxy(config) == BehindProxy::yes);
  config.server.tls_certificate = "cert.pem";
  config.server.tls_key = "key.pem";
  CHECK(behind_proxy(config) == BehindProxy::no);
}

TEST_CASE("what one address may have open and under way is bounded as the configuration says, proxies aside") {
  Config config;
  config.server.trusted_proxies = {"10.0.0.0/8"};
  config.server.tls_handshakes_by_address_max = 7;
  config.http.connections_by_address_max = 9;
  base::Metrics metrics;
  const auto tls = tls_options(config, metrics);
  CHECK_EQ(tls.handshakes_by_address_max, 7);
  CHECK_EQ(tls.metrics, &metrics);
  REQUIRE_EQ(tls.exempt.size(), 1);
  CHECK(tls.exempt[0].contains(*net::IpAddress::parse("10.1.2.3")));
  CHECK_EQ(http_options(config).connections_by_address_max, 9);
}

TEST_CASE("a file for history is wanted where any namespace wants it") {
  Config config;
  CHECK_FALSE(keeps_history_on_disk(config));
  config.realtime.namespaces["news"];
  CHECK_FALSE(keeps_history_on_disk(config));
  config.realtime.namespaces["orders"].options.durability = realtime::Durability::disk;
  CHECK(keeps_history_on_disk(config));
  config.realtime.namespaces.clear();
  config.realtime.defaults.options.durability = realtime::Durability::disk;
  CHECK(keeps_history_on_disk(config));
}
