// Database: coroutines over both engines, on a simulated blocking pool and on real cores; group
// commit, and failures that come out of the await.
#include "troupe/store/database.h"

#include <doctest/doctest.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>

#include "troupe/actor/sim/world.h"
#include "troupe/store/postgres/testing/postgres_server.h"
#include "troupe/store/sqlite.h"

namespace troupe::store {
namespace {

using actor::Task;

struct Insert {
  std::int64_t id = 0;
  using reply = bool;
};
struct TryInsert {
  std::int64_t id = 0;
  using reply = std::optional<Failure>;  // none: it is there
};
struct InsertTwice {
  std::int64_t ids = 0;  // all of them at once
};
struct Count {
  using reply = std::int64_t;
};
/// Reads from the database as long as nothing comes out of the pipe.
struct CountSlowly {
  int pipe = -1;
  using reply = std::int64_t;
};
struct Explode {
  using reply = bool;
};
struct Announced {
  using reply = int;
};

/// Asks the database on behalf of the test.
class Clerk {
 public:
  static constexpr bool interleaves = true;
  explicit Clerk(Database database) : database_(std::move(database)) {}

  Task<bool> handle(Insert message) {
    bool inserted = true;
    try {
      co_await database_.write([id = message.id](Transaction& t) { t.run("INSERT INTO items VALUES (?1)", {id}); });
    } catch (const Error& error) {
      if (error.failure() != Failure::conflict) throw;
      inserted = false;
    }
    ++announced_;  // what others would be told because of the write
    co_return inserted;
  }
  Task<std::optional<Failure>> handle(TryInsert message) {
    std::optional<Failure> failure;
    try {
      co_await database_.write([id = message.id](Transaction& t) { t.run("INSERT INTO items VALUES (?1)", {id}); });
    } catch (const Error& error) {
      failure = error.failure();
    }
    co_return failure;
  }
  void handle(InsertTwice message, actor::Context& context) {
    for (std::int64_t i = 0; i < 2 * message.ids; ++i) context.self(this).tell(Insert{i / 2});
  }
  Task<std::int64_t> handle(Count) {
    auto count = co_await database_.read([](Transaction& t) {
      return t.first("SELECT count(*) FROM items", {}, [](const Row& row) { return row.integer(0); }).value();
    });
    co_return count;
  }
  Task<std::int64_t> handle(CountSlowly message) {
    auto count = co_await database_.read([pipe = message.pipe](Transaction& t) {
      char end = 0;
      (void)!::read(pipe, &end, 1);
      return t.first("SELECT count(*) FROM items", {}, [](const Row& row) { return row.integer(0); }).value();
    });
    co_return count;
  }
  Task<bool> handle(Explode) {
    bool caught = false;
    try {
      co_await database_.write([](Transaction& t) {
        t.run("INSERT INTO items VALUES (99)");
        throw std::logic_error("half way");
      });
    } catch (const std::logic_error&) {
      caught = true;
    }
    co_return caught;
  }

  int handle(Announced) const { return announced_; }

 private:
  Database database_;
  int announced_ = 0;
};

constexpr const char* items = "CREATE TABLE items (id INTEGER PRIMARY KEY) STRICT";

/// SQLite in memory, in a simulated system.
struct InWorld {
  actor::test::World system{4};
  std::shared_ptr<SqliteConnection> connection = [] {
    std::shared_ptr<SqliteConnection> made = SqliteConnection::in_memory();
    made->script(items);
    return made;
  }();
  std::shared_ptr<Engine> engine() const { return sqlite_engine(connection); }
  void pass_time() { system.advance(std::chrono::seconds{1}); }
};

/// PostgreSQL, on real cores.
struct OnCores {
  std::string name = test::PostgresServer::of_this_process().make_database();
  actor::System system{{.cores = 2}};
  OnCores() {
    test::PostgresServer::of_this_process().session(name)->transact([](Transaction& t) { t.script(items); });
  }
  std::shared_ptr<Engine> engine() const {
    return postgres_engine(test::PostgresServer::of_this_process().options(name));
  }
  /// Until a transaction elsewhere is over.
  void pass_time() const { (void)test::PostgresServer::of_this_process().session(name); }
};

template <class Place>
struct Bench {
  Place place;
  Database database = Database::start(place.system, place.engine());
  actor::Ref<Clerk> clerk = place.system.template spawn<Clerk>({.name = "clerk"}, database);

