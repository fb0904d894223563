// PostgreSQL as a session sees it: values, transactions, one writer at a time, and what failures say.
#include "troupe/store/postgres/postgres.h"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include "troupe/store/postgres/testing/postgres_server.h"

namespace troupe::store {
namespace {

using test::PostgresServer;

std::int64_t count_in(Session& session) {
  return session.transact([](Transaction& t) {
    return t.first("SELECT count(*) FROM items", {}, [](const Row& row) { return row.integer(0); }).value();
  });
}

/// A database with a table, and a session on it.
struct Bench {
  std::string database = PostgresServer::of_this_process().make_database();
  std::unique_ptr<Session> session = PostgresServer::of_this_process().session(database);

  Bench() {
    session->transact([](Transaction& t) {
      t.script(
          "CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT UNIQUE, data BLOB, weight REAL) STRICT;"
          "CREATE TABLE parts (item INTEGER NOT NULL REFERENCES items (id)) STRICT");
    });
  }

  std::int64_t count() const { return count_in(*session); }
};

/// A process whose exit status is what it counts, as a writer.
pid_t count_in_process(const std::string& database) noexcept {
  const pid_t child = fork();
  if (child == 0) _exit(static_cast<int>(count_in(*PostgresServer::of_this_process().session(database))));
  return child;
}

/// Until one waits for the lock of writers.
void wait_for_waiting_writer(const std::string& database) {
  const auto session = PostgresServer::of_this_process().session("postgres");
  const base::Instant begin = base::system_clock().now();
  bool is_waiting = false;
  while (!is_waiting) {
    REQUIRE_LT(base::system_clock().now() - begin, std::chrono::seconds{30});
    session->transact([&](Transaction& t) {
      t.each("SELECT 1 FROM pg_stat_activity WHERE datname = ?1 AND wait_event = 'advisory'", {database},
             [&](const Row&) { is_waiting = true; });
    });
  }
}

Work insert(std::int64_t id, std::string name) {
  return [id, name](Transaction& t) { t.run("INSERT INTO items (id, name) VALUES (?1, ?2)", {id, name}); };
}

Work send(std::int64_t id, std::string name) {
  return [id, name](Transaction& t) { t.send("INSERT INTO items (id, name) VALUES (?1, ?2)", {id, name}); };
}

Error error_in(const std::exception_ptr& failure) {
  REQUIRE(failure != nullptr);
  try {
    std::rethrow_exception(failure);
  } catch (const Error& error) {
    return error;
  }
}

template <class F>
Error error_of(F work) {
  try {
    work();
  } catch (const Error& error) {
    return error;
  }
  FAIL("nothing was refused");
  return {Failure::unknown, 0, ""};
}

TEST_CASE("values come back as what they went in") {
  const Bench bench;
  const std::string bytes("a\0b\xff", 4);
  bench.session->transact([&](Transaction& t) {
    CHECK_EQ(t.run("INSERT INTO items VALUES (?1, ?2, ?3, ?4)", {INT64_MIN, "it's \"käse\"", Blob{bytes}, 0.5}), 1);
    CHECK_EQ(t.run("INSERT INTO items VALUES (?1, ?2, ?3, ?4), (7, NULL, NULL, NULL)", {2, "", Blob{}, std::nullopt}),
             2);
    t.run("INSERT INTO items VALUES (?1, ?2, ?3, ?4)", {INT64_MAX, std::optional<std::string>{}, std::nullopt, 1e300});
  });
  std::vector<std::int64_t> ids;
  bench.session->transact([&](Transaction& t) {
    t.each("SELECT id, name, data FROM items ORDER BY id", {}, [&](const Row& row) {
      ids.push_back(row.integer(0));
      if (ids.size() == 1) {
        CHECK_EQ(row.text(1), "it's \"käse\"");
        CHECK_EQ(row.blob(2), bytes);
      } else if (ids.size() == 2) {
        CHECK_EQ(row.maybe_text(1), "");
        CHECK_EQ(row.maybe_blob(2), "");
      } else {
        CHECK_FALSE(row.maybe_text(1).has_value());
        CHECK_FALSE(row.maybe_blob(2).has_value());
      }
    });
    CHECK(t.first("SELECT 1 FROM items WHERE weight = ?1", {0.5}, [](const Row& row) { return row.integer(0); }) == 1);
  });
  CHECK_EQ(ids, std::vector<std::int64_t>{INT64_MIN, 2, 7, INT64_MAX});
}

TEST_CASE("integers of every width and sign are read") {
  const Bench bench;
  bench.session->transact([](Transaction& t) {
    const auto one = [&](const char* sql) {
      return t.first(sql, {}, [](const Row& row) { return row.integer(0); }).value();
    };
    CHECK_EQ(one("SELECT (-2)::smallint"), -2);
    CHECK_EQ(one("SELECT 65536"), 65536);
    CHECK_EQ(one("SELECT -1"), -1);
    CHECK_EQ(one("SELECT 1 = 1"), 1);
    CHECK_EQ(one("SELECT -9223372036854775807"), -9223372036854775807);
  });
}

TEST_CASE("a bound text stays a text, whatever it says") {
  const Bench bench;
  const std::string evil = "x'); DROP TABLE items; --";
  bench.session->transact([&](Transaction& t) { t.run("INSERT INTO items (id, name) VALUES (1, ?1)", {evil}); });
  bench.session->transact([&](Transaction& t) {
    CHECK(t.first("SELECT name FROM items WHERE name = ?1", {evil}, [](const Row& row) { return row.text(0); }) ==
          evil);
  });
}

TEST_CASE("a column of another type than asked for is an error, not a guess") {
  const Bench bench;
  bench.session->transact([](Transaction& t) {
    t.run("INSERT INTO items (id, name) VALUES (1, 'x')");
    CHECK_THROWS_AS(t.first("SELECT name FROM items", {}, [](const Row& row) { return row.integer(0); }), Error);
    CHECK_THROWS_AS(t.first("SELECT data FROM items", {}, [](const Row& row) { return row.blob(0); }), Error);
    CHECK_EQ(t.run("UPDATE items SET name = 'y'"), 1);  // our own refusal spoils nothing
  });
}

TEST_CASE("of many writes in one commit, one that fails is undone alone, whichever it is and whenever it is told") {
  for (const auto& make : {insert, send}) {
    for (std::size_t failing = 0; failing < 4; ++failing) {
      CAPTURE(failing);
      const Bench bench;
      bench.session->transact(insert(100, "taken"));
      std::vector<Work> pieces;
      for (std::size_t i = 0; i < 4; ++i)
        pieces.push_back(make(static_cast<std::int64_t>(i), i == failing ? "taken" : std::to_string(i)));
      const Outcomes outcomes = bench.session->write(pieces);
      REQUIRE_EQ(outcomes.size(), 4);
      for (std::size_t i = 0; i < 4; ++i) CHECK_EQ(outcomes[i] != nullptr, i == failing);
      CHECK_EQ(error_in(outcomes[failing]).failure(), Failure::conflict);
      CHECK_EQ(bench.count(), 4);
    }
  }
}

TEST_CASE("it is undone alone also where answers are taken in the middle, however near to the commit") {
  const Bench bench;
  bench.session->transact(insert(0, "taken"));
  for (int sent = 500; sent <= 520; ++sent) {
    CAPTURE(sent);
    const Work pieces[] = {insert(sent, std::to_string(sent)), [sent](Transaction& t) {
                             t.first("SELECT count(*) FROM items", {}, [](const Row& row) { return row.integer(0); });
                             for (int i = 0; i < sent; ++i)
                               t.send("INSERT INTO items (id, name) VALUES (?1, ?2)",
                                      {10'000 + i, i == 0 ? "taken" : "free"});
                           }};
    const Outcomes outcomes = bench.session->write(pieces);
    CHECK_FALSE(outcomes[0]);
    CHECK_EQ(error_in(outcomes[1]).failure(), Failure::conflict);
    CHECK_EQ(bench.count(), sent - 500 + 2);
  }
}

TEST_CASE("a piece that throws is undone, with what it had under way, and the others are not") {
  const Bench bench;
  const Work pieces[] = {insert(1, "a"),
                         [](Transaction& t) {
                           t.send("INSERT INTO items (id) VALUES (2)");
                           throw std::logic_error("half way");
                         },
                         [](Transaction&) {}, insert(3, "c")};
  const Outcomes outcomes = bench.session->write(pieces);
  CHECK_THROWS_AS(std::rethrow_exception(outcomes[1]), std::logic_error);
  CHECK_FALSE((outcomes[0] || outcomes[2] || outcomes[3]));
  CHECK_EQ(bench.count(), 2);
}

TEST_CASE("a piece that hides the failure of a statement has failed all the same") {
  const Bench bench;
  bench.session->transact(insert(1, "a"));
  const Work hides = [](Transaction& t) {
    CHECK_THROWS_AS(t.run("INSERT INTO items (id) VALUES (1)"), Error);
    CHECK_THROWS_AS(t.run("INSERT INTO items (id) VALUES (2)"), Error);
  };
  CHECK_EQ(error_of([&] { bench.session->transact(hides); }).failure(), Failure::conflict);
  CHECK_EQ(bench.count(), 1);
}

TEST_CASE("thousands of statements under way at once are answered") {
  const Bench bench;
  const std::string large(5000, 'x');
  bench.session->transact([&](Transaction& t) {
    for (int i = 0; i < 5000; ++i) t.send("INSERT INTO items (id, data) VALUES (?1, ?2)", {i, Blob{large}});
  });
  CHECK_EQ(bench.count(), 5000);
}

TEST_CASE("reads that fail or try to write spoil no other read, and the next write works") {
  const Bench bench;
  bench.session->transact(insert(1, "a"));
  std::int64_t rows = 0;
  const Work look = [&](Transaction& t) { t.each("SELECT * FROM items", {}, [&](const Row&) { ++rows; }); };
  const Work pieces[] = {look, insert(2, "b"),
                         look, [](Transaction& t) { t.run("SELEKT 1"); },
                         look, [](Transaction&) { throw std::logic_error("changed my mind"); },
                         look};
  const Outcomes outcomes = bench.session->read(pieces);
  for (std::size_t i = 0; i < outcomes.size(); ++i) CHECK_EQ(outcomes[i] != nullptr, i % 2 == 1);
  CHECK_EQ(rows, 4);
  bench.session->transact(insert(2, "b"));
  CHECK_EQ(bench.count(), 2);
}

TEST_CASE("an error names the rule that was broken and no value") {
  const Bench bench;
  bench.session->transact(insert(1, "top secret"));
  const Error conflict = error_of([&] { bench.session->transact(insert(2, "top secret")); });
  CHECK_EQ(conflict.failure(), Failure::conflict);
  CHECK(std::string{conflict.what()}.contains("items_name_key"));
  CHECK_FALSE(std::string{conflict.what()}.contains("secret"));
  const Error wrong =
      error_of([&] { bench.session->transact([](Transaction& t) { t.run("SELECT ?1::integer", {"top secret"}); }); });
  CHECK_EQ(wrong.failure(), Failure::wrong_use);
  CHECK_FALSE(std::string{wrong.what()}.contains("secret"));
}

TEST_CASE("what is wrong with a statement is told, and the session goes on") {
  struct Wrong {
    const char* sql;
    std::vector<Value> values;
    Failure failure;
  };
  const Wrong wrongs[] = {
      {"SELEKT 1", {}, Failure::wrong_use},
      {"DELETE FROM items; DELETE FROM items", {}, Failure::wrong_use},
      {"DELETE FROM nothing", {}, Failure::wrong_use},
      {"INSERT INTO parts VALUES (1)", {}, Failure::conflict},
      {"INSERT INTO items (id, name) VALUES (1, 'a'), (2, 'a')", {}, Failure::conflict},
  };
  const Bench bench;
  for (const Wrong& wrong : wrongs) {
    CAPTURE(wrong.sql);
    CHECK_EQ(error_of([&] { bench.session->transact([&](Transaction& t) { t.run(wrong.sql); }); }).failure(),
             wrong.failure);
  }
  const auto wrong_number = [&] {
    bench.session->transact([](Transaction& t) { t.run("DELETE FROM items WHERE id = ?1"); });
  };
  CHECK_EQ(error_of(wrong_number).failure(), Failure::wrong_use);
  CHECK_EQ(bench.count(), 0);
}

TEST_CASE("two processes write one after the other, and what one has read before it writes still holds") {
  const Bench bench;
  bench.session->transact(insert(0, "n"));
  constexpr int children = 4;
  constexpr int rounds = 50;
  for (int child = 0; child < children; ++child) {
    if (fork() != 0) continue;
    const auto own = PostgresServer::of_this_process().session(bench.database);
    for (int round = 0; round < rounds; ++round) {
      own->transact([](Transaction& t) {
        const auto seen = t.first("SELECT weight::bigint FROM items WHERE id = 0", {},
                                  [](const Row& row) { return row.maybe_integer(0); });
        t.run("UPDATE items SET weight = ?1 WHERE id = 0", {seen->value_or(0) + 1});
      });
    }
    _exit(0);
  }
  for (int child = 0; child < children; ++child) {
    int status = -1;
    REQUIRE_GT(wait(&status), 0);
    CHECK_EQ(status, 0);
  }
  const auto counted = bench.session->transact([](Transaction& t) {
    return t.first("SELECT weight::bigint FROM items WHERE id = 0", {}, [](const Row& row) { return row.integer(0); });
  });
  CHECK(counted == children * rounds);
}

TEST_CASE("who has waited for another writer sees what it wrote, whatever isolation the database has by default") {
  PostgresServer& server = PostgresServer::of_this_process();
  for (const std::string level : {"read committed", "repeatable read", "serializable"}) {
    CAPTURE(level);
    const Bench bench;
    server.execute("postgres",
                   {fmt::format("ALTER DATABASE {} SET default_transaction_isolation = '{}'", bench.database, level)});
    pid_t other = -1;
    server.session(bench.database)->transact([&](Transaction& t) {
      t.run("INSERT INTO items (id) VALUES (1)");
      other = count_in_process(bench.database);
      wait_for_waiting_writer(bench.database);
    });
    int status = -1;
    REQUIRE_EQ(waitpid(other, &status, 0), other);
    REQUIRE(WIFEXITED(status));
    CHECK_EQ(WEXITSTATUS(status), 1);
  }
}

TEST_CASE("a writer that waits too long for another one is told that the database is busy, and works again") {
  const Bench bench;
  PostgresOptions options = PostgresServer::of_this_process().options(bench.database);
  options.busy_timeout = std::chrono::milliseconds{50};
  const auto second = postgres_engine(options)->open();
  bench.session->transact([&](Transaction& t) {
    t.run("INSERT INTO items (id) VALUES (1)");
    CHECK_EQ(error_of([&] { second->transact(insert(2, "b")); }).failure(), Failure::busy);
    CHECK_EQ(error_of([&] { second->transact([](Transaction&) {}); }).failure(), Failure::busy);
    CHECK(second->is_usable());
  });
  second->transact(insert(2, "b"));
  CHECK_EQ(bench.count(), 2);
}

TEST_CASE("a statement that takes too long is ended, and a script may take its time") {
  const Bench bench;
  PostgresOptions options = PostgresServer::of_this_process().options(bench.database);
  options.statement_timeout = std::chrono::milliseconds{500};
  const auto hasty = postgres_engine(options)->open();
  hasty->transact([](Transaction& t) { t.script("CREATE TABLE more (id INTEGER); SELECT pg_sleep(1);"); });
  const auto sleep = [](Transaction& t) { t.each("SELECT pg_sleep(2)", {}, [](const Row&) {}); };
  CHECK_EQ(error_of([&] { hasty->transact(sleep); }).failure(), Failure::busy);
  hasty->transact([](Transaction& t) { t.run("INSERT INTO more VALUES (1)"); });
}

TEST_CASE("a reader sees what is committed, and nothing else, while another one writes") {
  const Bench bench;
  const auto reader = PostgresServer::of_this_process().session(bench.database);
  const auto seen = [&] {
    std::int64_t rows = -1;
    const Work look = [&](Transaction& t) {
      rows = t.first("SELECT count(*) FROM items", {}, [](const Row& row) { return row.integer(0); }).value();
    };
    CHECK_FALSE(reader->read({&look, 1}).front());
    return rows;
  };
  bench.session->transact([&](Transaction& t) {
    t.run("INSERT INTO items (id) VALUES (1)");
    CHECK_EQ(seen(), 0);
  });
  CHECK_EQ(seen(), 1);
}

TEST_CASE("a connection that ends in the middle of a batch undoes all of it, and says that nothing happened") {
  const Bench bench;
  const Work pieces[] = {insert(1, "a"), [&](Transaction& t) {
                           PostgresServer::of_this_process().terminate_backends(bench.database);
                           t.run("INSERT INTO items (id) VALUES (2)");
                         }};
  CHECK_EQ(error_of([&] { (void)bench.session->write(pieces); }).failure(), Failure::unavailable);
  CHECK_FALSE(bench.session->is_usable());
  CHECK_EQ(error_of([&] { bench.session->transact(insert(3, "c")); }).failure(), Failure::unavailable);
  const auto again = PostgresServer::of_this_process().session(bench.database);
  again->transact(insert(1, "a"));  // nobody has left it there, nor the lock
}

TEST_CASE("a connection that ends in the middle of a commit leaves unknown what came of it") {
  const Bench bench;
  PostgresServer::of_this_process().execute(
      bench.database,
      {"CREATE FUNCTION fall() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM "
       "pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(1); RETURN NULL; END $$",
       "CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON items DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN "
       "(NEW.id = 13) EXECUTE FUNCTION fall()"});
  CHECK_EQ(error_of([&] { bench.session->transact(insert(13, "a")); }).failure(), Failure::unknown);
  CHECK_FALSE(bench.session->is_usable());
}

TEST_CASE("a connection that the server closed while nobody used it is not usable") {
  const Bench bench;
  CHECK(bench.session->is_usable());
  PostgresServer::of_this_process().terminate_backends(bench.database);
  bool is_usable = true;
  for (int look = 0; look < 100 && is_usable; ++look) {
    (void)PostgresServer::of_this_process().session("postgres");  // time for the server
    is_usable = bench.session->is_usable();
  }
  CHECK_FALSE(is_usable);
}

TEST_CASE("a session has the server look whether it is still there, so that a vanished one holds no lock for hours") {
  const Bench bench;
  std::vector<std::string> set;
  bench.session->transact([&](Transaction& t) {
    // By a unix socket, which tells the end of the other side anyway, each shows 0: so by who has set it.
    t.each("SELECT name FROM pg_settings WHERE name LIKE 'tcp%' AND source = 'session' ORDER BY name", {},
           [&](const Row& row) { set.push_back(row.text(0)); });
  });
  CHECK_EQ(set, std::vector<std::string>{"tcp_keepalives_count", "tcp_keepalives_idle", "tcp_keepalives_interval",
                                         "tcp_user_timeout"});
}

TEST_CASE("a server that only reads is not connected to, and a session that finds itself there is left") {
  const Bench bench;
  const std::string url =
      PostgresServer::of_this_process().url(bench.database) + "&options=-c%20default_transaction_read_only%3Don";
  const auto open = [](const std::string& where) { return postgres_engine({.url = base::Secret{where}})->open(); };
  CHECK_EQ(error_of([&] { (void)open(url); }).failure(), Failure::unavailable);

  const Work look = [](Transaction& t) { t.each("SELECT id FROM items", {}, [](const Row&) {}); };
  for (const auto& make : {insert, send}) {
    const auto session = open(url + "&target_session_attrs=any");
    const Work pieces[] = {look, make(1, "a"), look, make(2, "b")};
    CHECK_FALSE(session->read({&look, 1}).front());
    CHECK(session->is_usable());
    const Outcomes outcomes = session->write(pieces);
    for (std::size_t i = 0; i < outcomes.size(); ++i) CHECK_EQ(outcomes[i] != nullptr, i % 2 == 1);
    for (const std::size_t i : {1, 3}) {
      const Error refused = error_in(outcomes[i]);
      CHECK_EQ(refused.failure(), Failure::unavailable);
      CHECK(std::string{refused.what()}.contains("25006"));
    }
    CHECK_FALSE(session->is_usable());
  }
  CHECK_EQ(bench.count(), 0);
}

TEST_CASE("a read that tries to write has itself to blame: its session is left neither then nor by the next write") {
  const Bench bench;
  const Work write = insert(1, "a");
  CHECK(std::string{error_in(bench.session->read({&write, 1}).front()).what()}.contains("25006"));
  CHECK(bench.session->is_usable());
  bench.session->transact(insert(2, "b"));
  CHECK(bench.session->is_usable());
  CHECK_EQ(bench.count(), 1);
}

TEST_CASE("a connection that cannot be made says why, and never with the password") {
  const std::string url = PostgresServer::of_this_process().url("postgres");
  const std::string wrongs[] = {
      "postgresql://alice:hunter2@127.0.0.1:1/db", "postgresql://alice:hunter2@[oops/db",
      "host=/nowhere password=hunter2 user=alice", "password=hunter2 nonsense=1",
      url + "&dbname=nothing&password=hunter2",
  };
  for (const std::string& wrong : wrongs) {
    const Error error = error_of([&] { (void)postgres_engine({.url = base::Secret{wrong}})->open(); });
    CHECK_EQ(error.failure(), Failure::unavailable);
    CHECK_FALSE(std::string{error.what()}.contains("hunter2"));
    CHECK_FALSE(std::string{error.what()}.contains('\t'));
  }
}

TEST_CASE("a database that has not every character is refused at once, and not with the first name that it lacks") {
  auto& server = PostgresServer::of_this_process();
  for (const std::string encoding : {"LATIN1", "SQL_ASCII"}) {
    server.execute("postgres",
                   {fmt::format("CREATE DATABASE of_{0} ENCODING '{0}' LOCALE 'C' TEMPLATE template0", encoding)});
  }
  CHECK_EQ(std::string{error_of([&] { (void)server.session("of_latin1"); }).what()},
           "postgresql: the database is encoded as LATIN1, and has to be one of UTF8");
  CHECK(server.session("of_sql_ascii"));  // takes bytes as they are
}

TEST_CASE("of a server that takes a connection and says nothing it is told where it was looked for") {
  const int mute = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
  socklen_t size = sizeof address;
  REQUIRE_EQ(::bind(mute, reinterpret_cast<sockaddr*>(&address), size), 0);
  REQUIRE_EQ(::listen(mute, 1), 0);
  REQUIRE_EQ(::getsockname(mute, reinterpret_cast<sockaddr*>(&address), &size), 0);
  const int port = ntohs(address.sin_port);
  const auto url = fmt::format("postgresql://alice:hunter2@127.0.0.1:{}/db", port);
  const auto engine = postgres_engine({.url = base::Secret{url}, .connect_timeout = std::chrono::milliseconds{50}});
  CHECK_EQ(std::string{error_of([&] { (void)engine->open(); }).what()},
           fmt::format("postgresql: no answer in time from 127.0.0.1, port {}", port));
  ::close(mute);
}

}  // namespace
}  // namespace troupe::store
