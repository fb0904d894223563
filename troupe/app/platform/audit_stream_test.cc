// The live stream of the audit trail: what is committed, in its order, and to nobody's delay.
#include "troupe/app/platform/audit_stream.h"

#include <doctest/doctest.h>

#include "troupe/oauth/actor/testing/actor_world.h"
#include "troupe/wire/json.h"

using namespace troupe;
using namespace troupe::app;
using namespace std::chrono_literals;

namespace {

/// Stands for the real-time service: remembers what was published, at the pace of its `delay`.
class Publisher {
 public:
  struct Heard {
    using reply = std::vector<std::string>;
  };
  explicit Publisher(base::Duration delay) : delay_(delay) {}
  actor::Task<std::expected<realtime::PublishAck, realtime::PublishError>> handle(realtime::PublishOwn message,
                                                                                  actor::Context& context) {
    const auto json = *wire::parse_json(message.json);
    const std::string* reason = json.string_at("reason");
    heard_.push_back(message.topic.text() + ' ' + (reason != nullptr ? *reason : ""));
    co_await context.sleep(delay_);
    co_return realtime::PublishAck{};
  }
  static constexpr bool interleaves = true;
  std::vector<std::string> handle(Heard) { return heard_; }

 private:
  base::Duration delay_;
  std::vector<std::string> heard_;
};

struct StreamWorld : oauth::fixture::ActorWorld {
  actor::Ref<Publisher> publisher;
  actor::Ref<AuditStream> stream =
      world.spawn<AuditStream>({.name = "stream"}, storage, std::make_shared<AuditStreamMemory>());
  actor::Ref<oauth::ChangeActor> looking = world.spawn<oauth::ChangeActor>(
      {.name = "looking"},
      oauth::ChangeActorParts{.storage = storage, .keys = keys, .clients = clients, .watcher = {}, .audit = {stream}});

  explicit StreamWorld(std::uint64_t seed, base::Duration delay = 0s)
      : ActorWorld(seed), publisher(world.spawn<Publisher>({.name = "publisher"}, delay)) {
    append("before");
    world.advance(1s);
  }

  void connect() { stream.tell(ConnectAuditStream{publisher}); }

  void append(std::string reason, std::string kind = "code_made") {
    disk->transact([&](store::Transaction& transaction) {
      base::SeededRandom random{5};
      oauth::SqlAudit{transaction}.append(
          {.id = crypto::TokenIds{}.next(now(), random), .kind = std::move(kind), .reason = std::move(reason)});
    });
  }

  std::vector<std::string> heard() { return world.block_on(publisher.ask(Publisher::Heard{})).value(); }
};

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("what is written to the trail is published within a second, in its order and once") {
  StreamWorld both{1};
  both.connect();
  both.append("1");
  both.append("2", "keys_made");
  both.append("3");
  both.world.advance(1s);
  CHECK_EQ(both.heard(), Lines{"system.oauth.code_made 1", "system.oauth.keys_made 2", "system.oauth.code_made 3"});
  both.world.advance(5s);
  CHECK_EQ(both.heard().size(), 3);
}

TEST_CASE("what somebody has put into the trail that is no event holds up nothing behind it") {
  StreamWorld both{5};
  both.connect();
  both.append("1");
  both.disk->transact([&](store::Transaction& transaction) {
    const std::string id = std::string{oauth::SqlAudit{transaction}.head()->id.view()} + "x";
    transaction.run("INSERT INTO events (id, kind, reason, segment, place) VALUES (?1, 'code_made', 'forged', 1, 2)",
                    {store::Blob{id}});
  });
  both.world.advance(10ms);  // the next event has a later id
  both.append("2");
  both.world.advance(1s);
  CHECK_EQ(both.heard(), Lines{"system.oauth.code_made 1", "system.oauth.code_made 2"});
}

TEST_CASE("what was rolled back is not published") {
  StreamWorld both{2};
  both.connect();
  CHECK_THROWS(both.disk->transact([&](store::Transaction& transaction) {
    oauth::SqlAudit{transaction}.append({.id = crypto::TokenId::first_at(both.now()), .kind = "code_made"});
    throw std::runtime_error{"no"};
  }));
  both.append("after");
  both.world.advance(1s);
  CHECK_EQ(both.heard(), Lines{"system.oauth.code_made after"});
}

TEST_CASE("what happens before the real-time service is there waits for it, for a minute") {
  StreamWorld both{3};
  both.append("old");
  both.world.advance(50s);
  both.append("young");
  both.world.advance(15s);
  both.connect();
  both.world.advance(1s);
  CHECK_EQ(both.heard(), Lines{"system.oauth.code_made young"});
}

TEST_CASE("a slow real-time service makes the stream late, and nobody else") {
  StreamWorld both{4, 4s};
  both.connect();
  for (int i = 0; i < 40; ++i) both.append(std::to_string(i));
  both.world.advance(1s);
  CHECK_EQ(both.heard().size(), 1);
  const auto phone = both.client(oauth::fixture::phone().id);
  const auto before = both.now();
  CHECK(both.redeem(both.authorize(phone), phone).has_value());
  CHECK_LT(both.now() - before, 1s);
  both.world.advance(10min);
  const auto heard = both.heard();
  CHECK_GE(heard.size(), 14);  // a minute of them; the others were late
  CHECK_LT(heard.size(), 20);
  both.append("new");
  both.world.advance(1s);
  CHECK_EQ(both.heard().back(), "system.oauth.code_made new");
}