  template <class Message>
  auto ask(Message message, actor::AskOptions options = {}) {
    return place.system.block_on(clerk.ask(std::move(message), options));
  }
  /// Waits until so many rows are there, or for long.
  bool has_rows(std::int64_t rows) {
    for (int look = 0; look < 500; ++look) {
      if (ask(Count{}).value() == rows) return true;
      place.pass_time();
    }
    return false;
  }
};

TEST_CASE_TEMPLATE("what was written can be read, and a conflict comes back to the one who made it", Place, InWorld,
                   OnCores) {
  Bench<Place> bench;
  CHECK(bench.ask(Insert{1}).value());
  CHECK_FALSE(bench.ask(Insert{1}).value());
  CHECK(bench.ask(Insert{2}).value());
  CHECK_EQ(bench.ask(Count{}).value(), 2);
}

TEST_CASE_TEMPLATE("a write and what follows from it are seen through, although nobody waits for the answer any more",
                   Place, InWorld, OnCores) {
  Bench<Place> bench;
  (void)bench.ask(Insert{1}, {.within = std::chrono::microseconds{10}});
  (void)bench.ask(Insert{2}, {.within = std::chrono::seconds{10}});
  CHECK(bench.has_rows(bench.ask(Announced{}).value()));
  CHECK_GE(bench.ask(Announced{}).value(), 1);
}

TEST_CASE_TEMPLATE("a function that throws is undone and its exception comes out of the await", Place, InWorld,
                   OnCores) {
  Bench<Place> bench;
  CHECK(bench.ask(Explode{}).value());
  CHECK_EQ(bench.ask(Count{}).value(), 0);
}

TEST_CASE_TEMPLATE("a new session reads what an old one wrote", Place, InWorld, OnCores) {
  Bench<Place> bench;
  CHECK(bench.ask(Insert{1}).value());
  bench.clerk = bench.place.system.template spawn<Clerk>({.name = "clerk again"},
                                                         Database::start(bench.place.system, bench.place.engine()));
  CHECK_EQ(bench.ask(Count{}).value(), 1);
}

/// Counts the sessions and the transactions of the engine behind it.
class CountingEngine final : public Engine {
 public:
  explicit CountingEngine(std::shared_ptr<Engine> inner) : inner_(std::move(inner)) {}

  class Counting final : public Session {
   public:
    Counting(std::unique_ptr<Session> inner, int& transactions) : inner_(std::move(inner)), count_(transactions) {}
    Outcomes write(std::span<const Work> pieces) override { return ++count_, inner_->write(pieces); }
    Outcomes read(std::span<const Work> pieces) override { return inner_->read(pieces); }
    void wait_by(SocketWait& wait) override { inner_->wait_by(wait); }
    bool is_usable() noexcept override { return inner_->is_usable(); }

   private:
    std::unique_ptr<Session> inner_;
    int& count_;
  };

  std::unique_ptr<Session> open() override {
    ++sessions;
    return std::make_unique<Counting>(inner_->open(), transactions);
  }
  bool reads_beside_writer() const noexcept override { return inner_->reads_beside_writer(); }
  SessionHome home() const noexcept override { return inner_->home(); }

  int sessions = 0;
  int transactions = 0;

 private:
  std::shared_ptr<Engine> inner_;
};

TEST_CASE_TEMPLATE("writes that come while one commits share the next commit, and one conflict spoils no other", Place,
                   InWorld, OnCores) {
  Bench<Place> bench;
  auto engine = std::make_shared<CountingEngine>(bench.place.engine());
  auto busy =
      bench.place.system.template spawn<Clerk>({.name = "busy clerk"}, Database::start(bench.place.system, engine));
  busy.tell(InsertTwice{100});
  CHECK(bench.has_rows(100));
  CHECK_LT(engine->transactions, 40);
}

TEST_CASE_TEMPLATE("who writes goes on with the session that is there already, and opens no other", Place, InWorld,
                   OnCores) {
  Place place;
  const auto engine = std::make_shared<CountingEngine>(place.engine());
  auto first = engine->open();
  first->transact([](Transaction& t) { t.run("INSERT INTO items VALUES (1)"); });
  const auto clerk = place.system.template spawn<Clerk>({.name = "clerk"},
                                                        Database::start(place.system, engine, {}, std::move(first)));
  for (std::int64_t id = 2; id < 5; ++id) CHECK(place.system.block_on(clerk.ask(Insert{id})).value());
  CHECK_EQ(engine->sessions, 1);
  CHECK_EQ(engine->transactions, 4);
  CHECK_EQ(place.system.block_on(clerk.ask(Count{})).value(), 4);
}

/// A database on a network, which may be away.
class FarEngine final : public Engine {
 public:
  explicit FarEngine(std::shared_ptr<SqliteConnection> rows) : inner_(sqlite_engine(std::move(rows))) {}

  class Connection final : public Session {
   public:
    Connection(std::unique_ptr<Session> inner, const bool& is_away) : inner_(std::move(inner)), is_away_(is_away) {}
    Outcomes write(std::span<const Work> pieces) override { return inner_->write(pieces); }
    Outcomes read(std::span<const Work> pieces) override { return inner_->read(pieces); }
    bool is_usable() noexcept override { return !is_away_; }

   private:
    std::unique_ptr<Session> inner_;
    const bool& is_away_;
  };

  std::unique_ptr<Session> open() override {
    ++attempts;
    if (is_away) throw Error{Failure::unavailable, 0, "away"};
    return std::make_unique<Connection>(inner_->open(), is_away);
  }
  bool reads_beside_writer() const noexcept override { return true; }
  SessionHome home() const noexcept override { return SessionHome::core; }
  ReopenPause reopen_pause() const noexcept override { return {.min = std::chrono::seconds{10}, .max = max}; }

  bool is_away = false;
  int attempts = 0;

