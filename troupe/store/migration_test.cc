// Migrations: forward only, once, all or nothing, and never on a database that is not ours.
#include "troupe/store/migration.h"

#include <doctest/doctest.h>

namespace troupe::store {
namespace {

constexpr base::UnixTime now{1'700'000'000'000};
constexpr Migration first{1, "items",
                          "CREATE TABLE items (id INTEGER PRIMARY KEY) STRICT; CREATE INDEX i ON items (id)"};
constexpr Migration second{2, "names", "ALTER TABLE items ADD COLUMN name TEXT"};
constexpr Migration broken{2, "broken", "CREATE TABLE half (id INTEGER); SELEKT 1"};

std::string refusal(SqliteConnection& connection, std::span<const Migration> known) {
  try {
    migrate(connection, known, now);
  } catch (const Error& error) {
    CHECK_EQ(error.failure(), Failure::wrong_schema);
    return error.what();
  }
  return "";
}

bool has_table(SqliteConnection& connection, const char* name) {
  return connection.transact([&](Transaction& t) {
    return t.first("SELECT 1 FROM sqlite_master WHERE name = ?1", {name}, [](const Row&) { return true; }).has_value();
  });
}

TEST_CASE("each migration is applied once, in order") {
  auto connection = SqliteConnection::in_memory();
  const Migration one[] = {first};
  const Migration two[] = {first, second};
  CHECK_EQ(migrate(*connection, one, now), 1);
  CHECK_EQ(migrate(*connection, one, now), 0);
  CHECK_EQ(migrate(*connection, two, now), 1);
  CHECK_EQ(migrate(*connection, two, now), 0);
  connection->transact([](Transaction& t) { t.run("INSERT INTO items (id, name) VALUES (1, 'x')"); });
}

TEST_CASE("a migration that fails leaves the database as it was") {
  auto connection = SqliteConnection::in_memory();
  const Migration known[] = {first, broken};
  CHECK_THROWS_AS(migrate(*connection, known, now), Error);
  CHECK_FALSE(has_table(*connection, "items"));
  CHECK_FALSE(has_table(*connection, "half"));
  const Migration fixed[] = {first, second};
  CHECK_EQ(migrate(*connection, fixed, now), 2);
}

TEST_CASE("a database of a newer version is refused with a sentence that says what to do") {
  auto connection = SqliteConnection::in_memory();
  const Migration two[] = {first, second};
  const Migration one[] = {first};
  migrate(*connection, two, now);
  CHECK_NE(refusal(*connection, one).find("newer version"), std::string::npos);
}

TEST_CASE("a migration that was edited after it was applied is refused") {
  auto connection = SqliteConnection::in_memory();
  const Migration one[] = {first};
  migrate(*connection, one, now);
  const Migration edited[] = {{1, "items", "CREATE TABLE items (id INTEGER PRIMARY KEY, extra TEXT) STRICT"}};
  CHECK_NE(refusal(*connection, edited).find("Migration 1"), std::string::npos);
}

}  // namespace
}  // namespace troupe::store
