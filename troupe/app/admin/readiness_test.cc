// Readiness: what is told of the databases, and that whoever asks costs each no more than a write a second.
#include "troupe/app/admin/readiness.h"

#include <doctest/doctest.h>

#include "troupe/actor/sim/world.h"
#include "troupe/store/migration.h"
#include "troupe/store/sqlite.h"

using namespace troupe;
using namespace troupe::app;
using namespace std::chrono_literals;

namespace {

/// What the disk of a database does, and how often it was written to.
struct Disk {
  bool is_read = true;
  bool takes_writes = true;
  int writes = 0;
};

/// The session of an engine whose disk has its moods.
class MoodySession final : public store::Session {
 public:
  MoodySession(std::unique_ptr<Session> inner, std::shared_ptr<Disk> disk)
      : inner_(std::move(inner)), disk_(std::move(disk)) {}

  store::Outcomes write(std::span<const store::Work> pieces) override {
    ++disk_->writes;
    if (!disk_->takes_writes) throw store::Error{store::Failure::unavailable, 13, "database or disk is full"};
    return inner_->write(pieces);
  }
  store::Outcomes read(std::span<const store::Work> pieces) override {
    if (!disk_->is_read) throw store::Error{store::Failure::unavailable, 10, "disk I/O error"};
    return inner_->read(pieces);
  }

 private:
  std::unique_ptr<Session> inner_;
  std::shared_ptr<Disk> disk_;
};

class MoodyEngine final : public store::Engine {
 public:
  explicit MoodyEngine(std::shared_ptr<Disk> disk) : disk_(std::move(disk)) {
    constexpr store::Migration items{1, "items", "CREATE TABLE items (id INTEGER PRIMARY KEY) STRICT"};
    store::migrate(*connection_, {&items, 1}, {});
  }
  std::unique_ptr<store::Session> open() override { return std::make_unique<MoodySession>(inner_->open(), disk_); }
  bool reads_beside_writer() const noexcept override { return true; }

 private:
  std::shared_ptr<store::SqliteConnection> connection_ = store::SqliteConnection::in_memory();
  std::shared_ptr<store::Engine> inner_ = store::sqlite_engine(connection_);
  std::shared_ptr<Disk> disk_;
};

struct Place {
  actor::test::World world{1};
  std::shared_ptr<Disk> disk = std::make_shared<Disk>();  // of the first database
  std::shared_ptr<Disk> history = std::make_shared<Disk>();
  actor::Ref<Readiness> readiness = world.spawn<Readiness>(
      {.name = "readiness"},
      std::vector<NeededDatabase>{{"database", store::Database::start(world, std::make_shared<MoodyEngine>(disk))},
                                  {"history", store::Database::start(world, std::make_shared<MoodyEngine>(history))}});

  ~Place() { world.shutdown(); }
  DatabaseFault found() {
    const auto fault = world.block_on(readiness.ask(GetReadiness{}));
    return fault ? fault->value_or(DatabaseFault{}) : DatabaseFault{"", "no answer"};
  }
  std::string_view fault() { return found().trouble; }
};

}  // namespace

TEST_CASE("what the database does not do is told, and that it does it again") {
  struct Row {
    bool is_read, takes_writes;
    std::string_view fault;
  };
  const Row rows[] = {{true, true, ""},
                      {true, false, "takes no writes"},
                      {false, true, "does not answer"},
                      {false, false, "does not answer"},
                      {true, true, ""}};
  Place place;
  for (const auto& [is_read, takes_writes, fault] : rows) {
    CAPTURE(fault);
    place.disk->is_read = is_read;
    place.disk->takes_writes = takes_writes;
    CHECK_EQ(place.fault(), fault);
    place.world.advance(Readiness::holds_for);
  }
}

TEST_CASE("each database is tried, and it is told which one it is") {
  struct Row {
    bool database, history;  // take writes
    std::string_view name;
  };
  Place place;
  for (const auto& [database, history, name] :
       {Row{true, false, "history"}, {false, false, "database"}, {false, true, "database"}, {true, true, ""}}) {
    CAPTURE(name);
    place.disk->takes_writes = database;
    place.history->takes_writes = history;
    CHECK_EQ(place.found().name, name);
    place.world.advance(Readiness::holds_for);
  }
}

TEST_CASE("however many ask, a database is written to once a second, and not while nobody asks") {
  Place place;
  for (int asked = 0; asked < 100; ++asked) {
    CHECK_EQ(place.fault(), "");
    place.world.advance(10ms);
  }
  CHECK_EQ(place.disk->writes, 1);
  CHECK_EQ(place.history->writes, 1);
  place.disk->takes_writes = false;
  place.world.advance(1s);
  CHECK_EQ(place.fault(), "takes no writes");
  place.disk->takes_writes = true;
  CHECK_EQ(place.fault(), "takes no writes");  // for a moment more
  CHECK_EQ(place.disk->writes, 2);
  place.world.advance(1min);
  CHECK_EQ(place.disk->writes, 2);
}

namespace {

struct AskOnce {};
/// Asks and remembers what it was told.
class Asker {
 public:
  Asker(actor::Ref<Readiness> readiness, std::shared_ptr<int> told) : readiness_(std::move(readiness)), told_(told) {}
  actor::Task<void> handle(AskOnce) {
    const auto fault = co_await readiness_.ask(GetReadiness{});
    if (fault && !*fault) ++*told_;
  }

 private:
  actor::Ref<Readiness> readiness_;
  std::shared_ptr<int> told_;
};

}  // namespace

TEST_CASE("who asks while the database is being tried gets the answer for which others wait") {
  Place place;
  const auto told = std::make_shared<int>(0);
  for (int i = 0; i < 20; ++i) place.world.spawn<Asker>({}, place.readiness, told).tell(AskOnce{});
  place.world.advance(100ms);
  CHECK_EQ(*told, 20);
  CHECK_EQ(place.disk->writes, 1);
}
