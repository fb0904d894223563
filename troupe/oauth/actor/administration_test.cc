// What those who administer do to records, as the owners of the records: who hears of it, and what is looked at.
#include <doctest/doctest.h>

#include "troupe/oauth/actor/live_tokens.h"
#include "troupe/oauth/actor/testing/actor_world.h"

namespace troupe::oauth {
namespace {

using fixture::ActorWorld;

const Cause desk{.by = "client c_desk"};

/// What has told of the end of the one grant that there is.
struct Granted {
  explicit Granted(ActorWorld& world) : oauth(world), client(oauth.client(fixture::shop().id)) {
    tokens = oauth.redeem(oauth.authorize(client), client).value();
    claims = oauth.world.block_on(oauth.tokens.ask(ValidateToken{tokens.access_token})).value();
  }

  bool is_active() { return oauth.is_active(tokens.access_token, client); }
  bool told_family() const {
    const auto told = oauth.revoked();
    return told.size() == 1 && told.front().family == claims.family && !told.front().token;
  }

  ActorWorld& oauth;
  ClientPtr client;
  IssuedTokens tokens;
  TokenClaims claims;
};

TEST_CASE("whoever serves on the strength of tokens is told what an administrator takes back") {
  SUBCASE("a user who is disabled") {
    ActorWorld oauth{1};
    Granted granted{oauth};
    const auto changed = oauth.world.block_on(oauth.users.ask(DisableUser{fixture::alice().user.id, desk})).value();
    CHECK_EQ(changed.grants_ended, 1);
    CHECK(granted.told_family());
    CHECK_FALSE(granted.is_active());
  }
  SUBCASE("a password that is set") {
    ActorWorld oauth{2};
    Granted granted{oauth};
    oauth.world.advance(std::chrono::seconds{1});
    const SetPassword message{fixture::alice().user.id, crypto::Password{"quite another one"}, desk};
    CHECK(oauth.world.block_on(oauth.users.ask(message)).has_value());
    CHECK(granted.told_family());
    CHECK_FALSE(granted.is_active());
  }
  SUBCASE("a grant") {
    ActorWorld oauth{3};
    Granted granted{oauth};
    CHECK(oauth.world.block_on(oauth.tokens.ask(RevokeFamily{granted.claims.family, "administration", desk})));
    CHECK(granted.told_family());
    CHECK_FALSE(granted.is_active());
  }
  SUBCASE("an access token alone") {
    ActorWorld oauth{4};
    Granted granted{oauth};
    CHECK(oauth.world.block_on(oauth.tokens.ask(RevokeTokenById{granted.claims.id, desk})));
    REQUIRE_EQ(oauth.revoked().size(), 1);
    CHECK_EQ(oauth.revoked().front().token, granted.claims.id);
    CHECK_FALSE(granted.is_active());
    CHECK(oauth.is_active(*granted.tokens.refresh_token, granted.client));
  }
  SUBCASE("a token that nobody knows") {
    ActorWorld oauth{5};
    fixture::Ids ids;
    CHECK(oauth.world.block_on(oauth.tokens.ask(RevokeTokenById{ids.next(), desk})));
    CHECK(oauth.revoked().empty());
  }
}

TEST_CASE("what a key has signed that was revoked is neither listed nor at hand; what another has, is") {
  ActorWorld oauth{9};
  Granted granted{oauth};
  const auto listed = [&] { return oauth.world.block_on(oauth.tokens.ask(ListTokens{})).value().rows.size(); };
  const auto is_at_hand = [&] {
    return oauth.world.block_on(oauth.tokens.ask(GetToken{granted.claims.id})).value().has_value();
  };
  oauth.world.advance(std::chrono::seconds{1});
  REQUIRE(oauth.world.block_on(oauth.keys.ask(RotateKeys{})));
  CHECK_EQ(listed(), 1);
  CHECK(is_at_hand());
  oauth.world.advance(std::chrono::seconds{1});
  REQUIRE(oauth.world.block_on(oauth.keys.ask(RevokeKey{.id = granted.claims.signed_by})));
  CHECK_FALSE(granted.is_active());
  CHECK_EQ(listed(), 0);
  CHECK_FALSE(is_at_hand());
  Granted again{oauth};
  CHECK(again.is_active());
  CHECK_EQ(listed(), 1);
}

TEST_CASE("a page of tokens passes over thousands that nobody may use, and says where to go on") {
  ActorWorld oauth{6};
  fixture::Ids ids;
  const auto grant_at = [&](const crypto::TokenId& id) {
    Grant grant = fixture::grant_of(fixture::shop(), id, id);
    grant.authentication = std::nullopt;
    return grant;
  };
  oauth.disk->transact([&](store::Transaction& transaction) {
    SqlTables tables{transaction};
    for (int n = 0; n < 10'600; ++n) {
      const auto id = ids.next();
      const bool is_live = n == 10'550;
      tables.all().grants.insert_access({.id = id,
                                         .grant = grant_at(id),
                                         .format = AccessTokenFormat::opaque,
                                         .issued_at = fixture::start,
                                         .expires_at = fixture::start + std::chrono::seconds{is_live ? 6000 : 0}});
    }
  });
  const auto first = oauth.world.block_on(oauth.tokens.ask(ListTokens{})).value();
  CHECK(first.rows.empty());
  REQUIRE(first.next.has_value());
  const auto second = oauth.world.block_on(oauth.tokens.ask(ListTokens{.after = first.next})).value();
  CHECK_EQ(second.rows.size(), 1);
  CHECK_FALSE(second.next.has_value());
}

TEST_CASE("a client is changed and removed in the version that was named, and in no other") {
  ActorWorld oauth{7};
  int changes = 0;
  const auto update = [&](std::optional<std::int64_t> version) {
    ClientMetadata metadata = fixture::shop().metadata;
    metadata.name = fmt::format("Shop {}", ++changes);
    return oauth.world.block_on(
        oauth.clients.ask(UpdateClient{.id = fixture::shop().id, .metadata = metadata, .version = version}));
  };
  CHECK_EQ(update(7).error().domain, errors::changed_meanwhile);
  CHECK_EQ(update(1)->get()->version, 2);
  CHECK_EQ(update(1).error().domain, errors::changed_meanwhile);
  CHECK_EQ(update(std::nullopt)->get()->version, 3);
  const auto remove = [&](std::int64_t version) {
    return oauth.world.block_on(oauth.clients.ask(DeleteClient{.id = fixture::shop().id, .version = version}));
  };
  CHECK_EQ(remove(2).error().domain, errors::changed_meanwhile);
  CHECK(remove(3).has_value());
  CHECK_EQ(remove(3).error().domain, errors::invalid_client);
}

TEST_CASE("clients that strangers have made large come few at a time, and one at least") {
  ActorWorld oauth{8};
  oauth.disk->transact([](store::Transaction& transaction) {
    SqlTables tables{transaction};
    for (int i = 0; i < 120; ++i) {
      Client client = fixture::shop();
      client.id = ClientId{fmt::format("c_x{:03}", i)};
      client.metadata.name = std::string(100, 'n');
      tables.all().clients.insert(client);
    }
  });
  const auto page = [&](const char* after, int count, std::size_t bytes_max) {
    return oauth.world.block_on(oauth.clients.ask(ListClientPage{ClientId{after}, count, bytes_max})).value();
  };
  const std::size_t each = bytes_of(page("c_x", 1, 1000).clients.front()->metadata);
  CHECK_GT(each, 100);
  struct Row {
    const char* after;
    int count;
    std::size_t bytes_max, has;
    ClientPage::Rest rest;
  };
  using enum ClientPage::Rest;
  const Row rows[] = {
      {"c_x", 100, 1'000'000, 100, more},
      {"c_x", 120, 1'000'000, 120, none},
      {"c_x", 1000, 1'000'000, 120, none},
      {"c_x", 1000, 1, 1, more},
      {"c_x", 1000, 0, 1, more},
      {"c_x", 1000, 3 * each, 3, more},
      {"c_x", 1000, 3 * each + 1, 4, more},
      {"c_x118", 1000, 1, 1, none},
      {"c_x119", 1000, 1, 0, none},
      {"c_x", 2, 3 * each, 2, more},
      {"c_x049", 1000, 70 * each, 70, none},
  };
  for (const Row& row : rows) {
    CAPTURE(row.after);
    CAPTURE(row.count);
    CAPTURE(row.bytes_max);
    const auto found = page(row.after, row.count, row.bytes_max);
    CHECK_EQ(found.clients.size(), row.has);
    CHECK_EQ(found.rest, row.rest);
  }
}

TEST_CASE("a client that is as none is made any more can be disabled, and is changed only for the better") {
  ActorWorld oauth{9};
  Client old = fixture::shop();
  old.id = ClientId{"c_old"};
  old.metadata.name = "\u200b";
  oauth.disk->transact([&](store::Transaction& transaction) { SqlTables{transaction}.all().clients.insert(old); });
  const auto update = [&](const ClientMetadata& metadata, ClientState state) {
    return oauth.world.block_on(oauth.clients.ask(UpdateClient{.id = old.id, .metadata = metadata, .state = state}));
  };
  CHECK(update(old.metadata, ClientState::disabled).has_value());
  ClientMetadata other = old.metadata;
  other.redirect_uris.push_back("https://shop.example/other");
  CHECK_EQ(update(other, ClientState::enabled).error().domain, errors::invalid_client_metadata);
  other.name = "Seen";
  CHECK(update(other, ClientState::enabled).has_value());
}

}  // namespace
}  // namespace troupe::oauth
