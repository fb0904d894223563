// The same suite as tables_test.cc, of what people see and end of their own: sessions, consents,
// and the codes that a consent has given.
#include <doctest/doctest.h>

#include "troupe/oauth/storage/testing/stores.h"

namespace troupe::oauth {
namespace {

using stores::at;
using stores::BySql;
using stores::hash;
using stores::id;
using stores::InMemory;
using stores::scope;

TEST_CASE_TEMPLATE("the open sessions of a user are those that nobody has ended, oldest first", Store, InMemory,
                   BySql) {
  Store{}.with([](Tables t) {
    const auto add = [&](int n, const char* user, std::optional<base::UnixTime> ended_at) {
      const SessionId name{id(n).text()};
      t.users.insert_session({.session = {.id = name,
                                          .authentication = {.user = UserId{user}, .session = name, .time = at(n)},
                                          .created_at = at(n),
                                          .seen_at = at(n)},
                              .hash = hash("cookie"),
                              .expires_at = at(100),
                              .ended_at = ended_at});
    };
    add(3, "u_alice", std::nullopt);
    add(1, "u_alice", std::nullopt);
    add(2, "u_alice", at(50));
    add(4, "u_bob", std::nullopt);
    const auto open = t.users.open_sessions_of(UserId{"u_alice"});
    REQUIRE_EQ(open.size(), 2);
    CHECK_EQ(open[0].session.id, SessionId{id(1).text()});
    CHECK_EQ(open[1].session.created_at, at(3));
    CHECK(t.users.open_sessions_of(UserId{"u_nobody"}).empty());
    const auto beyond = [&](std::size_t kept, int count) {
      return t.users.open_sessions_beyond(UserId{"u_alice"}, kept, count);
    };
    REQUIRE_EQ(beyond(1, 5).size(), 1);
    CHECK_EQ(beyond(1, 5)[0].session.id, SessionId{id(1).text()});
    CHECK_EQ(beyond(0, 1)[0].session.id, SessionId{id(3).text()});
    CHECK_EQ(beyond(0, 5).size(), 2);
    CHECK(beyond(2, 5).empty());
  });
}

TEST_CASE("the open sessions of a user are counted in an index, without a look at their rows") {
  const auto disk = store::SqliteConnection::in_memory();
  store::migrate(*disk, schema(), {0});
  std::string plan;
  disk->transact([&](store::Transaction& t) {
    t.each("EXPLAIN QUERY PLAN SELECT id FROM sessions WHERE user = ?1 AND ended_at IS NULL ORDER BY id DESC LIMIT 1",
           {"u_alice"}, [&](const store::Row& row) { plan += row.text(3) + "\n"; });
  });
  CHECK_EQ(plan, "SEARCH sessions USING COVERING INDEX sessions_of_user (user=?)\n");
}

TEST_CASE_TEMPLATE("the hashes of passwords are told by their beginnings, each once", Store, InMemory, BySql) {
  Store{}.with([](Tables t) {
    CHECK(t.users.password_beginnings().empty());
    const std::string behind(22 + 1 + 43, 'A');
    int n = 0;
    for (const std::string& hash :
         {"$argon2id$v=19$m=64,t=1,p=1$" + behind, "$argon2id$v=19$m=64,t=17,p=1$" + behind,
          "$argon2id$v=19$m=64,t=1,p=1$" + std::string(behind.size(), 'B'), std::string{"no hash"}, std::string{}}) {
      const std::string name = "u_" + std::to_string(++n);
      t.users.insert({.user = {.id = UserId{name}, .name = UserName{name}, .email = std::nullopt, .created_at = at(n)},
                      .password_hash = hash,
                      .password_changed_at = at(n)});
    }
    auto beginnings = t.users.password_beginnings();
    std::ranges::sort(beginnings);
    CHECK_EQ(beginnings, std::vector<std::string>{"$argon2id$v=19$m=64,t=1,p=1$", "$argon2id$v=19$m=64,t=17,p=1$"});
  });
}

TEST_CASE_TEMPLATE("the consents of a user are listed by client, and nobody else's", Store, InMemory, BySql) {
  Store{}.with([](Tables t) {
    t.users.put_consent({UserId{"u_alice"}, ClientId{"c_b"}, scope("read write"), at(2)});
    t.users.put_consent({UserId{"u_alice"}, ClientId{"c_a"}, scope("read"), at(1)});
    t.users.put_consent({UserId{"u_alic"}, ClientId{"c_a"}, scope("read"), at(1)});
    t.users.put_consent({UserId{"u_alicf"}, ClientId{"c_a"}, scope("read"), at(1)});
    const auto consents = t.users.consents_of(UserId{"u_alice"});
    REQUIRE_EQ(consents.size(), 2);
    CHECK_EQ(consents[0].client, ClientId{"c_a"});
    CHECK_EQ(consents[1].scope, scope("read write"));
    CHECK_EQ(consents[1].granted_at, at(2));
    CHECK_EQ(consents[1].user, UserId{"u_alice"});
  });
}

TEST_CASE_TEMPLATE("the families of a session and of a user come page by page, and none comes twice", Store, InMemory,
                   BySql) {
  Store{}.with([](Tables t) {
    const SessionId session{id(100).text()};
    for (int n = 1; n <= 1201; ++n) {
      const bool is_alices = n % 400 != 0;
      const Authentication by{.user = UserId{is_alices ? "u_alice" : "u_bob"},
                              .session = is_alices ? session : SessionId{id(101).text()},
                              .time = at(0)};
      t.grants.insert_family({.grant = {.family = FamilyId{id(n).text()},
                                        .client = ClientId{"c_shop"},
                                        .scope = scope("read"),
                                        .audience = {"https://a.example"},
                                        .authentication = by},
                              .expires_at = at(5000)});
    }
    const auto page = t.grants.families_of(UserId{"u_alice"}, id(398), 2);
    REQUIRE_EQ(page.size(), 2);
    CHECK_EQ(page[0].grant.family, FamilyId{id(399).text()});
    CHECK_EQ(page[1].grant.family, FamilyId{id(401).text()});
    const auto count = [&](const auto& owner) {
      std::vector<crypto::TokenId> seen;
      t.grants.each_family_of(owner, [&](const FamilyRecord& each) {
        seen.push_back(crypto::TokenId::parse(each.grant.family.value()).value());
      });
      for (std::size_t i = 1; i < seen.size(); ++i) CHECK(seen[i - 1] < seen[i]);
      return seen.size();
    };
    CHECK_EQ(count(UserId{"u_alice"}), 1198);
    CHECK_EQ(count(UserId{"u_bob"}), 3);
    CHECK_EQ(count(session), 1198);
    CHECK_EQ(count(UserId{"u_nobody"}), 0);
  });
}

TEST_CASE_TEMPLATE("the codes of one consent are spent together, others and older ones stay", Store, InMemory, BySql) {
  Store{}.with([](Tables t) {
    const auto add = [&](int n, const char* user, const char* client) {
      const Authentication by{.user = UserId{user}, .session = SessionId{id(100).text()}, .time = at(0)};
      t.grants.insert_code({.id = id(n),
                            .hash = hash("code"),
                            .grant = {.family = FamilyId{id(n).text()},
                                      .client = ClientId{client},
                                      .scope = scope("read"),
                                      .audience = {"https://a.example"},
                                      .authentication = by},
                            .redirect_uri = "https://shop.example/cb",
                            .code_challenge = "",
                            .expires_at = at(n + 60)});
    };
    add(1, "u_alice", "c_shop");
    add(2, "u_alice", "c_shop");
    add(3, "u_alice", "c_other");
    add(4, "u_bob", "c_shop");
    add(5, "u_alice", "c_shop");
    CHECK(t.grants.use_code(id(5)));
    CHECK_EQ(t.grants.use_codes_of(UserId{"u_alice"}, ClientId{"c_shop"}, at(2)), 1);
    const auto is_live = [&](int n) { return t.grants.find_code(id(n))->state == CodeState::live; };
    CHECK(is_live(1));
    CHECK_FALSE(is_live(2));
    CHECK(is_live(3));
    CHECK(is_live(4));
  });
}

TEST_CASE_TEMPLATE("open sessions are found by their age and by their last use, the first to end first", Store,
                   InMemory, BySql) {
  Store{}.with([](Tables t) {
    const auto add = [&](int n, base::UnixTime seen_at, base::UnixTime expires_at, bool is_ended = false) {
      const SessionId name{id(n).text()};
      t.users.insert_session({.session = {.id = name,
                                          .authentication = {.user = UserId{"u_alice"}, .session = name, .time = at(1)},
                                          .created_at = at(1),
                                          .seen_at = seen_at},
                              .hash = hash("cookie"),
                              .expires_at = expires_at,
                              .ended_at = is_ended ? std::optional{at(2)} : std::nullopt});
    };
    add(1, at(50), at(101));
    add(2, at(50), at(100));
    add(3, at(50), at(99));
    add(4, at(20), at(200));
    add(5, at(10), at(200));
    add(6, at(21), at(200));
    add(7, at(10), at(90), true);
    const auto over = [&](int count) {
      std::vector<SessionId> names;
      for (const SessionRecord& each : t.users.sessions_over(at(100), at(20), count)) names.push_back(each.session.id);
      return names;
    };
    const auto names = [](std::initializer_list<int> numbers) {
      std::vector<SessionId> names;
      for (const int n : numbers) names.emplace_back(id(n).text());
      return names;
    };
    CHECK_EQ(over(10), names({3, 2, 5, 4}));
    CHECK_EQ(over(1), names({3, 5}));
    CHECK_EQ(over(0), names({}));
  });
}

TEST_CASE_TEMPLATE("a consent takes the place of the one before", Store, InMemory, BySql) {
  Store{}.with([](Tables t) {
    const UserId alice{"u_alice"};
    const ClientId client{"c_shop"};
    CHECK_FALSE(t.users.find_consent(alice, client).has_value());
    t.users.put_consent({alice, client, scope("read"), at(1)});
    t.users.put_consent({alice, client, scope("read write"), at(2)});
    CHECK_EQ(t.users.find_consent(alice, client)->scope, scope("write read"));
    CHECK_EQ(t.users.find_consent(alice, client)->granted_at, at(2));
    CHECK(t.users.remove_consent(alice, client));
    CHECK_FALSE(t.users.remove_consent(alice, client));
  });
}

TEST_CASE_TEMPLATE("the consents of one client are removed together, and no other's", Store, InMemory, BySql) {
  Store{}.with([](Tables t) {
    for (const char* user : {"u_alice", "u_bob"})
      for (const char* client : {"c_shop", "c_shoq", "c_sho"})
        t.users.put_consent({UserId{user}, ClientId{client}, scope("read"), at(1)});
    t.users.remove_consents_of(ClientId{"c_shop"});
    for (const char* user : {"u_alice", "u_bob"}) {
      const auto left = t.users.consents_of(UserId{user});
      REQUIRE_EQ(left.size(), 2);
      CHECK_EQ(left[0].client, ClientId{"c_sho"});
      CHECK_EQ(left[1].client, ClientId{"c_shoq"});
    }
    t.users.remove_consents_of(ClientId{"c_nobody"});
  });
}

TEST_CASE("what people had allowed clients that were removed since goes with the migration") {
  auto& server = store::test::PostgresServer::of_this_process();
  const std::unique_ptr<store::Session> sessions[] = {store::SqliteConnection::in_memory(),
                                                      server.session(server.make_database())};
  for (const auto& session : sessions) {
    CAPTURE(session == sessions[0]);
    store::migrate(*session, schema().first(12), stores::now);
    const auto with_tables = [&](auto work) {
      session->transact([&](store::Transaction& transaction) { work(SqlTables{transaction}.all()); });
    };
    with_tables([](Tables t) {
      t.clients.insert({.id = ClientId{"c_shop"}, .metadata = {.name = "Shop"}, .created_at = at(0)});
      for (const char* client : {"c_shop", "c_gone"})
        t.users.put_consent({UserId{"u_alice"}, ClientId{client}, scope("read"), at(1)});
    });
    store::migrate(*session, schema(), stores::now);
    with_tables([](Tables t) {
      const auto left = t.users.consents_of(UserId{"u_alice"});
      REQUIRE_EQ(left.size(), 1);
      CHECK_EQ(left.front().client, ClientId{"c_shop"});
    });
  }
}

TEST_CASE_TEMPLATE("a scope is read back as it was written, with more words than a request may name", Store, InMemory,
                   BySql) {
  Store{}.with([](Tables t) {
    const UserId alice{"u_alice"};
    const ClientId client{"c_shop"};
    ScopeSet all;
    for (std::size_t n = 1; n <= 2 * ScopeSet::tokens_max + 1; ++n) {
      all = all.united_with(scope(std::to_string(n)));
      if (n % ScopeSet::tokens_max > 1 && n > 3) continue;
      CAPTURE(n);
      t.users.put_consent({alice, client, all, at(1)});
      CHECK_EQ(t.users.find_consent(alice, client)->scope, all);
    }
    t.users.put_consent({alice, client, ScopeSet{}, at(1)});
    CHECK_EQ(t.users.find_consent(alice, client)->scope, ScopeSet{});
  });
}

}  // namespace
}  // namespace troupe::oauth
