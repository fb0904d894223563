// Client Actor: registrations, secrets, and changes that another process makes.
#include "troupe/oauth/actor/client_actor.h"

#include <doctest/doctest.h>

#include "troupe/oauth/actor/testing/actor_world.h"

namespace troupe::oauth {
namespace {

using namespace std::chrono_literals;
using fixture::ActorWorld;
using enum ClientAuthMethod;

ClientMetadata metadata(ClientAuthMethod method = client_secret) {
  return {.name = "New",
          .auth_method = method,
          .redirect_uris = {"https://new.example/cb"},
          .scope = fixture::scope("read")};
}

ClientCredentials add(ActorWorld& oauth, ClientAuthMethod method = client_secret) {
  return oauth.world.block_on(oauth.clients.ask(RegisterClient{metadata(method)})).value();
}

auto validate(ActorWorld& oauth, const ClientId& id, ClientAuthMethod presented, const ClientSecret& secret) {
  return oauth.world.block_on(oauth.clients.ask(ValidateClient{id, presented, secret}));
}

/// Does what the command line does, in a process of its own.
template <class F>
void from_elsewhere(ActorWorld& oauth, F work) {
  oauth.disk->transact([&](store::Transaction& transaction) {
    SqlTables tables{transaction};
    work(tables.all());
  });
}

TEST_CASE("a registered client proves itself with the secret it was shown, and no other") {
  ActorWorld oauth{1};
  const ClientCredentials made = add(oauth);
  CHECK(made.client->id.value().starts_with("c_"));
  CHECK_EQ(made.secret->expose().size(), 43);
  CHECK(validate(oauth, made.client->id, client_secret_basic, *made.secret).has_value());
  CHECK(validate(oauth, made.client->id, client_secret_post, *made.secret).has_value());
  for (const char* wrong : {"", "x", "0000000000000000000000000000000000000000000"})
    CHECK_EQ(validate(oauth, made.client->id, client_secret_basic, ClientSecret{wrong}).error().domain,
             errors::invalid_client);
}

TEST_CASE("a refusal takes one look at the database, whether there is such a client or not (T33)") {
  ActorWorld oauth{7};
  const ClientCredentials made = add(oauth);
  const auto looks = [&] {
    std::int64_t pieces = 0;
    for (const std::string& run : oauth.shown_by("DatabaseSession", "pieces")) pieces += std::stoll(run);
    return pieces;
  };
  constexpr int tries = 20;
  const auto looks_of = [&](const ClientId& id, const ClientSecret& secret) {
    const std::int64_t before = looks();
    for (int i = 0; i < tries; ++i) (void)validate(oauth, id, client_secret_basic, secret);
    return looks() - before;
  };
  constexpr int others = 5;  // of the actors that look for changes
  CHECK_LE(looks_of(made.client->id, *made.secret), others);
  for (const auto& id : {made.client->id, ClientId{"c_nobody"}}) {
    const auto looked = looks_of(id, ClientSecret{"guess"});
    CHECK_GE(looked, tries);
    CHECK_LE(looked, tries + RefusalBudget::noted_in_a_second + others);  // some are noted, behind their answers
  }
}

TEST_CASE("a client comes by the way it is registered for, and by no other") {
  struct Row {
    ClientAuthMethod registered, presented;
    bool is_good;
  };
  constexpr Row rows[] = {
      {client_secret_basic, client_secret_basic, true},
      {client_secret_basic, client_secret_post, false},
      {client_secret_post, client_secret_basic, false},
      {client_secret, none, false},
      {none, none, true},
      {none, client_secret_basic, false},
  };
  ActorWorld oauth{2};
  for (const auto& [registered, presented, is_good] : rows) {
    const ClientCredentials made = add(oauth, registered);
    const ClientSecret secret = presented == none ? ClientSecret{""} : made.secret.value_or(ClientSecret{"guess"});
    CHECK_EQ(validate(oauth, made.client->id, presented, secret).has_value(), is_good);
  }
}

TEST_CASE("an unknown, a disabled and a wrong client get the same answer") {
  ActorWorld oauth{3};
  const ClientCredentials made = add(oauth);
  const auto disabled =
      oauth.world.block_on(oauth.clients.ask(UpdateClient{made.client->id, metadata(), ClientState::disabled}));
  REQUIRE(disabled.has_value());
  CHECK_EQ((*disabled)->version, 2);
  CHECK_EQ(validate(oauth, made.client->id, client_secret_basic, *made.secret).error().domain, errors::invalid_client);
  CHECK_EQ(validate(oauth, ClientId{"c_nobody"}, client_secret_basic, *made.secret).error().domain,
           errors::invalid_client);
  const auto found = oauth.world.block_on(oauth.clients.ask(GetClient{made.client->id}));
  CHECK_EQ((*found)->state, ClientState::disabled);  // it is found, but lets nobody in
}

TEST_CASE("metadata that may not be is refused before anything is kept") {
  ActorWorld oauth{4};
  ClientMetadata bad = metadata();
  bad.redirect_uris = {"javascript:alert(1)"};
  CHECK_EQ(oauth.world.block_on(oauth.clients.ask(RegisterClient{bad})).error().domain, errors::invalid_redirect_uri);
  CHECK_EQ(oauth.world.block_on(oauth.clients.ask(ListClients{})).value().size(), 2);
}

TEST_CASE("a client that was deleted is gone at once") {
  ActorWorld oauth{5};
  const ClientCredentials made = add(oauth);
  CHECK(validate(oauth, made.client->id, client_secret_basic, *made.secret).has_value());
  CHECK(oauth.world.block_on(oauth.clients.ask(DeleteClient{made.client->id})).has_value());
  CHECK_FALSE(validate(oauth, made.client->id, client_secret_basic, *made.secret).has_value());
  CHECK_EQ(oauth.world.block_on(oauth.clients.ask(DeleteClient{made.client->id})).error().domain,
           errors::invalid_client);
  CHECK_EQ(oauth.world.block_on(oauth.clients.ask(GetClient{made.client->id})).value(), nullptr);
}

TEST_CASE("what people have allowed a client goes with it, and a consent that comes too late leaves nothing behind") {
  ActorWorld oauth{8};
  const ClientId app = add(oauth).client->id;
  const UserId alice = fixture::alice().user.id;
  const auto consent = [&](const ClientId& client) {
    REQUIRE(oauth.world.block_on(oauth.users.ask(RecordConsent{alice, client, fixture::scope("read")})).has_value());
  };
  const auto kept = [&] {
    std::vector<ClientId> clients;
    from_elsewhere(oauth, [&](Tables t) {
      for (const ConsentRecord& each : t.users.consents_of(alice)) clients.push_back(each.client);
    });
    return clients;
  };
  consent(app);
  consent(fixture::shop().id);
  REQUIRE(oauth.world.block_on(oauth.clients.ask(DeleteClient{app})).has_value());
  CHECK_EQ(kept(), std::vector{fixture::shop().id});
  consent(app);
  CHECK_EQ(kept(), std::vector{fixture::shop().id});
}

TEST_CASE("a change that another process makes is seen within a second") {
  ActorWorld oauth{6};
  const ClientId shop = fixture::shop().id;
  CHECK_EQ(oauth.client(shop)->metadata.name, "Shop");
  from_elsewhere(oauth, [&](Tables t) {
    Client client = t.clients.find(shop).value();
    client.metadata.name = "Renamed";
    ++client.version;
    t.clients.update(client);
  });
  oauth.world.advance(1s);
  CHECK_EQ(oauth.client(shop)->metadata.name, "Renamed");
}

TEST_CASE("two secrets are good while one replaces the other, and an expired one is not") {
  ActorWorld oauth{7};
  const ClientCredentials made = add(oauth);
  base::SeededRandom random{9};
  from_elsewhere(oauth, [&](Tables t) {
    t.clients.insert_secret(
        {crypto::TokenIds{}.next(oauth.now(), random), made.client->id, crypto::sha256("next"), oauth.now() + 10s});
  });
  oauth.world.advance(1s);
  CHECK(validate(oauth, made.client->id, client_secret_basic, *made.secret).has_value());
  CHECK(validate(oauth, made.client->id, client_secret_basic, ClientSecret{"next"}).has_value());
  oauth.world.advance(10s);
  CHECK_FALSE(validate(oauth, made.client->id, client_secret_basic, ClientSecret{"next"}).has_value());
}

TEST_CASE("the trail says what a client that manages itself has changed, and what it was registered with") {
  ActorWorld oauth{41};
  ClientMetadata wanted = metadata();
  wanted.pkce = PkcePolicy::optional;
  const auto made = oauth.world.block_on(
      oauth.clients.ask(RegisterClient{.metadata = wanted, .managed = RegisterClient::Managed::by_itself}));
  REQUIRE(made.has_value());
  const auto last_reason = [&] {
    return oauth.disk->transact(
        [](store::Transaction& transaction) { return SqlAudit{transaction}.events(std::nullopt, 1).front().reason; });
  };
  CHECK_EQ(last_reason(), "by_itself (pkce_optional)");
  wanted.pkce = PkcePolicy::required;
  wanted.redirect_uris = {"https://other.example/cb"};
  REQUIRE(oauth.world
              .block_on(oauth.clients.ask(
                  UpdateRegistration{.id = made->client->id, .token = *made->registration, .metadata = wanted}))
              .has_value());
  CHECK_EQ(last_reason(), "by_itself (redirect_uris, require_pkce)");
}

/// Asks once whether pages of that origin are a client's; gives how often that went to the database.
std::int64_t looks_for(ActorWorld& oauth, const std::string& origin, bool is_expected) {
  const auto looks = [&] {
    std::int64_t pieces = 0;
    for (const std::string& run : oauth.shown_by("DatabaseSession", "pieces")) pieces += std::stoll(run);
    return pieces;
  };
  const std::int64_t before = looks();
  CAPTURE(origin);
  CHECK_EQ(oauth.world.block_on(oauth.clients.ask(IsClientOrigin{origin})).value(), is_expected);
  return looks() - before;
}

TEST_CASE("which origins clients have follows what is done here, and is read anew after what others have done") {
  ActorWorld oauth{51};
  const std::string origin = "https://new.example";
  CHECK_GE(looks_for(oauth, origin, false), 1);
  const ClientCredentials one = add(oauth, none);
  const ClientCredentials two = add(oauth, none);
  const auto update = [&](const ClientId& id, ClientMetadata wanted, ClientState state = ClientState::enabled) {
    REQUIRE(oauth.world.block_on(oauth.clients.ask(UpdateClient{id, std::move(wanted), state})).has_value());
  };
  oauth.world.advance(1s);  // the generation of the table is seen to have risen
  CHECK_EQ(looks_for(oauth, origin, true), 0);
  ClientMetadata moved = metadata(none);
  moved.redirect_uris = {"https://a.example/cb", "https://a.example/other", "app.example:/cb"};
  update(one.client->id, moved);
  oauth.world.advance(1s);
  CHECK_EQ(looks_for(oauth, "https://a.example", true), 0);
  CHECK_EQ(looks_for(oauth, origin, true), 0);  // the other one has it still
  update(two.client->id, metadata(none), ClientState::disabled);
  CHECK_EQ(looks_for(oauth, origin, false), 0);
  update(two.client->id, metadata(none));
  CHECK_EQ(looks_for(oauth, origin, true), 0);
  CHECK(oauth.world.block_on(oauth.clients.ask(DeleteClient{one.client->id})).has_value());
  CHECK_EQ(looks_for(oauth, "https://a.example", false), 0);

  const ClientId id = two.client->id;
  from_elsewhere(oauth, [&](Tables t) { t.clients.remove(id); });
  const ClientCredentials three = add(oauth, none);  // behind a change that nobody here has seen
  oauth.world.advance(1s);
  CHECK_GE(looks_for(oauth, origin, true), 1);
  CHECK(oauth.world.block_on(oauth.clients.ask(DeleteClient{three.client->id})).has_value());
  CHECK_EQ(looks_for(oauth, origin, false), 0);
}

}  // namespace
}  // namespace troupe::oauth
