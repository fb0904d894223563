// SQLite: typed values, transactions and group commit, on a database in memory and on files.
#include "troupe/store/sqlite.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>

namespace troupe::store {
namespace {

/// A directory of its own for one test, removed at its end.
struct Directory {
  std::filesystem::path path;
  Directory() {
    std::string name = std::filesystem::temp_directory_path() / "troupe-store-XXXXXX";
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~Directory() { std::filesystem::remove_all(path); }
  SqliteOptions options() const { return {.path = path / "test.db", .busy_timeout = std::chrono::milliseconds{50}}; }
};

std::unique_ptr<SqliteConnection> with_items() {
  auto connection = SqliteConnection::in_memory();
  connection->script("CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT UNIQUE, data BLOB, weight REAL) STRICT");
  return connection;
}

std::int64_t count(SqliteConnection& connection) {
  return connection.transact([](Transaction& t) {
    return t.first("SELECT count(*) FROM items", {}, [](const Row& row) { return row.integer(0); }).value();
  });
}

Work insert(std::int64_t id, std::string name) {
  return [id, name](Transaction& t) { t.run("INSERT INTO items (id, name) VALUES (?1, ?2)", {id, name}); };
}

Failure failure_in(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const Error& error) {
    return error.failure();
  }
}

TEST_CASE("values come back as what they went in") {
  auto connection = with_items();
  const std::string bytes("a\0b\xff", 4);
  connection->transact([&](Transaction& t) {
    CHECK_EQ(t.run("INSERT INTO items VALUES (?1, ?2, ?3, ?4)", {INT64_MIN, "it's", Blob{bytes}, 0.5}), 1);
    t.run("INSERT INTO items VALUES (?1, ?2, ?3, ?4)", {2, "", Blob{}, std::nullopt});
    t.run("INSERT INTO items VALUES (?1, ?2, ?3, ?4)", {3, std::optional<std::string>{}, std::nullopt, std::nullopt});
  });
  connection->transact([&](Transaction& t) {
    int rows = 0;
    t.each("SELECT id, name, data FROM items ORDER BY id", {}, [&](const Row& row) {
      if (++rows == 1) {
        CHECK_EQ(row.integer(0), INT64_MIN);
        CHECK_EQ(row.text(1), "it's");
        CHECK_EQ(row.blob(2), bytes);
      } else if (rows == 2) {
        CHECK_EQ(row.maybe_text(1), "");
        CHECK_EQ(row.maybe_blob(2), "");
      } else {
        CHECK_FALSE(row.maybe_text(1).has_value());
        CHECK_FALSE(row.maybe_blob(2).has_value());
      }
    });
    CHECK_EQ(rows, 3);
  });
}

TEST_CASE("a bound text stays a text, whatever it says") {
  auto connection = with_items();
  const std::string evil = "x'); DROP TABLE items; --";
  connection->transact([&](Transaction& t) { t.run("INSERT INTO items (name) VALUES (?1)", {evil}); });
  connection->transact([&](Transaction& t) {
    const auto name =
        t.first("SELECT name FROM items WHERE name = ?1", {evil}, [](const Row& row) { return row.text(0); });
    CHECK_EQ(name, evil);
  });
}

TEST_CASE("a column of another type than asked for is an error, not a guess") {
  auto connection = with_items();
  connection->transact([](Transaction& t) {
    t.run("INSERT INTO items (id, name) VALUES (1, 'x')");
    CHECK_THROWS_AS(t.first("SELECT name FROM items", {}, [](const Row& row) { return row.integer(0); }), Error);
    CHECK_THROWS_AS(t.first("SELECT data FROM items", {}, [](const Row& row) { return row.blob(0); }), Error);
  });
}

TEST_CASE("a query may run inside its own loop") {
  auto connection = with_items();
  connection->transact([](Transaction& t) {
    for (int i = 0; i < 3; ++i) t.run("INSERT INTO items (id) VALUES (?1)", {i});
    int pairs = 0;
    const auto* sql = "SELECT id FROM items";
    t.each(sql, {}, [&](const Row&) { t.each(sql, {}, [&](const Row&) { ++pairs; }); });
    CHECK_EQ(pairs, 9);
  });
}

TEST_CASE("a transaction that throws leaves nothing behind") {
  auto connection = with_items();
  CHECK_THROWS_AS(connection->transact([](Transaction& t) {
    t.run("INSERT INTO items (id) VALUES (1)");
    throw std::runtime_error("changed my mind");
  }),
                  std::runtime_error);
  CHECK_EQ(count(*connection), 0);
}

TEST_CASE("an error names the rule that was broken and no value") {
  auto connection = with_items();
  connection->transact(insert(1, "top secret"));
  try {
    connection->transact(insert(2, "top secret"));
    FAIL("two of one name");
  } catch (const Error& error) {
    CHECK_EQ(error.failure(), Failure::conflict);
    const std::string what = error.what();
    CHECK_NE(what.find("items.name"), std::string::npos);
    CHECK_EQ(what.find("secret"), std::string::npos);
  }
}

TEST_CASE("wrong SQL, two statements at once and wrong numbers of values are refused") {
  auto connection = with_items();
  const auto failure_of = [&](std::string_view sql, std::initializer_list<Value> values) {
    try {
      connection->transact([&](Transaction& t) { t.run(sql, values); });
    } catch (const Error& error) {
      return error.failure();
    }
    return Failure::unknown;
  };
  CHECK_EQ(failure_of("SELEKT 1", {}), Failure::wrong_use);
  CHECK_EQ(failure_of("DELETE FROM items; DELETE FROM items", {}), Failure::wrong_use);
  CHECK_EQ(failure_of("DELETE FROM items WHERE id = ?1", {}), Failure::wrong_use);
  CHECK_EQ(failure_of("DELETE FROM items", {1}), Failure::wrong_use);
  CHECK_EQ(failure_of("DELETE FROM items WHERE name = \"x\"", {}), Failure::wrong_use);  // no string in double quotes
}

TEST_CASE("of many writes in one commit, one that fails is undone alone") {
  auto connection = with_items();
  const Work pieces[] = {insert(1, "a"), insert(2, "a"), insert(3, "c"),
                         [](Transaction& t) {
                           t.run("INSERT INTO items (id) VALUES (4)");
                           throw std::logic_error("half way");
                         },
                         insert(5, "e")};
  const Outcomes outcomes = connection->write(pieces);
  REQUIRE_EQ(outcomes.size(), 5);
  CHECK_FALSE(outcomes[0]);
  CHECK_EQ(failure_in(outcomes[1]), Failure::conflict);
  CHECK_FALSE(outcomes[2]);
  CHECK_THROWS_AS(std::rethrow_exception(outcomes[3]), std::logic_error);
  CHECK_FALSE(outcomes[4]);
  CHECK_EQ(count(*connection), 3);
}

TEST_CASE("a piece runs once, and beside one that fails anew: its rows and its result are those of its last run") {
  auto connection = with_items();
  int runs = 0;
  std::int64_t seen = 0;
  const Work counting = [&](Transaction& t) {
    ++runs;
    t.run("INSERT INTO items (id, name) VALUES (?1, ?2)", {10 * runs, std::to_string(runs)});
    seen = t.first("SELECT count(*) FROM items", {}, [](const Row& row) { return row.integer(0); }).value();
  };
  const Work whole[] = {insert(1, "a"), counting};
  CHECK_EQ(connection->write(whole), Outcomes(2));
  CHECK_EQ(runs, 1);
  CHECK_EQ(seen, 2);

  const Work failing[] = {counting, insert(1, "again")};
  const Outcomes outcomes = connection->write(failing);
  CHECK_FALSE(outcomes[0]);
  CHECK_EQ(failure_in(outcomes[1]), Failure::conflict);
  CHECK_EQ(runs, 3);
  CHECK_EQ(seen, 3);
  CHECK_EQ(count(*connection), 3);
}

TEST_CASE("a read that tries to write fails, and the next write works") {
  auto connection = with_items();
  const Work pieces[] = {insert(1, "a"), [](Transaction& t) { t.each("SELECT * FROM items", {}, [](const Row&) {}); }};
  const Outcomes outcomes = connection->read(pieces);
  CHECK(outcomes[0]);
  CHECK_FALSE(outcomes[1]);
  CHECK_EQ(count(*connection), 0);
  connection->transact(insert(1, "a"));
  CHECK_EQ(count(*connection), 1);
}

TEST_CASE("a script in a read writes nothing, and opens no way for the pieces behind it") {
  auto connection = with_items();
  const Work pieces[] = {[](Transaction& t) { t.script("CREATE TABLE others (id INTEGER)"); }, insert(1, "a")};
  const Outcomes outcomes = connection->read(pieces);
  CHECK(outcomes[0]);
  CHECK(outcomes[1]);
  CHECK_EQ(count(*connection), 0);
}

TEST_CASE("what was committed is there for the next connection, and the file is ours alone") {
  const Directory directory;
  {
    SqliteConnection connection{directory.options()};
    connection.script("CREATE TABLE items (id INTEGER PRIMARY KEY) STRICT");
    connection.transact([](Transaction& t) { t.run("INSERT INTO items VALUES (7)"); });
  }
  SqliteConnection again{directory.options()};
  CHECK_EQ(count(again), 1);
  struct stat status{};
  REQUIRE_EQ(stat(directory.options().path.c_str(), &status), 0);
  CHECK_EQ(status.st_mode & 0777, 0600);
}

TEST_CASE("opening a second connection does not drop the locks of the first") {
  const Directory directory;
  SqliteConnection first{directory.options()};
  first.script("CREATE TABLE items (id INTEGER PRIMARY KEY) STRICT");
  SqliteConnection second{directory.options()};
  CHECK_EQ(count(first), 0);

  // What another process sees decides: it removes the log when it takes itself for the last one.
  const pid_t child = fork();
  if (child == 0) {
    const int file = open(directory.options().path.c_str(), O_RDWR);
    struct flock shared_range{.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0x40000002, .l_len = 510, .l_pid = 0};
    const bool asked = file >= 0 && fcntl(file, F_GETLK, &shared_range) == 0;
    _exit(asked && shared_range.l_type != F_UNLCK ? 0 : 1);
  }
  int status = -1;
  REQUIRE_EQ(waitpid(child, &status, 0), child);
  CHECK_EQ(status, 0);
}

TEST_CASE("a reader works beside a writer, and sees only what is committed") {
  const Directory directory;
  SqliteConnection writer{directory.options()};
  writer.script("CREATE TABLE items (id INTEGER PRIMARY KEY) STRICT");
  SqliteConnection reader{directory.options()};
  const auto seen = [&] {
    std::int64_t rows = -1;
    const Work look = [&](Transaction& t) {
      rows = t.first("SELECT count(*) FROM items", {}, [](const Row& row) { return row.integer(0); }).value();
    };
    CHECK_FALSE(reader.read({&look, 1}).front());
    return rows;
  };
  writer.transact([&](Transaction& t) {
    t.run("INSERT INTO items VALUES (1)");
    CHECK_EQ(seen(), 0);
  });
  CHECK_EQ(seen(), 1);
}

TEST_CASE("a writer that waits too long for another one is told that the database is busy") {
  const Directory directory;
  SqliteConnection first{directory.options()};
  SqliteConnection second{directory.options()};
  first.script("CREATE TABLE items (id INTEGER PRIMARY KEY) STRICT");
  first.transact([&](Transaction& t) {
    t.run("INSERT INTO items VALUES (1)");
    try {
      second.transact([](Transaction& other) { other.run("INSERT INTO items VALUES (2)"); });
      FAIL("two writers at once");
    } catch (const Error& error) {
      CHECK_EQ(error.failure(), Failure::busy);
    }
  });
  second.transact([](Transaction& t) { t.run("INSERT INTO items VALUES (2)"); });
  CHECK_EQ(count(first), 2);
}

TEST_CASE("a file that cannot be opened is told by its name, with what the system has against it") {
  const Directory folder;
  const auto refusal_of = [](const std::string& path) {
    try {
      const SqliteConnection connection{{.path = path}};
    } catch (const Error& error) {
      CHECK_EQ(error.failure(), Failure::unavailable);
      return std::string{error.what()};
    }
    return std::string{};
  };
  const std::string text = (folder.path / "text").string();
  std::ofstream{text} << std::string(5000, 'x');
  CHECK_EQ(refusal_of("/nowhere/test.db"), "sqlite: /nowhere/test.db cannot be written: No such file or directory");
  CHECK(refusal_of(text).starts_with("sqlite: file is not a database"));
  CHECK(refusal_of(text).ends_with(", of " + text));
  CHECK(refusal_of(folder.path.string()).contains("Is a directory"));
}

/// As on a disk that is nearly full, no file of this process grows beyond `bytes`.
class FilesOfAtMost {
 public:
  explicit FilesOfAtMost(rlim_t bytes) : told_(std::signal(SIGXFSZ, SIG_IGN)) {
    REQUIRE_EQ(::getrlimit(RLIMIT_FSIZE, &before_), 0);
    const rlimit few{bytes, before_.rlim_max};
    REQUIRE_EQ(::setrlimit(RLIMIT_FSIZE, &few), 0);
  }
  FilesOfAtMost(const FilesOfAtMost&) = delete;
  ~FilesOfAtMost() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, told_);
  }

