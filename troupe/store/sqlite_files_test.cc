// The files of a database go away or are replaced while they are open: nothing is acknowledged that would be lost.
#include "troupe/store/sqlite_files.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include "troupe/store/sqlite.h"

namespace troupe::store {
namespace {

namespace fs = std::filesystem;

/// A folder of its own with a database in it, removed at its end.
struct Folder {
  fs::path path;
  fs::path database, log, away;
  Folder() {
    std::string name = fs::temp_directory_path() / "troupe-files-XXXXXX";
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path = name;
    database = path / "test.db";
    log = path / "test.db-wal";
    away = path / "away";
    SqliteConnection{options()}.script("CREATE TABLE items (id INTEGER PRIMARY KEY) STRICT");
  }
  ~Folder() { fs::remove_all(path); }
  SqliteOptions options() const { return {.path = database, .busy_timeout = std::chrono::milliseconds{50}}; }
  void replace(const fs::path& file) const {
    std::ofstream{away} << "";
    fs::copy_file(file, away, fs::copy_options::overwrite_existing);
    fs::rename(away, file);
  }
};

void insert(Session& session, std::int64_t id) {
  session.transact([id](Transaction& t) { t.run("INSERT INTO items VALUES (?1)", {id}); });
}

std::int64_t count(Session& session) {
  std::int64_t rows = -1;
  const Work look = [&](Transaction& t) {
    rows = t.first("SELECT count(*) FROM items", {}, [](const Row& row) { return row.integer(0); }).value();
  };
  CHECK_FALSE(session.read({&look, 1}).front());
  return rows;
}

/// What a function is refused with, as the database's failure; empty: it is not refused.
template <class F>
std::string refusal_of(F work) {
  try {
    work();
  } catch (const Error& error) {
    CHECK_EQ(error.failure(), Failure::unavailable);
    return error.what();
  }
  return {};
}

TEST_CASE("while the database is moved away nothing is written, and once it is back all goes on") {
  const Folder folder;
  SqliteConnection connection{folder.options()};
  insert(connection, 1);

  fs::rename(folder.database, folder.away);
  const std::string why = refusal_of([&] { insert(connection, 2); });
  CHECK(why.contains(folder.database.string() + " is not the file any more"));
  CHECK(why.contains("No such file or directory"));
  CHECK_EQ(count(connection), 1);
  CHECK_FALSE(fs::exists(folder.database));

  fs::rename(folder.away, folder.database);
  insert(connection, 3);
  CHECK_EQ(count(connection), 2);
}

TEST_CASE("what a batch did is undone where the database was replaced meanwhile") {
  const Folder folder;
  SqliteConnection connection{folder.options()};
  const Work pieces[] = {[](Transaction& t) { t.run("INSERT INTO items VALUES (1)"); },
                         [&](Transaction& t) {
                           t.run("INSERT INTO items VALUES (2)");
                           folder.replace(folder.database);
                         }};
  const std::string why = refusal_of([&] { connection.write(pieces); });
  CHECK(why.contains("another file is in its place"));
  CHECK_EQ(count(connection), 0);
}

TEST_CASE("while the log is gone nothing is written, and who closes the database brings into it what the log has") {
  const Folder folder;
  for (const bool is_replaced : {false, true}) {
    CAPTURE(is_replaced);
    {
      SqliteConnection connection{folder.options()};
      const std::int64_t before = count(connection);
      insert(connection, before + 1);
      if (is_replaced)
        folder.replace(folder.log);
      else
        fs::remove(folder.log);
      CHECK(refusal_of([&] { insert(connection, 99); }).contains(folder.log.string() + " is not the file any more"));
      CHECK_EQ(count(connection), before + 1);
    }
    SqliteConnection again{folder.options()};
    CHECK_EQ(count(again), is_replaced ? 2 : 1);
  }
}

TEST_CASE("a log that is moved away and comes back goes on") {
  const Folder folder;
  SqliteConnection connection{folder.options()};
  insert(connection, 1);
  fs::rename(folder.log, folder.away);
  CHECK_FALSE(refusal_of([&] { insert(connection, 2); }).empty());
  fs::rename(folder.away, folder.log);
  insert(connection, 3);
  CHECK_EQ(count(connection), 2);
}

TEST_CASE("an engine that has opened a database makes no other in its place, and opens it again when it is back") {
  const Folder folder;
  const auto engine = sqlite_engine(folder.options());
  insert(*engine->open(), 1);

  fs::rename(folder.database, folder.away);
  CHECK(refusal_of([&] { engine->open(); }).contains("No such file or directory"));
  CHECK_FALSE(fs::exists(folder.database));
  SqliteConnection{folder.options()}.script("CREATE TABLE items (id INTEGER PRIMARY KEY) STRICT");
  CHECK(refusal_of([&] { engine->open(); }).contains("another file is in its place"));

  fs::rename(folder.away, folder.database);
  CHECK_EQ(count(*engine->open()), 1);
}

TEST_CASE("an engine opens no log beside the one that its sessions have, also when the last opened one has gone") {
  const Folder folder;
  const auto engine = sqlite_engine(folder.options());
  const auto reader = engine->open();
  auto writer = engine->open();
  insert(*writer, 1);

  fs::rename(folder.log, folder.away);
  CHECK_FALSE(refusal_of([&] { insert(*writer, 2); }).empty());
  writer.reset();
  CHECK(refusal_of([&] { engine->open(); }).contains(folder.log.string()));
  CHECK_FALSE(fs::exists(folder.log));

  fs::rename(folder.away, folder.log);
  writer = engine->open();
  insert(*writer, 3);
  CHECK_EQ(count(*reader), 2);
}

TEST_CASE("the log goes with the last session, and the next one has another") {
  const Folder folder;
  const auto engine = sqlite_engine(folder.options());
  for (int i = 1; i <= 3; ++i) {
    const auto session = engine->open();
    insert(*session, i);
    CHECK(fs::exists(folder.log));
    CHECK_EQ(count(*session), i);
  }
  CHECK_FALSE(fs::exists(folder.log));
}

}  // namespace
}  // namespace troupe::store
