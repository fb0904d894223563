// Who is told that sessions have ended, and how often: the Logout Actor beside a writer and a reader of one database,
// which answer in any order.
#include "troupe/oauth/actor/logout_actor.h"

#include <doctest/doctest.h>

#include "troupe/oauth/actor/testing/file_world.h"

namespace troupe::oauth {
namespace {

using namespace std::chrono_literals;

/// The way to the clients' servers: counts by token what went there, and takes its time.
class Way {
 public:
  static constexpr bool interleaves = true;
  explicit Way(std::shared_ptr<std::map<std::string, int>> told) : told_(std::move(told)) {}

  actor::Task<std::expected<web::Fetched, web::FetchFault>> handle(web::Fetch message) {
    co_await actor::blocking([] {});
    ++(*told_)[message.url];
    co_return web::Fetched{200, ""};
  }

 private:
  std::shared_ptr<std::map<std::string, int>> told_;
};

std::string logout_uri(int client) { return fmt::format("https://client{}.example/out", client); }

constexpr int clients = 6;

/// A disk on which each of some clients is to be told of one sign-out.
fixture::Disk disk_with_notices() {
  fixture::Disk disk = fixture::new_disk();
  disk->transact([](store::Transaction& transaction) {
    SqlTables sql{transaction};
    Tables t = sql.all();
    fixture::Ids ids;
    for (int i = 0; i < clients; ++i) {
      Client client = fixture::shop();
      client.id = ClientId{fmt::format("c_{}", i)};
      client.metadata.backchannel_logout_uri = logout_uri(i);
      t.clients.insert(client);
      t.logouts.append({.client = client.id,
                        .user = fixture::alice().user.id,
                        .session = SessionId{ids.next().text()},
                        .made_at = fixture::start,
                        .next_at = fixture::start});
    }
  });
  return disk;
}

TEST_CASE("a client is told once, though a look may see a notice as it was before its record") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    INFO("seed " << seed);
    const fixture::Disk disk = disk_with_notices();
    actor::test::World world{seed};
    const Storage storage{store::Database::start(world, std::make_shared<fixture::ReadsBesideWriter>(disk))};
    const auto keys =
        world.spawn<KeyActor>({.name = "keys"}, storage, KeyOptions{.algorithms = {crypto::Algorithm::es256}});
    const auto told = std::make_shared<std::map<std::string, int>>();
    const auto way = world.spawn<Way>({.name = "way"}, told);
    const auto logouts = world.spawn<LogoutActor>(
        {.name = "logouts"}, LogoutActorParts{storage, keys, way, {.issuer = "https://issuer.example"}});
    for (int look = 0; look < 400; ++look) {
      logouts.tell(LogoutsDue{});
      world.advance(1ms);
    }
    world.advance(10s);
    for (int i = 0; i < clients; ++i) CHECK_EQ((*told)[logout_uri(i)], 1);
  }
}

/// A way on which one server does not answer for long.
class HangingWay {
 public:
  static constexpr bool interleaves = true;
  explicit HangingWay(std::shared_ptr<std::map<std::string, int>> told) : told_(std::move(told)) {}

  actor::Task<std::expected<web::Fetched, web::FetchFault>> handle(web::Fetch message, actor::Context& context) {
    ++(*told_)[message.url];
    if (message.url == logout_uri(0)) co_await context.sleep(4s);
    co_return web::Fetched{200, ""};
  }

 private:
  std::shared_ptr<std::map<std::string, int>> told_;
};

TEST_CASE("however much waits for a client that does not answer, what stands behind it goes to others") {
  const fixture::Disk disk = disk_with_notices();
  disk->transact([](store::Transaction& transaction) {
    SqlTables sql{transaction};
    Tables t = sql.all();
    fixture::Ids ids;
    for (int i = 0; i < 300; ++i)
      t.logouts.append({.client = ClientId{"c_0"},
                        .user = fixture::alice().user.id,
                        .session = SessionId{ids.next().text()},
                        .made_at = fixture::start,
                        .next_at = base::UnixTime{fixture::start.milliseconds - 1}});
  });
  actor::test::World world{5};
  const Storage storage{store::Database::start(world, std::make_shared<fixture::ReadsBesideWriter>(disk))};
  const auto keys =
      world.spawn<KeyActor>({.name = "keys"}, storage, KeyOptions{.algorithms = {crypto::Algorithm::es256}});
  const auto told = std::make_shared<std::map<std::string, int>>();
  const auto way = world.spawn<HangingWay>({.name = "way"}, told);
  const auto logouts = world.spawn<LogoutActor>(
      {.name = "logouts"}, LogoutActorParts{storage, keys, way, {.issuer = "https://issuer.example"}});
  world.advance(1s);
  logouts.tell(LogoutsDue{});
  world.advance(2s);
  CHECK_EQ((*told)[logout_uri(0)], 1);
  for (int i = 1; i < clients; ++i) CHECK_EQ((*told)[logout_uri(i)], 1);
}

