// PostgreSQL under faults, below a Database on real cores: what is told, and that everything comes back by itself.
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <signal.h>

#include <algorithm>

#include "troupe/base/log.h"
#include "troupe/store/database.h"
#include "troupe/store/postgres/testing/postgres_server.h"

namespace troupe::store {
namespace {

using actor::Task;
using test::PostgresServer;

struct Insert {
  std::int64_t id = 0;
  double seconds = 0;  // that the transaction takes
  using reply = std::string;
};
struct Count {
  using reply = std::int64_t;
};
struct Ping {
  using reply = int;
};

std::string name_of(Failure failure) {
  constexpr const char* names[] = {"conflict", "busy", "unavailable", "unknown", "wrong schema", "wrong use"};
  return names[static_cast<std::size_t>(failure)];
}

/// Writes, and says in words what came of it.
class Clerk {
 public:
  static constexpr bool interleaves = true;
  explicit Clerk(Database database) : database_(std::move(database)) {}

  Task<std::string> handle(Insert message) {
    std::string outcome = "done";
    try {
      co_await database_.write([message](Transaction& t) {
        t.run("INSERT INTO items VALUES (?1)", {message.id});
        if (message.seconds > 0) t.each("SELECT pg_sleep(?1)", {message.seconds}, [](const Row&) {});
      });
    } catch (const Error& error) {
      outcome = name_of(error.failure());
    }
    co_return outcome;
  }
  Task<std::int64_t> handle(Count) {
    auto count = co_await database_.read([](Transaction& t) {
      return t.first("SELECT count(*) FROM items", {}, [](const Row& row) { return row.integer(0); }).value();
    });
    co_return count;
  }
  int handle(Ping) { return ++pings_; }

 private:
  Database database_;
  int pings_ = 0;
};

Task<void> nap(base::Duration time = std::chrono::milliseconds{10}) { co_await actor::sleep(time); }

/// Counts how often a session is opened.
class CountingEngine final : public Engine {
 public:
  explicit CountingEngine(const PostgresOptions& options) : inner_(postgres_engine(options)) {}
  std::unique_ptr<Session> open() override { return ++attempts, inner_->open(); }
  bool reads_beside_writer() const noexcept override { return false; }
  SessionHome home() const noexcept override { return SessionHome::core; }
  ReopenPause reopen_pause() const noexcept override { return inner_->reopen_pause(); }

  int attempts = 0;

 private:
  std::shared_ptr<Engine> inner_;
};

struct Bench {
  PostgresServer& server = PostgresServer::of_this_process();
  std::string name = server.make_database();
  PostgresClaim claim;
  std::shared_ptr<CountingEngine> engine = std::make_shared<CountingEngine>(options());
  actor::System system{{.cores = 1}};
  actor::Ref<Clerk> clerk;

  explicit Bench(PostgresClaim claim_of_engine = PostgresClaim::none) : claim(claim_of_engine) {
    server.session(name)->transact([](Transaction& t) { t.script("CREATE TABLE items (id INTEGER PRIMARY KEY)"); });
    clerk = system.spawn<Clerk>({.name = "clerk"}, Database::start(system, engine));
  }

  PostgresOptions options() const {
    PostgresOptions options = server.options(name);
    options.reopen_pause = {.min = std::chrono::milliseconds{20}, .max = std::chrono::milliseconds{200}};
    options.claim = claim;
    return options;
  }
  std::string insert(std::int64_t id) { return system.block_on(clerk.ask(Insert{id}, patience)).value(); }
  auto count() { return system.block_on(clerk.ask(Count{}, patience)); }
  /// Asks until a row could be written; what else came is counted by its words.
  std::map<std::string, int> insert_until_done(std::int64_t first) {
    std::map<std::string, int> outcomes;
    while (outcomes["done"] == 0) ++outcomes[insert(first++)];
    return outcomes;
  }
  /// Whether a transaction of ours sleeps on the server now.
  bool is_asleep() const {
    const auto session = server.session("postgres");
    return session->transact([&](Transaction& t) {
      return t
          .first("SELECT 1 FROM pg_stat_activity WHERE datname = ?1 AND wait_event = 'PgSleep'", {name},
                 [](const Row&) { return true; })
          .has_value();
    });
  }
  void wait_until_asleep() {
    const base::Instant begin = base::system_clock().now();
    while (!is_asleep()) {
      REQUIRE_LT(base::system_clock().now() - begin, std::chrono::seconds{30});
      system.block_on(nap());
    }
  }

