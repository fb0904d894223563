// Migrations: forward only, once, all or nothing, and never on a database that is not ours; on both engines.
#include "troupe/store/migration.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <filesystem>

#include "troupe/base/testing/temporary_folder.h"
#include "troupe/store/postgres/testing/postgres_server.h"
#include "troupe/store/sqlite.h"

namespace troupe::store {
namespace {

constexpr base::UnixTime now{1'700'000'000'000};
constexpr Migration first{1, "items",
                          "CREATE TABLE items (id INTEGER PRIMARY KEY) STRICT; CREATE INDEX i ON items (id)"};
constexpr Migration second{2, "names",
                           "ALTER TABLE items ADD COLUMN name TEXT;"
                           "CREATE TABLE counts (n INTEGER NOT NULL) STRICT; INSERT INTO counts VALUES (0);"
                           "CREATE TRIGGER items_insert AFTER INSERT ON items BEGIN UPDATE counts SET n = n + 1; END;"};
constexpr Migration broken{2, "broken", "CREATE TABLE half (id INTEGER); SELEKT 1"};

std::string refusal(Session& session, std::span<const Migration> known) {
  try {
    migrate(session, known, now);
  } catch (const Error& error) {
    CHECK_EQ(error.failure(), Failure::wrong_schema);
    return error.what();
  }
  return "";
}

bool has_table(Session& session, std::string_view name) {
  const std::string query = fmt::format("SELECT 1 FROM {}", name);
  try {
    session.transact([&](Transaction& t) { t.each(query, {}, [](const Row&) {}); });
    return true;
  } catch (const Error& error) {
    CHECK_EQ(error.failure(), Failure::wrong_use);
    return false;
  }
}

struct Sqlite {
  std::unique_ptr<Session> session = SqliteConnection::in_memory();
};

struct Postgres {
  std::unique_ptr<Session> session = [] {
    auto& server = test::PostgresServer::of_this_process();
    return server.session(server.make_database());
  }();
};

TEST_CASE_TEMPLATE("each migration is applied once, in order", Engine, Sqlite, Postgres) {
  const Engine engine;
  Session& session = *engine.session;
  const Migration one[] = {first};
  const Migration two[] = {first, second};
  CHECK_FALSE(has_migrations(session));
  CHECK_EQ(migrate(session, one, now), 1);
  CHECK(has_migrations(session));
  CHECK_EQ(migrate(session, one, now), 0);
  CHECK_EQ(migrate(session, two, now), 1);
  CHECK_EQ(migrate(session, two, now), 0);
  session.transact([](Transaction& t) { t.run("INSERT INTO items (name) VALUES ('x'), ('y')"); });
  session.transact([](Transaction& t) {
    CHECK(t.first("SELECT n FROM counts", {}, [](const Row& row) { return row.integer(0); }) == 2);
  });
}

TEST_CASE_TEMPLATE("a migration that fails leaves the database as it was", Engine, Sqlite, Postgres) {
  const Engine engine;
  Session& session = *engine.session;
  const Migration known[] = {first, broken};
  CHECK_THROWS_AS(migrate(session, known, now), Error);
  CHECK_FALSE(has_table(session, "items"));
  CHECK_FALSE(has_table(session, "half"));
  const Migration fixed[] = {first, second};
  CHECK_EQ(migrate(session, fixed, now), 2);
}

TEST_CASE_TEMPLATE("a database of a newer version is refused with a sentence that says what to do", Engine, Sqlite,
                   Postgres) {
  const Engine engine;
  Session& session = *engine.session;
  const Migration two[] = {first, second};
  const Migration one[] = {first};
  migrate(session, two, now);
  CHECK_NE(refusal(session, one).find("newer version"), std::string::npos);
}

TEST_CASE_TEMPLATE("a migration that was edited after it was applied is refused", Engine, Sqlite, Postgres) {
  const Engine engine;
  Session& session = *engine.session;
  const Migration one[] = {first};
  migrate(session, one, now);
  const Migration edited[] = {{1, "items", "CREATE TABLE items (id INTEGER PRIMARY KEY, extra TEXT) STRICT"}};
  CHECK_NE(refusal(session, edited).find("Migration 1"), std::string::npos);
}

TEST_CASE("a database that has every migration is taken from who may only read it") {
  auto& server = test::PostgresServer::of_this_process();
  const std::string database = server.make_database();
  const Migration one[] = {first};
  const Migration two[] = {first, second};
  migrate(*server.session(database), one, now);
  server.execute(database, {"CREATE ROLE onlooker LOGIN", "GRANT SELECT ON ALL TABLES IN SCHEMA public TO onlooker",
                            "REVOKE CREATE ON SCHEMA public FROM PUBLIC"});
  const auto onlooker = postgres_engine({.url = base::Secret{server.url(database) + "&user=onlooker"}})->open();
  CHECK_EQ(migrate(*onlooker, one, now), 0);
  CHECK_THROWS_AS(migrate(*onlooker, two, now), Error);
}

TEST_CASE_TEMPLATE("to try writing leaves a database as it was, however often", Engine, Sqlite, Postgres) {
  const Engine engine;
  Session& session = *engine.session;
  const Migration one[] = {first};
  migrate(session, one, now);
  for (int times = 0; times < 3; ++times) session.transact([](Transaction& t) { try_writing(t); });
  CHECK_EQ(migrate(session, one, now), 0);
}

TEST_CASE("to try writing puts something on the disk, and is refused where only reading is allowed") {
  const base::TemporaryFolder folder;
  const std::string path = folder.path() / "troupe.db";
  const auto log_bytes = [&] { return std::filesystem::file_size(path + "-wal"); };
  SqliteConnection session{{.path = path}};
  const Migration one[] = {first};
  migrate(session, one, now);
  const auto before = log_bytes();
  session.transact([](Transaction& t) { try_writing(t); });
  CHECK_GT(log_bytes(), before);

  const Work piece = [](Transaction& t) { try_writing(t); };
  CHECK_NE(session.read({&piece, 1}).front(), nullptr);
}

}  // namespace
}  // namespace troupe::store
