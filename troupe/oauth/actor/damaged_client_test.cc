// A client whose row was damaged: it alone is told, and stands in nobody else's way.
#include <doctest/doctest.h>

#include <algorithm>

#include "troupe/base/log.h"
#include "troupe/oauth/actor/testing/actor_world.h"

namespace troupe::oauth {
namespace {

using fixture::ActorWorld;

const ClientId damaged = fixture::shop().id;

/// The world's shop cannot be read any more.
void damage(ActorWorld& oauth, std::string_view column = "scope", const store::Value& by = "a\"b") {
  oauth.disk->transact([&](store::Transaction& t) {
    t.run("UPDATE clients SET " + std::string{column} + " = ?1 WHERE id = 'c_shop'", {by});
  });
}

std::int64_t lines_about(const base::log::Capture& log, std::string_view text) {
  return std::ranges::count_if(log.lines(), [&](const std::string& line) { return line.contains(text); });
}

TEST_CASE("a client whose row is damaged is left out of the lists, and told once") {
  for (const auto& [column, by] : {std::pair<std::string_view, store::Value>{"scope", "a\"b"},
                                   {"auth_method", "by_hand"},
                                   {"id_token_alg", "none"},
                                   {"jwks", "{\"keys\":"},
                                   {"name", "\xff"}}) {
    CAPTURE(column);
    const base::log::Capture log;
    ActorWorld oauth{1};
    damage(oauth, column, by);
    const auto all = oauth.world.block_on(oauth.clients.ask(ListClients{}));
    REQUIRE(all.has_value());
    REQUIRE_EQ(all->size(), 1);
    CHECK_EQ(all->front()->id, fixture::phone().id);
    const auto page = oauth.world.block_on(oauth.clients.ask(ListClientPage{})).value();
    CHECK_EQ(page.clients.size(), 1);
    REQUIRE_EQ(page.damaged.size(), 1);
    CHECK_EQ(page.damaged.front().id, damaged);
    CHECK_EQ(page.last, damaged);
    CHECK_EQ(lines_about(log, "c_shop"), 1);
    CHECK_EQ(oauth.shown_by("ClientActor", "damaged"), std::vector<std::string>{"1"});
  }
}

TEST_CASE("pages of clients go on behind one that is damaged") {
  ActorWorld oauth{2};
  damage(oauth);
  std::vector<ClientId> seen;
  ClientPage page{.rest = ClientPage::Rest::more};
  while (page.rest == ClientPage::Rest::more) {
    page = oauth.world.block_on(oauth.clients.ask(ListClientPage{.after = page.last, .count = 1})).value();
    REQUIRE_EQ(page.clients.size() + page.damaged.size(), 1);
    seen.push_back(page.last);
  }
  CHECK_EQ(seen, std::vector{fixture::phone().id, damaged});
}

TEST_CASE("pages of the other clients may read what is for them, and those of a damaged one may not") {
  ActorWorld oauth{3};
  const auto add = [&](const char* uri) {
    const ClientMetadata metadata{.name = "App", .auth_method = ClientAuthMethod::none, .redirect_uris = {uri}};
    return oauth.world.block_on(oauth.clients.ask(RegisterClient{metadata})).value().client->id;
  };
  const auto is_known = [&](const char* origin) {
    const auto answer = oauth.world.block_on(oauth.clients.ask(IsClientOrigin{origin}));
    REQUIRE(answer.has_value());
    return *answer;
  };
  const ClientId app = add("https://app.example/");
  const ClientId other = add("https://other.example/");
  CHECK(is_known("https://app.example"));
  oauth.disk->transact(
      [&](store::Transaction& t) { t.run("UPDATE clients SET scope = '\"' WHERE id = ?1", {other.value()}); });
  oauth.world.advance(std::chrono::seconds{1});
  CHECK(is_known("https://app.example"));
  CHECK_FALSE(is_known("https://other.example"));
  add("https://third.example/");  // and what changes since is followed
  CHECK(is_known("https://third.example"));
  CHECK_EQ(oauth.shown_by("ClientActor", "damaged"), std::vector<std::string>{"1"});
}

TEST_CASE("who asks for a damaged client is told what is wrong, and one that is mended is there again") {
  ActorWorld oauth{4};
  damage(oauth);
  const auto get = [&] { return oauth.world.block_on(oauth.clients.ask(GetClient{damaged})); };
  const auto refused = get();
  REQUIRE_FALSE(refused.has_value());
  CHECK_EQ(refused.error().domain, errors::server_error);
  const auto validated = oauth.world.block_on(
      oauth.clients.ask(ValidateClient{damaged, ClientAuthMethod::client_secret_basic, ClientSecret{"x"}}));
  CHECK_EQ(validated.error().domain, errors::server_error);
  CHECK(oauth.client(fixture::phone().id) != nullptr);

  damage(oauth, "scope", "openid");
  oauth.world.advance(std::chrono::seconds{1});
  CHECK(get().has_value());
  CHECK_EQ(oauth.shown_by("ClientActor", "damaged"), std::vector<std::string>{"0"});
}

TEST_CASE("a client that is damaged while it changes its registration is told so, and nothing is changed") {
  const base::log::Capture log;
  ActorWorld oauth{6};
  const ClientMetadata metadata{
      .name = "App", .auth_method = ClientAuthMethod::none, .redirect_uris = {"https://app.example/"}};
  const auto made =
      oauth.world.block_on(oauth.clients.ask(RegisterClient{metadata, RegisterClient::Managed::by_itself})).value();
  const ClientId id = made.client->id;
  oauth.disk->transact(
      [&](store::Transaction& t) { t.run("UPDATE clients SET scope = '\"' WHERE id = ?1", {id.value()}); });
  const auto update = [&](const RegistrationToken& token) {
    return oauth.world.block_on(oauth.clients.ask(UpdateRegistration{.id = id, .token = token, .metadata = metadata}))
        .error()
        .domain;
  };
  CHECK_EQ(update(*made.registration), errors::server_error);
  CHECK_GE(lines_about(log, id.value()), 1);
  CHECK_EQ(update(RegistrationToken{"wrong"}), errors::invalid_token);
  const auto seen =
      oauth.world.block_on(oauth.clients.ask(GetRegistration{id, *made.registration}));  // the token stays
  CHECK_EQ(seen.error().domain, errors::server_error);
}

TEST_CASE("a damaged client keeps nobody signed in, and hides nothing else that its users have allowed") {
  const base::log::Capture log;
  ActorWorld oauth{5};
  const UserId alice = fixture::alice().user.id;
  for (const Client& client : {fixture::shop(), fixture::phone()}) {
    const auto shared = std::make_shared<const Client>(client);
    REQUIRE(oauth.redeem(oauth.authorize(shared), shared).has_value());
  }
  const SessionId session{fixture::Ids{}.next().text()};
  const SessionToken cookie{session.value() + ".secret"};
  oauth.disk->transact([&](store::Transaction& t) {
    SqlTables tables{t};
    const Authentication by{.user = alice, .session = session, .time = oauth.now()};
    tables.users.insert_session(
        {.session = {.id = session, .authentication = by, .created_at = oauth.now(), .seen_at = oauth.now()},
         .hash = crypto::sha256(cookie.expose()),
         .expires_at = oauth.now() + std::chrono::hours{1},
         .ended_at = std::nullopt});
    tables.grants.insert_family(
        {.grant = fixture::grant_of(fixture::shop(), fixture::Ids{.random = base::SeededRandom{9}}.next(),
                                    crypto::TokenId::parse(session.value()).value()),
         .expires_at = oauth.now() + std::chrono::hours{1},
         .revoked_at = std::nullopt,
         .revoked_because = ""});
  });
  damage(oauth);

  const auto allowed = oauth.world.block_on(oauth.users.ask(ListConsents{alice}));
  REQUIRE(allowed.has_value());
  REQUIRE_EQ(allowed->size(), 1);
  CHECK_EQ(allowed->front().client, fixture::phone().id);
  const auto ended = oauth.world.block_on(oauth.sessions.ask(EndSession{cookie}));
  REQUIRE(ended.has_value());
  CHECK(ended->has_value());
  REQUIRE(oauth.world.block_on(oauth.users.ask(DisableUser{alice})).has_value());
  CHECK_GE(lines_about(log, "c_shop"), 2);
}

}  // namespace
}  // namespace troupe::oauth