  static constexpr actor::AskOptions patience{.within = std::chrono::seconds{20}};
};

TEST_CASE("a core does other things while the database takes its time, and what waits runs together") {
  Bench bench;
  CHECK_EQ(bench.insert(0), "done");
  bench.clerk.tell(Insert{1, 3});
  bench.wait_until_asleep();
  for (std::int64_t i = 2; i < 100; ++i) bench.clerk.tell(Insert{i});
  for (int i = 0; i < 100; ++i) CHECK(bench.system.block_on(bench.clerk.ask(Ping{})).has_value());
  CHECK(bench.is_asleep());
  CHECK_EQ(bench.insert(100), "done");
  CHECK_EQ(bench.count().value(), 101);
}

TEST_CASE("a server that restarts is found again by itself") {
  Bench bench;
  CHECK_EQ(bench.insert(1), "done");
  bench.server.restart();
  CHECK_EQ(bench.insert(2), "done");  // the old connection was seen to be closed
  CHECK_EQ(bench.engine->attempts, 2);
  bench.server.stop();
  CHECK_EQ(bench.insert(3), "unavailable");
  bench.server.start();
  const auto outcomes = bench.insert_until_done(1000);
  CHECK_EQ(outcomes.size(), outcomes.contains("unavailable") ? 2 : 1);
  CHECK_EQ(bench.count().value(), 3);
}

TEST_CASE("a server that is away is tried now and then, and who asks meanwhile is told at once") {
  Bench bench;
  CHECK_EQ(bench.insert(1), "done");
  bench.server.stop();
  for (int i = 0; i < 200; ++i) CHECK_EQ(bench.insert(2), "unavailable");
  CHECK_LT(bench.engine->attempts, 40);
  CHECK_FALSE(bench.count().has_value());
  bench.server.start();
  CHECK_EQ(bench.insert_until_done(1000)["done"], 1);
}

TEST_CASE("a backend that is terminated in the middle of a batch undoes it, and the next batch works") {
  Bench bench;
  CHECK_EQ(bench.insert(1), "done");
  for (std::int64_t round = 0; round < 5; ++round) {
    bench.clerk.tell(Insert{10 + round, 60});
    bench.wait_until_asleep();
    bench.server.terminate_backends(bench.name);
    CHECK_EQ(bench.insert_until_done(100 * (round + 1))["done"], 1);
  }
  CHECK_EQ(bench.count().value(), 6);
}

TEST_CASE("a server that crashes in the middle of a batch is found again, and the next write is answered at once") {
  Bench bench;
  CHECK_EQ(bench.insert(1), "done");
  for (std::int64_t round = 0; round < 3; ++round) {
    bench.clerk.tell(Insert{10 + round, 60});
    bench.wait_until_asleep();
    bench.server.crash();
    bench.server.start();
    // By a connection whose socket may well have the number of the one before: it is waited for all the same.
    CHECK_EQ(bench.insert(20 + round), "done");
    CHECK_EQ(bench.count().value(), 2 + round);
  }
}

void write_row(Session& session, std::int64_t id) {
  session.transact([id](Transaction& t) { t.run("INSERT INTO items VALUES (?1)", {id}); });
}
std::int64_t rows_seen(Session& session) {
  std::int64_t rows = 0;
  const Work count = [&](Transaction& t) {
    rows = t.first("SELECT count(*) FROM items", {}, [](const Row& row) { return row.integer(0); }).value();
  };
  if (const auto failure = session.read({&count, 1}).front()) std::rethrow_exception(failure);
  return rows;
}

std::int64_t pid_of(Session& session) {
  return session.transact([](Transaction& t) {
    return t.first("SELECT pg_backend_pid()", {}, [](const Row& row) { return row.integer(0); }).value();
  });
}

TEST_CASE("of two servers on a database the second one is refused until the first is gone, and commands are not") {
  PostgresServer& server = PostgresServer::of_this_process();
  const std::string name = server.make_database();
  const auto command = server.session(name);
  command->transact([](Transaction& t) { t.script("CREATE TABLE items (id INTEGER PRIMARY KEY)"); });
  PostgresOptions options = server.options(name);
  options.claim = PostgresClaim::server;
  const auto engine = postgres_engine(options), other_engine = postgres_engine(options);
  auto writer = engine->open();
  const auto reader = engine->open(), other_writer = other_engine->open(), other_reader = other_engine->open();
  write_row(*writer, 1);
  const std::string taken = fmt::format(
      "postgresql: another server serves this database already (process {}, application troupe)", pid_of(*writer));
  CHECK_THROWS_WITH_AS(write_row(*other_writer, 2), taken.c_str(), Error);
  CHECK_THROWS_WITH_AS(rows_seen(*other_reader), taken.c_str(), Error);
  CHECK(other_writer->is_usable());
  write_row(*command, 3);
  write_row(*writer, 4);
  CHECK_EQ(rows_seen(*reader), 3);
  writer.reset();
  write_row(*other_writer, 5);
  CHECK_EQ(rows_seen(*other_reader), 4);
  const auto next_writer = engine->open();
  CHECK_THROWS_WITH_AS(write_row(*next_writer, 6), doctest::Contains("another server serves"), Error);
}

TEST_CASE("what a server claimed before its cores began stays claimed, though nobody writes yet") {
  PostgresServer& server = PostgresServer::of_this_process();
  PostgresOptions options = server.options(server.make_database());
  options.claim = PostgresClaim::server;
  const auto engine = postgres_engine(options), other_engine = postgres_engine(options);
  auto first = engine->open();
  first->transact([](Transaction& t) { t.script("CREATE TABLE items (id INTEGER PRIMARY KEY)"); });
  actor::System system{{.cores = 1}};
  const auto clerk = system.spawn<Clerk>({.name = "clerk"}, Database::start(system, engine, {}, std::move(first)));
  CHECK_EQ(system.block_on(clerk.ask(Ping{})).value(), 1);
  CHECK_THROWS_WITH_AS(write_row(*other_engine->open(), 1), doctest::Contains("another server serves"), Error);
  CHECK_EQ(system.block_on(clerk.ask(Insert{2}, Bench::patience)).value(), "done");
}

TEST_CASE("a server that lost its connection has its database again, unless another one has taken it meanwhile") {
  Bench bench{PostgresClaim::server};
  CHECK_EQ(bench.insert(1), "done");
  bench.server.terminate_backends(bench.name);
  CHECK_EQ(bench.insert_until_done(100)["done"], 1);

  bench.server.terminate_backends(bench.name);
  auto other = postgres_engine(bench.options())->open();
  write_row(*other, 2);
  CHECK_EQ(bench.insert(3), "unavailable");
  CHECK_FALSE(bench.count().has_value());
  other.reset();
  CHECK_EQ(bench.insert_until_done(200)["done"], 1);
  CHECK_EQ(bench.count().value(), 4);
}

/// A server whose commits wait for a standby that there is not.
struct LostStandby {
  PostgresServer& server;

