// Database: coroutines over a simulated blocking pool, group commit, and failures that come
// out of the await.
#include "troupe/store/database.h"

#include <doctest/doctest.h>
#include <stdlib.h>

#include <filesystem>

#include "troupe/actor/sim/world.h"
#include "troupe/store/sqlite.h"

namespace troupe::store {
namespace {

using actor::Task;

struct Insert {
  std::int64_t id = 0;
  using reply = bool;
};
struct Count {
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
      CHECK_EQ(error.failure(), Failure::conflict);
      inserted = false;
    }
    ++announced_;  // what others would be told because of the write
    co_return inserted;
  }
  Task<std::int64_t> handle(Count) {
    auto count = co_await database_.read([](Transaction& t) {
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

struct Bench {
  actor::test::World world;
  std::shared_ptr<SqliteConnection> connection = [] {
    std::shared_ptr<SqliteConnection> made = SqliteConnection::in_memory();
    made->script("CREATE TABLE items (id INTEGER PRIMARY KEY) STRICT");
    return made;
  }();
  Database database = Database::start(world, sqlite_engine(connection));
  actor::Ref<Clerk> clerk = world.spawn<Clerk>({.name = "clerk"}, database);

  explicit Bench(std::uint64_t seed) : world(seed) {}
};

TEST_CASE("what was written can be read, and a conflict comes back to the one who made it") {
  Bench bench{1};
  CHECK(bench.world.block_on(bench.clerk.ask(Insert{1})).value());
  CHECK_FALSE(bench.world.block_on(bench.clerk.ask(Insert{1})).value());
  CHECK(bench.world.block_on(bench.clerk.ask(Insert{2})).value());
  CHECK_EQ(bench.world.block_on(bench.clerk.ask(Count{})).value(), 2);
}

TEST_CASE("a write and what follows from it are seen through, although nobody waits for the answer any more") {
  Bench bench{6};
  const auto late = bench.world.block_on(bench.clerk.ask(Insert{1}, {.within = std::chrono::microseconds{10}}));
  CHECK_FALSE(late.has_value());
  bench.world.advance(std::chrono::seconds{1});
  CHECK_EQ(bench.world.block_on(bench.clerk.ask(Announced{})).value(), 1);
  CHECK_EQ(bench.world.block_on(bench.clerk.ask(Count{})).value(), 1);
}

TEST_CASE("a function that throws is undone and its exception comes out of the await") {
  Bench bench{2};
  CHECK(bench.world.block_on(bench.clerk.ask(Explode{})).value());
  CHECK_EQ(bench.world.block_on(bench.clerk.ask(Count{})).value(), 0);
}

TEST_CASE("a new session reads what an old one wrote") {
  Bench bench{3};
  CHECK(bench.world.block_on(bench.clerk.ask(Insert{1})).value());
  Database again = Database::start(bench.world, sqlite_engine(bench.connection));
  auto clerk = bench.world.spawn<Clerk>({.name = "clerk again"}, again);
  CHECK_EQ(bench.world.block_on(clerk.ask(Count{})).value(), 1);
}

/// Counts the transactions of the engine behind it.
class CountingEngine final : public Engine {
 public:
  explicit CountingEngine(std::shared_ptr<SqliteConnection> connection)
      : inner_(sqlite_engine(std::move(connection))) {}

  class Counting final : public Session {
   public:
    Counting(std::unique_ptr<Session> inner, int& transactions) : inner_(std::move(inner)), count_(transactions) {}
    Outcomes write(std::span<const Work> pieces) override { return ++count_, inner_->write(pieces); }
    Outcomes read(std::span<const Work> pieces) override { return inner_->read(pieces); }

   private:
    std::unique_ptr<Session> inner_;
    int& count_;
  };

  std::unique_ptr<Session> open() override { return std::make_unique<Counting>(inner_->open(), transactions); }
  bool reads_beside_writer() const noexcept override { return false; }

  int transactions = 0;

 private:
  std::shared_ptr<Engine> inner_;
};

TEST_CASE("writes that come while one commits share the next commit, and one conflict spoils no other") {
  Bench bench{4};
  auto engine = std::make_shared<CountingEngine>(bench.connection);
  auto clerk = bench.world.spawn<Clerk>({.name = "busy clerk"}, Database::start(bench.world, engine));
  for (int i = 0; i < 200; ++i) clerk.tell(Insert{i / 2});  // every id twice
  bench.world.advance(std::chrono::seconds{5});
  CHECK_EQ(bench.world.block_on(bench.clerk.ask(Count{})).value(), 100);
  CHECK_LT(engine->transactions, 20);
}

TEST_CASE("on a file, readers beside the writer see what was written before") {
  std::string path = std::filesystem::temp_directory_path() / "troupe-database-XXXXXX";
  REQUIRE(mkdtemp(path.data()) != nullptr);
  {
    const SqliteOptions file{.path = path + "/test.db"};
    SqliteConnection{file}.script("CREATE TABLE items (id INTEGER PRIMARY KEY) STRICT");
    actor::System system{{.cores = 2}};
    const Database database = Database::start(system, sqlite_engine(file));
    auto here = system.spawn<Clerk>({.name = "here", .core = 0}, database);
    auto there = system.spawn<Clerk>({.name = "there", .core = 1}, database);
    for (int i = 0; i < 50; ++i) {
      CHECK(system.block_on(here.ask(Insert{i})).value());
      CHECK_EQ(system.block_on(there.ask(Count{})).value(), i + 1);
    }
    system.shutdown();
  }
  std::filesystem::remove_all(path);
}

}  // namespace
}  // namespace troupe::store
