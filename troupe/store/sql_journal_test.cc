// The journal in SQL: the contract of a journal, on memory, on a file and on PostgreSQL, and actors upon it.
#include "troupe/store/sql_journal.h"

#include <doctest/doctest.h>
#include <stdlib.h>

#include <filesystem>

#include "troupe/actor/persist/event_sourced.h"
#include "troupe/actor/persist/testing/journal_conformance.h"
#include "troupe/store/postgres/testing/postgres_server.h"
#include "troupe/store/sqlite.h"

namespace troupe::store {
namespace {

using actor::Journal;
using actor::PersistenceId;
using actor::test::record;
using actor::test::World;

std::shared_ptr<SqliteConnection> journal_in_memory() {
  std::shared_ptr<SqliteConnection> made = SqliteConnection::in_memory();
  migrate(*made, sql_journal_migrations(), {});
  return made;
}

/// A database file in a folder of its own, gone with it.
struct TemporaryFile {
  TemporaryFile() {
    std::string made = std::filesystem::temp_directory_path() / "troupe-journal-XXXXXX";
    REQUIRE(mkdtemp(made.data()) != nullptr);
    folder = made;
  }
  TemporaryFile(const TemporaryFile&) = delete;
  ~TemporaryFile() { std::filesystem::remove_all(folder); }
  SqliteOptions options() const { return {.path = folder / "journal.db"}; }
  std::filesystem::path folder;
};

TEST_CASE("SQL in memory is a journal") {
  actor::test::journal_conforms(
      [](World& world) { return sql_journal(Database::start(world, sqlite_engine(journal_in_memory()))); });
}

TEST_CASE("a file with readers beside its writer is a journal") {
  std::vector<std::unique_ptr<TemporaryFile>> files;
  actor::test::journal_conforms([&](World& world) {
    files.push_back(std::make_unique<TemporaryFile>());
    return sql_journal(world, files.back()->options());
  });
}

/// A database of its own, with the tables of a journal.
std::shared_ptr<Engine> journal_on_postgres(SessionHome home) {
  auto& server = store::test::PostgresServer::of_this_process();
  return sql_journal_engine(postgres_engine(server.options(server.make_database(), home)));
}

TEST_CASE("PostgreSQL is a journal") {
  actor::test::journal_conforms([](World& world) {
    return sql_journal(Database::start(world, journal_on_postgres(SessionHome::blocking_pool)));
  });
}

TEST_CASE("a database that fails is a journal that fails") {
  auto connection = journal_in_memory();
  actor::test::JournalBench bench{
      [&](World& world) { return sql_journal(Database::start(world, sqlite_engine(connection))); }, 1};
  const actor::Head head = bench.activate("Note/a");
  connection->script("DROP TABLE journal_events");
  CHECK_THROWS_AS(bench.append("Note/a", head, {record("1")}), actor::JournalFailed);
  CHECK_THROWS_AS(bench.read("Note/a"), actor::JournalFailed);
}

struct Added {
  std::int64_t n = 0;
};
struct Total {
  std::int64_t n = 0;
};
struct Add {
  std::int64_t n = 0;
  using reply = std::int64_t;
};

class Sum : public actor::EventSourced<Total, actor::Events<Added>> {
 public:
  static constexpr actor::Snapshots snapshots{.every = 7, .keep = 2};
  static Total apply(Total s, const Added& e) noexcept { return {s.n + e.n}; }
  actor::Task<std::int64_t> handle(Add m) {
    co_await persist(Added{m.n});
    co_return state().n;
  }
};

/// Actors add one ten times each, in three systems after one another.
void sums_last(const std::function<std::shared_ptr<Journal>(actor::System&)>& make) {
  for (std::int64_t life = 0; life < 3; ++life) {
    actor::System system{{.cores = 2}};
    system.provide<Journal>(make(system));
    std::vector<actor::Ref<Sum>> sums;
    for (int i = 0; i < 8; ++i) {
      sums.push_back(system.spawn<Sum>({.name = std::to_string(i), .core = static_cast<int>((i + life) % 2)}));
    }
    for (std::int64_t i = 1; i <= 10; ++i) {
      for (const auto& sum : sums) CHECK_EQ(system.block_on(sum.ask(Add{1})).value(), life * 10 + i);
    }
    system.shutdown();
  }
}

TEST_CASE("actors on real cores keep their state in a file, from one process's life to the next") {
  const TemporaryFile file;
  sums_last([&](actor::System& system) { return sql_journal(system, file.options()); });
}

TEST_CASE("and in PostgreSQL") {
  const auto engine = journal_on_postgres(SessionHome::core);
  sums_last([&](actor::System& system) { return sql_journal(Database::start(system, engine)); });
}

}  // namespace
}  // namespace troupe::store