  explicit LostStandby(PostgresServer& server_of_all) : server(server_of_all) {
    server.execute("postgres", {"ALTER SYSTEM SET synchronous_standby_names = 'nobody'", "SELECT pg_reload_conf()"});
  }
  ~LostStandby() {
    server.execute("postgres", {"ALTER SYSTEM RESET synchronous_standby_names", "SELECT pg_reload_conf()"});
  }
};

/// Until it was not answered: the server takes a while to know its settings.
void write_until_given_up(Session& session) {
  for (std::int64_t id = 1000; session.is_usable(); ++id) {
    REQUIRE_LT(id, 100'000);
    try {
      write_row(session, id);
    } catch (const Error& error) {
      CHECK_EQ(error.failure(), Failure::unknown);
    }
  }
}

TEST_CASE("a connection that was given up in a commit does not keep its own server out, nor pass for another one") {
  PostgresServer& server = PostgresServer::of_this_process();
  const std::string name = server.make_database();
  server.session(name)->transact([](Transaction& t) { t.script("CREATE TABLE items (id INTEGER PRIMARY KEY)"); });
  PostgresOptions options = server.options(name);
  options.claim = PostgresClaim::server;
  options.statement_timeout = std::chrono::milliseconds{500};
  const auto engine = postgres_engine(options), other_engine = postgres_engine(options);
  auto writer = engine->open();
  const auto reader = engine->open();
  const std::int64_t first = pid_of(*writer);
  {
    const LostStandby lost{server};
    write_until_given_up(*writer);
    writer.reset();
    const std::string taken =
        fmt::format("postgresql: another server serves this database already (process {}, application troupe)", first);
    CHECK_THROWS_WITH_AS(pid_of(*other_engine->open()), taken.c_str(), Error);
    CHECK_GE(rows_seen(*reader), 0);
    writer = engine->open();
    CHECK_NE(pid_of(*writer), first);  // it has the claim: what changes nothing waits for no standby
    CHECK_GE(rows_seen(*reader), 0);
  }
  write_row(*writer, 1);
}

TEST_CASE("a server whose backend stands still reads on, and writes when that one goes on and is ended") {
  PostgresServer& server = PostgresServer::of_this_process();
  const std::string name = server.make_database();
  server.session(name)->transact([](Transaction& t) { t.script("CREATE TABLE items (id INTEGER PRIMARY KEY)"); });
  PostgresOptions options = server.options(name);
  options.claim = PostgresClaim::server;
  options.statement_timeout = std::chrono::milliseconds{500};
  const auto engine = postgres_engine(options);
  auto writer = engine->open();
  const auto reader = engine->open();
  const auto backend = static_cast<pid_t>(pid_of(*writer));
  REQUIRE_EQ(::kill(backend, SIGSTOP), 0);
  CHECK_THROWS_AS(write_row(*writer, 1), Error);
  writer.reset();
  writer = engine->open();
  CHECK_THROWS_WITH_AS(write_row(*writer, 2), doctest::Contains("the end of its own former connection"), Error);
  CHECK(writer->is_usable());
  CHECK_EQ(rows_seen(*reader), 0);
  REQUIRE_EQ(::kill(backend, SIGCONT), 0);
  CHECK_NOTHROW(write_row(*writer, 3));
  CHECK_EQ(rows_seen(*reader), 1);
}

TEST_CASE("a server that was locked out reads again soon after the other one has gone, though nobody writes") {
  Bench bench{PostgresClaim::server};
  actor::System system{{.cores = 1}};
  const auto clerk = system.spawn<Clerk>({.name = "clerk"}, Database::start(system, postgres_engine(bench.options())));
  const auto count = [&] { return system.block_on(clerk.ask(Count{}, Bench::patience)); };
  auto other = postgres_engine(bench.options())->open();
  write_row(*other, 1);
  CHECK_EQ(count().value(), 1);  // it does not know yet
  CHECK_EQ(system.block_on(clerk.ask(Insert{2}, Bench::patience)).value(), "unavailable");
  CHECK_FALSE(count().has_value());
  system.block_on(nap(2 * DatabaseSession::try_every));
  CHECK_FALSE(count().has_value());  // nobody reads while the other one serves
  other.reset();
  const base::Instant begin = base::system_clock().now();
  while (!count().has_value()) {
    REQUIRE_LT(base::system_clock().now() - begin, std::chrono::seconds{30});
    system.block_on(nap());
  }
  CHECK_EQ(count().value(), 1);
}

TEST_CASE("a database that goes away is one line in the log, and another one when it is back, though nobody writes") {
  Bench bench;
  const base::log::Capture log;
  const auto lines_with = [&](std::string_view text) {
    return std::ranges::count_if(log.lines(), [&](const std::string& line) { return line.contains(text); });
  };
  CHECK_EQ(bench.insert(1), "done");
  bench.server.stop();
  for (int i = 0; i < 200; ++i) CHECK_EQ(bench.insert(2), "unavailable");
  CHECK_EQ(lines_with("level=warning component=store message=\"the database cannot be used\" reason=\"postgresql: "),
           1);
  bench.server.start();
  const base::Instant begin = base::system_clock().now();
  while (lines_with("the database can be used again") == 0) {
    REQUIRE_LT(base::system_clock().now() - begin, std::chrono::seconds{30});
    bench.system.block_on(nap());
  }
  CHECK_EQ(bench.insert(3), "done");
  CHECK_EQ(lines_with("the database can"), 2);
}

TEST_CASE("a system that ends in the middle of a transaction waits for nobody, and leaves no lock behind") {
  auto bench = std::make_unique<Bench>();
  const std::string name = bench->name;
  CHECK_EQ(bench->insert(1), "done");
  bench->clerk.tell(Insert{2, 60});
  bench->wait_until_asleep();
  bench.reset();
  PostgresServer& server = PostgresServer::of_this_process();
  server.terminate_backends(name);  // it notices at the end of its sleep only that nobody listens
  server.session(name)->transact([](Transaction& t) { CHECK_EQ(t.run("INSERT INTO items VALUES (2)"), 1); });
}

}  // namespace
}  // namespace troupe::store
