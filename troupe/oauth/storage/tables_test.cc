// The conformance suite of the tables: what each promises, shown by the twin in memory and by
// SQL on both engines alike.
#include "troupe/oauth/storage/tables.h"

#include <doctest/doctest.h>

#include "troupe/oauth/storage/testing/stores.h"

namespace troupe::oauth {
namespace {

using stores::at;
using stores::BySql;
using stores::hash;
using stores::id;
using stores::InMemory;
using stores::now;
using stores::scope;

Client shop(const char* id = "c_shop") {
  return {.id = ClientId{id},
          .metadata = {.name = "It's a \"shop\"",
                       .auth_method = ClientAuthMethod::none,
                       .redirect_uris = {"https://shop.example/cb", "http://127.0.0.1/cb"},
                       .post_logout_redirect_uris = {"https://shop.example/bye"},
                       .grant_types = {GrantType::authorization_code, GrantType::refresh_token},
                       .scope = scope("openid read"),
                       .pkce = PkcePolicy::optional,
                       .access_token_format = AccessTokenFormat::opaque,
                       .access_token_alg = crypto::Algorithm::eddsa,
                       .id_token_alg = crypto::Algorithm::es256,
                       .access_token_ttl = std::chrono::seconds{300},
                       .jwks = R"({"keys":[]})",
                       .jwks_uri = "https://shop.example/keys",
                       .auth_signing_alg = crypto::Algorithm::eddsa,
                       .backchannel_logout_uri = "https://shop.example/out",
                       .logout_requires_session = true,
                       .resources = {"https://shop.example/api", "urn:shop:stock"}},
          .state = ClientState::disabled,
          .created_at = now,
          .valid_from = at(7)};
}

UserRecord user(const char* id, const char* name) {
  return {.user = {.id = UserId{id}, .name = UserName{name}, .email = "a@example.org", .created_at = now},
          .password_hash = "$argon2id$x",
          .password_changed_at = at(1)};
}

Grant grant(int family) {
  return {.family = FamilyId{id(family).text()},
          .client = ClientId{"c_shop"},
          .scope = scope("openid read"),
          .audience = {"https://a.example", "https://b.example"},
          .authentication = Authentication{.user = UserId{"u_alice"},
                                           .session = SessionId{id(100).text()},
                                           .time = at(3),
                                           .methods = {"pwd", "otp"}},
          .nonce = "n-1",
          .id_token_claims = R"({"email":[]})"};
}

void check_same(const Grant& a, const Grant& b) {
  CHECK_EQ(a.family, b.family);
  CHECK_EQ(a.client, b.client);
  CHECK_EQ(a.scope, b.scope);
  CHECK_EQ(a.audience, b.audience);
  CHECK_EQ(a.nonce, b.nonce);
  REQUIRE_EQ(a.authentication.has_value(), b.authentication.has_value());
  if (!a.authentication) return;
  CHECK_EQ(a.authentication->user, b.authentication->user);
  CHECK_EQ(a.authentication->session, b.authentication->session);
  CHECK_EQ(a.authentication->time, b.authentication->time);
  CHECK_EQ(a.authentication->methods, b.authentication->methods);
}

TEST_CASE_TEMPLATE("a client comes back as it was registered", Store, InMemory, BySql) {
  Store store;
  store.with([](Tables t) {
    t.clients.insert(shop());
    const Client client = t.clients.find(ClientId{"c_shop"}).value();
    const ClientMetadata &got = client.metadata, want = shop().metadata;
    CHECK_EQ(got.name, want.name);
    CHECK_EQ(got.auth_method, want.auth_method);
    CHECK_EQ(got.redirect_uris, want.redirect_uris);
    CHECK_EQ(got.post_logout_redirect_uris, want.post_logout_redirect_uris);
    CHECK_EQ(got.grant_types, want.grant_types);
    CHECK_EQ(got.scope, want.scope);
    CHECK_EQ(got.pkce, want.pkce);
    CHECK_EQ(got.access_token_format, want.access_token_format);
    CHECK_EQ(got.access_token_alg, want.access_token_alg);
    CHECK_EQ(client.valid_from, at(7));
    CHECK_EQ(got.id_token_alg, want.id_token_alg);
    CHECK_EQ(got.access_token_ttl, want.access_token_ttl);
    CHECK_EQ(got.jwks, want.jwks);
    CHECK_EQ(got.jwks_uri, want.jwks_uri);
    CHECK_EQ(got.auth_signing_alg, want.auth_signing_alg);
    CHECK_EQ(got.backchannel_logout_uri, want.backchannel_logout_uri);
    CHECK(got.logout_requires_session);
    CHECK_EQ(got.resources, want.resources);
    CHECK_EQ(client.state, ClientState::disabled);
    CHECK_EQ(t.clients.find_standing(client.id)->state, ClientState::disabled);
    CHECK_EQ(t.clients.find_standing(client.id)->valid_from, at(7));
    CHECK_FALSE(t.clients.find_standing(ClientId{"c_other"}).has_value());
    CHECK_EQ(client.created_at, now);
    CHECK_EQ(client.version, 1);
    CHECK_FALSE(t.clients.find(ClientId{"c_other"}).has_value());
  });
  CHECK(store.conflicts([](Tables t) { t.clients.insert(shop()); }));
}

TEST_CASE_TEMPLATE("a client changes only from the version that was read", Store, InMemory, BySql) {
  Store{}.with([](Tables t) {
    t.clients.insert(shop());
    Client changed = shop();
    changed.metadata.access_token_ttl = std::nullopt;
    changed.metadata.auth_signing_alg = std::nullopt;
    changed.metadata.resources.clear();
    CHECK_FALSE(t.clients.update(changed));  // the version did not rise
    changed.version = 2;
    CHECK(t.clients.update(changed));
    CHECK_FALSE(t.clients.update(changed));
    CHECK_EQ(t.clients.find(changed.id)->version, 2);
    CHECK_FALSE(t.clients.find(changed.id)->metadata.access_token_ttl.has_value());
    CHECK_FALSE(t.clients.find(changed.id)->metadata.auth_signing_alg.has_value());
    CHECK(t.clients.find(changed.id)->metadata.resources.empty());
    changed.id = ClientId{"c_other"};
    changed.version = 3;
    CHECK_FALSE(t.clients.update(changed));
  });
}

TEST_CASE_TEMPLATE("clients are listed by id, page by page", Store, InMemory, BySql) {
  Store{}.with([](Tables t) {
    for (const char* name : {"c_c", "c_a", "c_b"}) t.clients.insert(shop(name));
    const auto page = t.clients.list(ClientId{""}, 2);
    REQUIRE_EQ(page.size(), 2);
    CHECK_EQ(page[1]->id, ClientId{"c_b"});
    CHECK_EQ(t.clients.list(page[1]->id, 2).front()->id, ClientId{"c_c"});
    CHECK(t.clients.list(ClientId{"c_c"}, 2).empty());
  });
}

TEST_CASE_TEMPLATE("a client's secrets are listed in order and go with it", Store, InMemory, BySql) {
  Store store;
  store.with([](Tables t) {
    t.clients.insert(shop());
    t.clients.insert_secret({id(2), shop().id, hash("new"), std::nullopt});
    t.clients.insert_secret({id(1), shop().id, hash("old"), at(60)});
    const auto secrets = t.clients.secrets_of(shop().id);
    REQUIRE_EQ(secrets.size(), 2);
    CHECK_EQ(secrets[0].hash, hash("old"));
    CHECK_EQ(secrets[0].expires_at, at(60));
    CHECK_FALSE(secrets[1].expires_at.has_value());
    for (const bool was_there : {true, false}) CHECK_EQ(t.clients.remove_secret(id(1)), was_there);
  });
  CHECK(store.conflicts(
      [](Tables t) { t.clients.insert_secret({id(3), ClientId{"c_nobody"}, hash("x"), std::nullopt}); }));
  store.with([](Tables t) {
    CHECK(t.clients.remove(shop().id));
    CHECK_FALSE(t.clients.remove(shop().id));
    CHECK(t.clients.secrets_of(shop().id).empty());
  });
}

TEST_CASE_TEMPLATE("a registration has one token, is bounded for good, and goes with its client", Store, InMemory,
                   BySql) {
  Store store;
  store.with([](Tables t) {
    const ClientId other{"c_other"};
    t.clients.insert(shop());
    t.clients.insert(shop("c_other"));
    t.clients.put_registration(other, hash("other"));
    t.clients.bound_registration(shop().id);
    CHECK_FALSE(t.clients.find_registration(shop().id).has_value());
    t.clients.put_registration(shop().id, hash("first"));
    CHECK_FALSE(t.clients.find_registration(shop().id)->is_bounded);
    t.clients.bound_registration(shop().id);
    t.clients.put_registration(shop().id, hash("second"));
    CHECK_EQ(t.clients.find_registration(shop().id)->token_hash, hash("second"));
    CHECK(t.clients.find_registration(shop().id)->is_bounded);
    CHECK_FALSE(t.clients.find_registration(other)->is_bounded);
    CHECK(t.clients.remove(shop().id));
    CHECK_EQ(t.clients.count_registrations(), 1);
  });
  CHECK(store.conflicts([](Tables t) { t.clients.put_registration(ClientId{"c_nobody"}, hash("x")); }));
}

TEST_CASE_TEMPLATE("a user is found by id and by name, and names are unique", Store, InMemory, BySql) {
  Store store;
  store.with([](Tables t) {
    t.users.insert(user("u_alice", "alice"));
    t.users.insert(user("u_bob", "bob"));
    CHECK_EQ(t.users.find_by_name(UserName{"bob"})->user.id, UserId{"u_bob"});
    CHECK_FALSE(t.users.find_by_name(UserName{"BOB"}).has_value());
    const UserRecord alice = t.users.find(UserId{"u_alice"}).value();
    CHECK_EQ(alice.user.email, "a@example.org");
    CHECK_EQ(alice.password_hash, "$argon2id$x");
    CHECK_EQ(alice.password_changed_at, at(1));
  });
  CHECK(store.conflicts([](Tables t) { t.users.insert(user("u_other", "alice")); }));
  CHECK(store.conflicts([](Tables t) { t.users.update(user("u_bob", "alice")); }));
  store.with([](Tables t) {
    UserRecord renamed = user("u_bob", "robert");
    renamed.user.email = std::nullopt;
    renamed.user.state = UserState::disabled;
    CHECK(t.users.update(renamed));
    CHECK_EQ(t.users.find(UserId{"u_bob"})->user.state, UserState::disabled);
    CHECK_FALSE(t.users.find(UserId{"u_bob"})->user.email.has_value());
    CHECK_EQ(t.users.list(UserId{""}, 10).size(), 2);
    CHECK(t.users.remove(UserId{"u_bob"}));
    CHECK_FALSE(t.users.remove(UserId{"u_bob"}));
    CHECK_FALSE(t.users.update(renamed));
  });
}

TEST_CASE_TEMPLATE("a session is kept, seen again and ended", Store, InMemory, BySql) {
  Store{}.with([](Tables t) {
    const SessionId name{id(1).text()};
    SessionRecord record{.session = {.id = name,
                                     .authentication = {.user = UserId{"u_alice"}, .session = name, .time = at(1)},
                                     .created_at = at(1),
                                     .seen_at = at(1),
                                     .place = {.user_agent = "Old/1.0", .address = "192.0.2.1"}},
                         .hash = hash("cookie"),
                         .expires_at = at(100)};
    t.users.insert_session(record);
    CHECK_EQ(t.users.find_session(name)->session.place.user_agent, "Old/1.0");
    record.session.seen_at = at(50);
    record.session.place = {.user_agent = "New/2.0", .address = "2001:db8::1"};
    record.ended_at = at(51);
    record.hash = hash("cookie2");
    CHECK(t.users.update_session(record));
    const SessionRecord found = t.users.find_session(name).value();
    CHECK_EQ(found.session.seen_at, at(50));
    CHECK_EQ(found.session.created_at, at(1));
    CHECK_EQ(found.session.authentication.time, at(1));
    CHECK_EQ(found.session.authentication.session, name);
    CHECK_EQ(found.session.authentication.methods, std::vector<std::string>{"pwd"});
    CHECK_EQ(found.hash, hash("cookie2"));
    CHECK_EQ(found.expires_at, at(100));
    CHECK_EQ(found.ended_at, at(51));
    CHECK_EQ(found.session.place.user_agent, "New/2.0");
    CHECK_EQ(found.session.place.address, "2001:db8::1");
    CHECK_EQ(t.users.remove_sessions_before(id(1), 10), 0);
    CHECK_EQ(t.users.remove_sessions_before(id(2), 10), 1);
    CHECK_FALSE(t.users.find_session(name).has_value());
  });
}

TEST_CASE_TEMPLATE("a code is used once", Store, InMemory, BySql) {
  Store{}.with([](Tables t) {
    t.grants.insert_code({.id = id(1),
                          .hash = hash("code"),
                          .grant = grant(1),
                          .redirect_uri = "https://shop.example/cb",
                          .code_challenge = "challenge",
                          .expires_at = at(60)});
    const AuthCode code = t.grants.find_code(id(1)).value();
    check_same(code.grant, grant(1));
    CHECK_EQ(code.grant.id_token_claims, grant(1).id_token_claims);
    CHECK_EQ(code.hash, hash("code"));
    CHECK_EQ(code.redirect_uri, "https://shop.example/cb");
    CHECK_EQ(code.code_challenge, "challenge");
    CHECK_EQ(code.expires_at, at(60));
    CHECK_EQ(code.state, CodeState::live);
    CHECK(t.grants.use_code(id(1)));
    CHECK_FALSE(t.grants.use_code(id(1)));
    CHECK_FALSE(t.grants.use_code(id(2)));
    CHECK_EQ(t.grants.find_code(id(1))->state, CodeState::used);
  });
}

TEST_CASE_TEMPLATE("a family is revoked once, and the first reason stays", Store, InMemory, BySql) {
  Store store;
  store.with([](Tables t) {
    const FamilyId family = grant(1).family;
    CHECK_FALSE(t.grants.find_family(family).has_value());
    CHECK_FALSE(t.grants.revoke_family(family, at(1), "logout"));
    t.grants.insert_family({.grant = grant(1), .expires_at = at(1000)});
    CHECK_FALSE(t.grants.find_family(family)->revoked_at.has_value());
    CHECK(t.grants.revoke_family(family, at(1), "code replayed"));
    CHECK_FALSE(t.grants.revoke_family(family, at(2), "logout"));
    const FamilyRecord found = t.grants.find_family(family).value();
    check_same(found.grant, grant(1));
    CHECK_EQ(found.grant.id_token_claims, grant(1).id_token_claims);
    CHECK_EQ(found.expires_at, at(1000));
    CHECK_EQ(found.revoked_at, at(1));
    CHECK_EQ(found.revoked_because, "code replayed");
  });
  CHECK(store.conflicts([](Tables t) { t.grants.insert_family({.grant = grant(1), .expires_at = at(1)}); }));
}

TEST_CASE_TEMPLATE("the families of a session and of a user are those that stem from it, whatever has become of them",
                   Store, InMemory, BySql) {
  Store{}.with([](Tables t) {
    for (int n = 1; n <= 3; ++n) t.grants.insert_family({.grant = grant(n), .expires_at = at(1000)});
    Grant other = grant(4);
    other.authentication->user = UserId{"u_bob"};
    other.authentication->session = SessionId{id(101).text()};
    t.grants.insert_family({.grant = other, .expires_at = at(1000)});
    t.grants.revoke_family(grant(2).family, at(1), "test");
    const auto of_session = t.grants.families_of(SessionId{id(100).text()}, {}, 9);
    REQUIRE_EQ(of_session.size(), 3);
    CHECK(of_session[1].revoked_at);
    CHECK_EQ(of_session[2].grant.family, grant(3).family);
    CHECK_EQ(t.grants.families_of(UserId{"u_alice"}, {}, 9).size(), 3);
    CHECK_EQ(t.grants.families_of(UserId{"u_bob"}, {}, 9).size(), 1);
  });
}

TEST_CASE_TEMPLATE("endings are numbered in their order, and no number comes again", Store, InMemory, BySql) {
  Store{}.with([](Tables t) {
    const auto numbers_after = [&](std::int64_t number, int count = 10) {
      std::vector<std::int64_t> numbers;
      for (const EndingRecord& each : t.grants.endings_after(number, count)) numbers.push_back(each.number);
      return numbers;
    };
    CHECK(numbers_after(0).empty());
    t.grants.append_ending({.at = at(1), .client = ClientId{"c_shop"}, .user = std::nullopt});
    t.grants.append_ending({.at = at(2), .client = std::nullopt, .user = UserId{"u_alice"}});
    t.grants.append_ending({.at = at(3), .client = ClientId{"c_shop"}, .user = std::nullopt});
    CHECK_EQ(numbers_after(0), std::vector<std::int64_t>{1, 2, 3});
    CHECK_EQ(numbers_after(1, 1), std::vector<std::int64_t>{2});
    const Ending second = t.grants.endings_after(1, 1).front().ending;
    CHECK_EQ(second.at, at(2));
    CHECK_FALSE(second.client);
    CHECK_EQ(second.user, UserId{"u_alice"});

    CHECK_EQ(t.grants.remove_endings_before(at(3), 1), 1);
    CHECK_EQ(t.grants.remove_endings_before(at(3), 10), 1);
    CHECK_EQ(numbers_after(0), std::vector<std::int64_t>{3});
    CHECK_EQ(t.grants.remove_endings_before(at(4), 10), 1);
    t.grants.append_ending({.at = at(5), .client = std::nullopt, .user = std::nullopt, .signing_key = "kid"});
    CHECK_EQ(numbers_after(0), std::vector<std::int64_t>{4});
    CHECK_EQ(t.grants.endings_after(0, 1).front().ending.owner(), "kid");
  });
}

TEST_CASE_TEMPLATE("a change of clients or keys can be noticed", Store, InMemory, BySql) {
  Store{}.with([](Tables t) {
    const auto before = t.clients.generation();
    t.clients.insert(shop());
    const auto after = t.clients.generation();
    CHECK_NE(before, after);
    CHECK_EQ(t.clients.generation(), after);
    t.clients.insert_secret({id(1), shop().id, hash("x"), std::nullopt});
    CHECK_NE(t.clients.generation(), after);
    const auto keys = t.keys.generation();
    t.keys.insert_signing({.id = "k"});
    CHECK_NE(t.keys.generation(), keys);
  });
}

TEST_CASE_TEMPLATE("a refresh token remembers what took its place", Store, InMemory, BySql) {
  Store{}.with([](Tables t) {
    RefreshRecord token{.id = id(1), .family = grant(1).family, .hash = hash("rt"), .expires_at = at(9)};
    t.grants.insert_refresh(token);
    CHECK_FALSE(t.grants.find_refresh(id(1))->successor.has_value());
    token.rotated_at = at(5);
    token.successor = id(2);
    token.access = id(3);
    CHECK(t.grants.update_refresh(token));
    const RefreshRecord found = t.grants.find_refresh(id(1)).value();
    CHECK_EQ(found.family, grant(1).family);
    CHECK_EQ(found.hash, hash("rt"));
    CHECK_EQ(found.rotated_at, at(5));
    CHECK_EQ(found.successor, id(2));
    CHECK_EQ(found.access, id(3));
    token.id = id(4);
    CHECK_FALSE(t.grants.update_refresh(token));
  });
}

TEST_CASE_TEMPLATE("an access token is kept and revoked once, with a user behind it or without", Store, InMemory,
                   BySql) {
  Store{}.with([](Tables t) {
    AccessRecord token{.id = id(1),
                       .grant = grant(1),
                       .hash = hash("at"),
                       .format = AccessTokenFormat::opaque,
                       .algorithm = crypto::Algorithm::rs256,
                       .issued_at = at(1),
                       .expires_at = at(601)};
    t.grants.insert_access(token);
    const AccessRecord found = t.grants.find_access(id(1)).value();
    check_same(found.grant, token.grant);
    CHECK_EQ(found.format, AccessTokenFormat::opaque);
    CHECK_EQ(found.algorithm, crypto::Algorithm::rs256);
    CHECK_EQ(found.issued_at, at(1));
    CHECK_EQ(found.expires_at, at(601));
    CHECK(t.grants.revoke_access(id(1), at(2)));
    CHECK_FALSE(t.grants.revoke_access(id(1), at(3)));
    CHECK_EQ(t.grants.find_access(id(1))->revoked_at, at(2));

    token.id = id(2);
    token.grant.authentication = std::nullopt;
    token.grant.scope = {};
    t.grants.insert_access(token);
    check_same(t.grants.find_access(id(2))->grant, token.grant);
  });
}

TEST_CASE_TEMPLATE("what is old is removed from its oldest end, in steps", Store, InMemory, BySql) {
  Store{}.with([](Tables t) {
    for (int n = 1; n <= 5; ++n) {
      t.grants.insert_code({.id = id(n), .grant = grant(n)});
      t.grants.insert_family({.grant = grant(n)});
      t.grants.insert_refresh({.id = id(n), .family = grant(n).family});
    }
    const auto end = crypto::TokenId::first_at(at(4));
    for (const int removed : {2, 1, 0}) CHECK_EQ(t.grants.remove_codes_before(end, 2), removed);
    CHECK_FALSE(t.grants.find_code(id(3)).has_value());
    CHECK(t.grants.find_code(id(4)).has_value());
    CHECK_EQ(t.grants.remove_families_before(end, 10), 3);
    CHECK_EQ(t.grants.remove_refresh_before(end, 10), 3);
  });
}

TEST_CASE_TEMPLATE("access tokens go when they have expired, from the oldest on, past some that live longer", Store,
                   InMemory, BySql) {
  Store{}.with([](Tables t) {
    for (int n = 1; n <= 12; ++n) {
      t.grants.insert_access({.id = id(n), .grant = grant(n), .expires_at = at(n <= 2 ? 1000 : n)});
    }
    for (const int removed : {3, 1, 0}) CHECK_EQ(t.grants.remove_access_expired(at(6), 3), removed);
    for (int n = 1; n <= 12; ++n) CHECK_EQ(t.grants.find_access(id(n)).has_value(), n <= 2 || n > 6);
    for (int n = 21; n <= 24; ++n) t.grants.insert_access({.id = id(n), .grant = grant(n), .expires_at = at(1)});
    CHECK_EQ(t.grants.remove_access_expired(at(1), 2), 0);  // eight older ones are looked at
    CHECK_EQ(t.grants.remove_access_expired(at(1), 3), 3);
  });
}

TEST_CASE_TEMPLATE("signing keys are listed by age and change only their times", Store, InMemory, BySql) {
  SigningKeyRecord key{.id = "new",
                       .algorithm = crypto::Algorithm::rs256,
                       .der = base::Secret{std::string("\0der", 4)},
                       .created_at = at(2),
                       .signs_from = at(2),
                       .signs_until = at(9),
                       .retired_at = at(19)};
  Store store;
  store.with([&](Tables t) { t.keys.insert_signing(key); });
  key.id = "old";
  key.created_at = at(1);
  store.with([&](Tables t) { t.keys.insert_signing(key); });
  CHECK(store.conflicts([&](Tables t) { t.keys.insert_signing(key); }));
  key.signs_until = at(3);
  store.with([&](Tables t) {
    CHECK(t.keys.update_signing_times(key));
    const auto keys = t.keys.signing();
    REQUIRE_EQ(keys.size(), 2);
    CHECK_EQ(keys[0].id, "old");
    CHECK_EQ(keys[0].signs_until, at(3));
    CHECK_EQ(keys[1].algorithm, crypto::Algorithm::rs256);
    CHECK_EQ(keys[1].der.expose(), std::string("\0der", 4));
    CHECK_EQ(t.keys.signing_times()[1].algorithm, crypto::Algorithm::rs256);
    CHECK(t.keys.remove_signing("old"));
    CHECK_FALSE(t.keys.update_signing_times(key));
  });
}

TEST_CASE_TEMPLATE("token keys are listed by number", Store, InMemory, BySql) {
  Store store;
  store.with([](Tables t) {
    t.keys.insert_token_key({.id = 200, .secret = base::Secret{std::string{"b"}}, .created_at = at(1)});
    t.keys.insert_token_key({.id = 1, .secret = base::Secret{std::string{"a"}}, .created_at = at(1)});
  });
  CHECK(
      store.conflicts([](Tables t) { t.keys.insert_token_key({.id = 1, .secret = base::Secret{std::string{"c"}}}); }));
  store.with([](Tables t) {
    REQUIRE_EQ(t.keys.token_keys().size(), 2);
    CHECK_EQ(t.keys.token_keys()[1].id, 200);
    CHECK_EQ(t.keys.token_keys()[0].secret.expose(), "a");
  });
}

TEST_CASE_TEMPLATE("events are read from the newest backwards", Store, InMemory, BySql) {
  Store{}.with([](Tables t) {
    for (int n = 1; n <= 3; ++n)
      t.audit.append({.id = id(n),
                      .kind = "code_redeemed",
                      .client = ClientId{"c_shop"},
                      .user = "0011223344556677",
                      .family = grant(1).family,
                      .reason = std::to_string(n)});
    t.audit.append({.id = id(4), .kind = "key_made"});
    const auto newest = t.audit.events(std::nullopt, 2);
    REQUIRE_EQ(newest.size(), 2);
    CHECK_EQ(newest[0].kind, "key_made");
    CHECK_FALSE(newest[0].client.has_value());
    CHECK_EQ(newest[1].reason, "3");
    CHECK_EQ(newest[1].family, grant(1).family);
    CHECK_EQ(t.audit.events(newest[1].id, 10).size(), 2);
  });
}

}  // namespace
}  // namespace troupe::oauth