TEST_CASE("a client whose row is damaged is tried again like one that does not answer, and holds up no other") {
  const fixture::Disk disk = disk_with_notices();
  const auto damage = [&](std::string_view scope) {
    disk->transact([&](store::Transaction& t) { t.run("UPDATE clients SET scope = ?1 WHERE id = 'c_0'", {scope}); });
  };
  const auto attempts = [&] {
    return disk->transact([](store::Transaction& t) {
      int tried = -1;
      const base::UnixTime later = fixture::start + 24h;
      for (const auto& notice : SqlTables{t}.logouts.due(later, 10, {})) tried = notice.attempts;
      return tried;
    });
  };
  damage("\"");
  actor::test::World world{6};
  const Storage storage{store::Database::start(world, store::sqlite_engine(disk))};
  const auto keys =
      world.spawn<KeyActor>({.name = "keys"}, storage, KeyOptions{.algorithms = {crypto::Algorithm::es256}});
  const auto told = std::make_shared<std::map<std::string, int>>();
  const auto way = world.spawn<Way>({.name = "way"}, told);
  const auto logouts = world.spawn<LogoutActor>(
      {.name = "logouts"}, LogoutActorParts{storage, keys, way, {.issuer = "https://issuer.example"}});
  world.advance(1s);
  logouts.tell(LogoutsDue{});
  world.advance(1s);
  for (int i = 1; i < clients; ++i) CHECK_EQ((*told)[logout_uri(i)], 1);
  CHECK_EQ((*told)[logout_uri(0)], 0);
  CHECK_EQ(attempts(), 1);
  damage("openid");
  world.advance(10s);
  logouts.tell(LogoutsDue{});
  world.advance(1s);
  CHECK_EQ((*told)[logout_uri(0)], 1);
  CHECK_EQ(attempts(), -1);
}

/// A database that can be read and, while it is full, takes no writes.
class FullAtTimes final : public store::Engine {
 public:
  FullAtTimes(fixture::Disk disk, std::shared_ptr<bool> is_full)
      : inner_(store::sqlite_engine(std::move(disk))), is_full_(std::move(is_full)) {}
  std::unique_ptr<store::Session> open() override { return std::make_unique<Refusing>(inner_->open(), is_full_); }
  bool reads_beside_writer() const noexcept override { return true; }

 private:
  class Refusing final : public store::Session {
   public:
    Refusing(std::unique_ptr<store::Session> inner, std::shared_ptr<bool> is_full)
        : inner_(std::move(inner)), is_full_(std::move(is_full)) {}
    store::Outcomes write(std::span<const store::Work> pieces) override {
      if (*is_full_) throw store::Error{store::Failure::unavailable, 0, "the disk is full"};
      return inner_->write(pieces);
    }
    store::Outcomes read(std::span<const store::Work> pieces) override { return inner_->read(pieces); }

   private:
    std::unique_ptr<store::Session> inner_;
    std::shared_ptr<bool> is_full_;
  };

  std::shared_ptr<store::Engine> inner_;
  std::shared_ptr<bool> is_full_;
};

/// A way on which one server always fails, and the others take what comes.
class FailingWay {
 public:
  static constexpr bool interleaves = true;
  explicit FailingWay(std::shared_ptr<std::map<std::string, int>> told) : told_(std::move(told)) {}

  std::expected<web::Fetched, web::FetchFault> handle(const web::Fetch& message) {
    ++(*told_)[message.url];
    return web::Fetched{message.url == logout_uri(0) ? 500 : 200, ""};
  }

 private:
  std::shared_ptr<std::map<std::string, int>> told_;
};

TEST_CASE("a client is told once for each attempt, though the database takes no record of it for long") {
  const fixture::Disk disk = disk_with_notices();
  actor::test::World world{7};
  const auto is_full = std::make_shared<bool>(false);
  const Storage storage{store::Database::start(world, std::make_shared<FullAtTimes>(disk, is_full))};
  const auto keys =
      world.spawn<KeyActor>({.name = "keys"}, storage, KeyOptions{.algorithms = {crypto::Algorithm::es256}});
  const auto told = std::make_shared<std::map<std::string, int>>();
  const auto way = world.spawn<FailingWay>({.name = "way"}, told);
  actor::Ref<LogoutActor> logouts;
  const actor::Supervision as_in_the_service{.decide = actor::on<store::Error>(actor::Directive::resume)};
  actor::supervise(world.system(), "oauth", as_in_the_service, [&](actor::Children& children) {
    logouts = children.child<LogoutActor>({.name = "logouts"},
                                          LogoutActorParts{storage, keys, way, {.issuer = "https://issuer.example"}});
  });
  const auto look_for = [&](base::Duration time) {
    for (base::Duration past{}; past < time; past += 500ms) {
      logouts.tell(LogoutsDue{});
      world.advance(500ms);
    }
  };
  world.advance(1s);
  *is_full = true;
  look_for(5min);
  CHECK_EQ((*told)[logout_uri(0)], 1);
  for (int i = 1; i < clients; ++i) CHECK_LE((*told)[logout_uri(i)], 1);  // there is no room for all before a record
  *is_full = false;
  look_for(4s);
  for (int i = 0; i < clients; ++i) CHECK_EQ((*told)[logout_uri(i)], 1);
  look_for(4s);  // the pause after a failure begins with its record
  CHECK_EQ((*told)[logout_uri(0)], 2);
  look_for(1min);
  CHECK_EQ((*told)[logout_uri(0)], 4);
  for (int i = 1; i < clients; ++i) CHECK_EQ((*told)[logout_uri(i)], 1);
}

}  // namespace
}  // namespace troupe::oauth
