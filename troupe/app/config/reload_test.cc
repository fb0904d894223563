// What becomes live of a configuration that was read again, and what waits.
#include "troupe/app/config/reload.h"

#include <doctest/doctest.h>

#include "troupe/app/config/check.h"
#include "troupe/app/config/key.h"

using namespace troupe::app;
using Names = std::vector<std::string>;

namespace {

Config completed(Config config = {}) {
  complete(config);
  return config;
}

}  // namespace

TEST_CASE("live keys take effect, the others stay as they were, and both are named") {
  const Config running = completed();
  Config wanted = running;
  wanted.realtime.frames.per_second = 7;
  wanted.realtime.defaults.default_scopes = "topic:a:subscribe";
  wanted.realtime.echo = true;
  wanted.server.listen.port = 1;
  const auto reloaded = reload(running, completed(wanted));
  REQUIRE(reloaded.has_value());
  CHECK_EQ(reloaded->changed, Names{"realtime.messages_per_second", "realtime.default_scopes"});
  CHECK_EQ(reloaded->waiting, Names{"server.listen", "realtime.echo"});
  CHECK_EQ(reloaded->config.realtime.frames.per_second, 7);
  CHECK_EQ(reloaded->config.realtime.defaults.default_scopes, "topic:a:subscribe");
  CHECK_FALSE(reloaded->config.realtime.echo);
  CHECK_EQ(reloaded->config.server.listen.port, running.server.listen.port);
  CHECK_EQ(reloaded->config.oauth.issuer, running.oauth.issuer);
}

TEST_CASE("the certificate may come from other files, but a server that runs neither begins nor ends to speak TLS") {
  const Config plain = completed();
  Config tls = plain;
  tls.server.tls_certificate = "a.pem";
  tls.server.tls_key = "a.key";
  complete(tls);
  Config other = tls;
  other.server.tls_key = "b.key";

  const auto moved = reload(tls, other);
  REQUIRE(moved.has_value());
  CHECK_EQ(moved->changed, Names{"server.tls_key"});
  CHECK_EQ(moved->config.server.tls_key, "b.key");
  for (const auto& [running, wanted] : {std::pair{plain, tls}, {tls, plain}}) {
    const auto reloaded = reload(running, wanted);
    REQUIRE(reloaded.has_value());
    CHECK(reloaded->changed.empty());
    CHECK_EQ(reloaded->waiting, Names{"server.tls_certificate", "server.tls_key"});
    CHECK_EQ(reloaded->config.server.tls_certificate, running.server.tls_certificate);
    CHECK_EQ(reloaded->config.oauth.issuer, running.oauth.issuer);
  }
}

TEST_CASE("where a history lies waits for the next start, of all and of a namespace, whatever comes or goes") {
  using troupe::realtime::Durability;
  Config one = completed();
  one.realtime.namespaces["gone"].options.durability = Durability::disk;
  Config two = completed();
  two.realtime.namespaces["new"].options.durability = Durability::disk;
  two.realtime.namespaces["new"].options.history.count_max = 7;
  const auto reloaded = reload(one, two);
  REQUIRE(reloaded.has_value());
  CHECK_EQ(reloaded->changed, Names{"realtime.namespace.new.history_messages_max"});
  CHECK_EQ(reloaded->waiting,
           Names{"realtime.namespace.gone.history_durability", "realtime.namespace.new.history_durability"});
  const auto& namespaces = reloaded->config.realtime.namespaces;
  CHECK(namespaces.at("gone").options.durability == Durability::disk);
  CHECK(namespaces.at("new").options.durability == Durability::memory);
  CHECK_EQ(namespaces.at("new").options.history.count_max, 7);

  Config all = completed();
  all.realtime.defaults.options.durability = Durability::disk;
  const auto later = reload(completed(), all);
  REQUIRE(later.has_value());
  CHECK_EQ(later->waiting, Names{"realtime.history_durability"});
  CHECK(later->config.realtime.defaults.options.durability == Durability::memory);
}

TEST_CASE("a namespace that comes, changes or goes is named key by key") {
  Config one = completed();
  one.realtime.namespaces["chat"].options.history.count_max = 5;
  one.realtime.namespaces["news"].default_scopes = "topic:news:subscribe";
  Config two = completed();
  two.realtime.namespaces["chat"].options.history.count_max = 6;
  two.realtime.namespaces["live"].options.overflow = troupe::realtime::Overflow::latest;
  two.realtime.namespaces["same"];  // says nothing of its own
  const auto reloaded = reload(one, two);
  REQUIRE(reloaded.has_value());
  CHECK_EQ(reloaded->changed, Names{"realtime.namespace.chat.history_messages_max", "realtime.namespace.live.overflow",
                                    "realtime.namespace.news.default_scopes"});
  CHECK(reloaded->waiting.empty());
  CHECK_EQ(reloaded->config.realtime.namespaces.count("news"), 0);
}

TEST_CASE("the same configuration changes nothing") {
  const auto reloaded = reload(completed(), completed());
  REQUIRE(reloaded.has_value());
  CHECK(reloaded->changed.empty());
  CHECK(reloaded->waiting.empty());
}

TEST_CASE("every key either becomes live or stays as it was") {
  const Config running = completed();
  Config other = completed(development_defaults());
  for (const Key& key : keys()) {
    CAPTURE(key.name);
    Config wanted = running;
    key.copy(wanted, other);
    CHECK_EQ(key.show(wanted), key.show(other));
    const auto reloaded = reload(running, wanted);
    REQUIRE(reloaded.has_value());
    CHECK_EQ(key.show(reloaded->config), key.show(key.reload == Reload::live ? other : running));
  }
}

TEST_CASE("a logo and a list of breached passwords stay those of the start, whatever another file would give") {
  const Config running = completed();
  Config wanted = running;
  wanted.pages.logo_file = "logo.svg";
  wanted.oauth.look.logo = std::make_shared<const troupe::oauth::Logo>();
  wanted.oauth.look.logo_text = "Acme";
  const auto reloaded = reload(running, wanted);
  REQUIRE(reloaded.has_value());
  CHECK_EQ(reloaded->waiting, Names{"oauth.logo_file", "oauth.logo_text"});
  CHECK(reloaded->config.oauth.look.logo == nullptr);
}