 private:
  static constexpr base::Duration max = std::chrono::seconds{60};
  std::shared_ptr<Engine> inner_;
};

TEST_CASE(
    "when one session has a database again that was away, the others wait no longer, though they have just tried") {
  InWorld place;
  const auto far = std::make_shared<FarEngine>(place.connection);
  const auto clerk = place.system.spawn<Clerk>({.name = "clerk"}, Database::start(place.system, far));
  const auto inserts = [&](std::int64_t id) { return place.system.block_on(clerk.ask(Insert{id})).has_value(); };
  const auto counts = [&] { return place.system.block_on(clerk.ask(Count{})).has_value(); };
  CHECK(inserts(1));
  far->is_away = true;
  CHECK_FALSE(inserts(2));
  place.system.advance(std::chrono::seconds{8});
  for (int reader = 0; reader < 2; ++reader) CHECK_FALSE(counts());  // they pause for five seconds at least
  far->is_away = false;
  CHECK_FALSE(counts());
  place.system.advance(std::chrono::seconds{2});
  CHECK(inserts(3));
  for (int reader = 0; reader < 2; ++reader) CHECK(counts());
}

TEST_CASE("a database that was away is opened again by the session that writes, though nobody asks for anything") {
  InWorld place;
  const auto far = std::make_shared<FarEngine>(place.connection);
  const auto clerk = place.system.spawn<Clerk>({.name = "clerk"}, Database::start(place.system, far));
  const auto counts = [&] { return place.system.block_on(clerk.ask(Count{})).has_value(); };
  CHECK(counts());
  far->is_away = true;
  for (int reader = 0; reader < 2; ++reader) CHECK_FALSE(counts());
  place.system.advance(2 * DatabaseSession::try_every);
  far->is_away = false;
  const int attempts = far->attempts;
  place.system.advance(std::chrono::seconds{11});
  CHECK_EQ(far->attempts, attempts + 1);
  place.system.advance(std::chrono::seconds{60});
  CHECK_EQ(far->attempts, attempts + 1);
  for (int reader = 0; reader < 2; ++reader) CHECK(counts());
}

TEST_CASE("where too much waits for the threads nothing happens, all are told so, and the session goes on") {
  InWorld place;
  const auto clerk = place.system.spawn<Clerk>({.name = "clerk"}, Database::start(place.system, place.engine()));
  CHECK(place.system.block_on(clerk.ask(Insert{1})).value());
  place.system.faults().job_refused = {1};
  for (std::int64_t id = 2; id < 12; ++id)
    CHECK_EQ(place.system.block_on(clerk.ask(TryInsert{id})).value(), Failure::busy);
  place.system.faults().job_refused = {};
  CHECK(place.system.block_on(clerk.ask(Insert{2})).value());
  CHECK_EQ(place.system.block_on(clerk.ask(Count{})).value(), 2);
  for (const auto& actor : place.system.block_on(place.system.system().inspect())) {
    if (actor.type == "DatabaseSession") CHECK_EQ(actor.restarts, 0);
  }
}

/// A database in a file, on real cores.
struct OnFile {
  std::string folder = [] {
    std::string path = std::filesystem::temp_directory_path() / "troupe-database-XXXXXX";
    REQUIRE(mkdtemp(path.data()) != nullptr);
    return path;
  }();
  SqliteOptions file{.path = folder + "/test.db"};
  actor::System system{{.cores = 2}};
  Database database;

  OnFile() {
    SqliteConnection{file}.script(items);
    database = Database::start(system, sqlite_engine(file));
  }
  OnFile(const OnFile&) = delete;
  ~OnFile() {
    system.shutdown();
    std::filesystem::remove_all(folder);
  }
  auto clerk(int core) { return system.spawn<Clerk>({.core = core}, database); }
};

TEST_CASE("on a file, readers beside the writer see what was written before") {
  OnFile place;
  auto here = place.clerk(0);
  auto there = place.clerk(1);
  for (int i = 0; i < 50; ++i) {
    CHECK(place.system.block_on(here.ask(Insert{i})).value());
    CHECK_EQ(place.system.block_on(there.ask(Count{})).value(), i + 1);
  }
}

TEST_CASE("what waits behind a read that takes long, and what comes after it, is read by the next reader") {
  OnFile place;
  auto clerk = place.clerk(1);
  int ends[2];
  REQUIRE_EQ(::pipe(ends), 0);
  std::int64_t slowly = -1;
  place.system.run_as_guest([](actor::Ref<Clerk> whom, int pipe, std::int64_t* counted) -> Task<void> {
    *counted = (co_await whom.ask(CountSlowly{pipe})).value_or(-2);
  }(clerk, ends[0], &slowly));
  for (int i = 0; i < 20; ++i) {
    CHECK(place.system.block_on(clerk.ask(Insert{i})).value());
    CHECK_EQ(place.system.block_on(clerk.ask(Count{})).value(), i + 1);
  }
  CHECK_EQ(::write(ends[1], "!", 1), 1);
  place.system.shutdown();
  CHECK((slowly == -2 || slowly == 0));
  ::close(ends[0]);
  ::close(ends[1]);
}

}  // namespace
}  // namespace troupe::store