 private:
  rlimit before_{};
  void (*told_)(int);
};

TEST_CASE(
    "a disk that gets full under a large transaction is the reason that is told, and all goes on when it is not") {
  const Directory directory;
  SqliteConnection connection{directory.options()};
  connection.script("CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT)");
  connection.script("PRAGMA cache_size = 10");  // so that it does not wait for the commit
  const auto much = [](Transaction& t) {
    for (int i = 0; i < 1000; ++i) t.run("INSERT INTO items VALUES (?1, ?2)", {i, std::string(1000, 'x')});
  };
  std::string why;
  {
    const FilesOfAtMost little{256 * 1024};
    try {
      connection.transact(much);
    } catch (const Error& error) {
      why = error.what();
      CHECK(error.failure() == Failure::unavailable);
    }
  }
  CAPTURE(why);
  CHECK((why.contains("disk I/O error") || why.contains("full")));
  connection.transact(much);
  CHECK_EQ(count(connection), 1000);
}

TEST_CASE("a foreign key is kept") {
  auto connection = with_items();
  connection->script("CREATE TABLE parts (item INTEGER NOT NULL REFERENCES items (id)) STRICT");
  CHECK_THROWS_AS(connection->transact([](Transaction& t) { t.run("INSERT INTO parts VALUES (1)"); }), Error);
}

}  // namespace
}  // namespace troupe::store
