// TopicJournal beside a router that the test plays: epochs, batches, takeovers, faults.
#include "troupe/realtime/topic/topic_journal.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <stdexcept>
#include <utility>

#include "troupe/actor/sim/explore.h"
#include "troupe/base/log.h"
#include "troupe/realtime/topic/recorded_event.h"

namespace troupe::realtime {
namespace {

using namespace std::chrono_literals;
using actor::test::World;
using RouterMessages = actor::Protocol<TopicLoaded, Recorded, NotRecorded, JournalBegan>;
using RouterProbe = actor::test::Probe<RouterMessages>;

/// Counts appends, and throws a failure, or what is no failure of a journal, where the test wants it.
struct Watched final : actor::Journal {
  explicit Watched(std::shared_ptr<Journal> to) : inner(std::move(to)) {}
  actor::Task<actor::Head> activate(actor::PersistenceId id) override {
    if (is_full) throw actor::JournalFailed("the disk is full");
    auto head = co_await inner->activate(std::move(id));
    if (has_come_to) head.sequence = *has_come_to;
    co_return head;
  }
  actor::Task<std::optional<actor::Head>> find(actor::PersistenceId id) override {
    auto head = co_await inner->find(std::move(id));
    if (head && has_come_to) head->sequence = *has_come_to;
    co_return head;
  }
  actor::Task<std::expected<actor::Sequence, actor::Refusal>> append(actor::PersistenceId id, actor::Head head,
                                                                     std::vector<actor::Record> events) override {
    if (std::exchange(breaks, false)) throw std::logic_error("a bug");
    appended.push_back(events.size());
    return inner->append(std::move(id), head, std::move(events));
  }
  actor::Task<std::vector<actor::StoredEvent>> read(actor::PersistenceId id, actor::Sequence after,
                                                    std::size_t most) override {
    return inner->read(std::move(id), after, most);
  }
  actor::Task<std::expected<void, actor::Refusal>> save(actor::PersistenceId id, actor::Head head, actor::Record state,
                                                        std::size_t keep) override {
    return inner->save(std::move(id), head, std::move(state), keep);
  }
  actor::Task<std::optional<actor::Snapshot>> load(actor::PersistenceId id, actor::Sequence most) override {
    return inner->load(std::move(id), most);
  }
  actor::Task<std::expected<std::size_t, actor::Refusal>> trim(actor::PersistenceId id, actor::Head head,
                                                               actor::Sequence up_to, std::size_t most) override {
    return inner->trim(std::move(id), head, up_to, most);
  }
  actor::Task<std::vector<actor::PersistenceId>> entities(actor::PersistenceId after, std::size_t most) override {
    return inner->entities(std::move(after), most);
  }
  std::shared_ptr<Journal> inner;
  std::vector<std::size_t> appended;
  bool breaks = false;
  bool is_full = false;
  std::optional<actor::Sequence> has_come_to;  // what it says of all topics that there are
};

TopicName named(std::string name = "log.a") { return TopicName::parse(std::move(name)).value(); }

RecordPublication publication(Ticket ticket) {
  return {ticket, named(), UserId{"alice"}, {PayloadKind::json, fmt::format("{}", ticket)}};
}

struct Bench {
  explicit Bench(actor::test::Seed seed = 1)
      : world(seed), journal(std::make_shared<Watched>(world.start_journal())), router(world.probe<RouterMessages>()) {
    writer = spawn(0);
  }
  actor::Ref<TopicJournal> spawn(CoreIndex core) {
    std::shared_ptr<actor::Journal> to = journal;
    const TopicJournalUser user = router.ref();
    return world.spawn<TopicJournal>({.core = static_cast<int>(core)}, to, core, std::size_t{2}, user);
  }
  /// Where the topic stands after it was read.
  std::optional<Position> load(std::optional<Position> known = {}) {
    writer.tell(LoadTopic{named(), {}, known});
    return router.expect<TopicLoaded>({}, 5s)->top;
  }
  /// Its first publication, with which the topic becomes an entity.
  void begin() {
    writer.tell(publication(100));
    router.expect<Recorded>({}, 5s);
  }
  std::size_t events() { return world.block_on(journal->read(entity_of(named()), 0, 1000)).size(); }

  World world;
  std::shared_ptr<Watched> journal;
  RouterProbe router;
  actor::Ref<TopicJournal> writer;
};

}  // namespace

TEST_CASE("what comes while an append is under way goes into the next one, in its order") {
  Bench bench;
  bench.router.expect<JournalBegan>();
  CHECK_EQ(bench.load()->offset, 0);
  bench.begin();
  bench.world.faults().journal.delay_max = 100ms;
  for (Ticket ticket = 1; ticket <= 5; ++ticket) bench.writer.tell(publication(ticket));
  for (Ticket ticket = 1; ticket <= 5; ++ticket) {
    auto recorded = bench.router.expect<Recorded>({}, 1s);
    CHECK_EQ(recorded->ticket, ticket);
    CHECK_EQ(recorded->message.offset, ticket + 1);
  }
  CHECK(bench.journal->appended == std::vector<std::size_t>{1, 1, 4});
}

TEST_CASE("nothing is recorded before the topic was loaded, nor after it was closed") {
  Bench bench;
  bench.router.expect<JournalBegan>();
  bench.writer.tell(publication(1));
  CHECK(bench.router.expect<NotRecorded>()->why == Recording::failed);
  bench.load();
  bench.writer.tell(CloseTopic{named()});
  bench.writer.tell(publication(2));
  CHECK_EQ(bench.router.expect<NotRecorded>()->ticket, 2);
  CHECK_EQ(bench.events(), 0);
}

TEST_CASE("cores that come to a new journal at the same time give it one epoch") {
  actor::test::explore(50, [](actor::test::Seed seed) {
    Bench bench{seed};
    auto other = bench.spawn(1);
    bench.router.ignore<JournalBegan>();
    bench.world.faults().journal.delay_max = 50ms;
    bench.writer.tell(LoadTopic{named("log.a"), {}});
    other.tell(LoadTopic{named("log.b"), {}});
    bench.world.run(seed.number % 40);
    bench.writer.tell(LoadTopic{named("log.c"), {}});
    std::set<Epoch> epochs;
    for (int i = 0; i < 3; ++i) epochs.insert(bench.router.expect<TopicLoaded>({}, 10s)->top.value().epoch);
    CHECK_EQ(epochs.size(), 1);
  });
}

TEST_CASE("a topic that is loaded again while it is written to: what was recorded is read, what was not is not there") {
  int recorded = 0, refused = 0;
  actor::test::explore(
      100,
      [&](actor::test::Seed seed) {
        Bench bench{seed};
        bench.router.ignore<JournalBegan>();
        bench.load();
        bench.begin();
        bench.world.faults().journal.delay_max = 20ms;
        for (Ticket ticket = 1; ticket <= 3; ++ticket) bench.writer.tell(publication(ticket));
        bench.world.run(seed.number % 30);
        bench.world.advance(std::chrono::milliseconds{seed.number % 40});
        const auto load = LoadTopic{named(), {}};
        bench.writer.tell(load);
        bench.world.advance(1s);
        std::size_t here = 0;
        bench.router.ignore<TopicLoaded>();
        for (int i = 0; i < 3; ++i) {
          try {
            bench.router.expect<Recorded>();
            ++here;
          } catch (const actor::test::ProbeFailure&) {
            bench.router.expect<NotRecorded>();
            ++refused;
          }
        }
        recorded += static_cast<int>(here);
        CHECK_EQ(bench.events(), here + 1);
      },
      [&] {
        CHECK_GT(recorded, 30);
        CHECK_GT(refused, 30);
      });
}

TEST_CASE("after a fault it says that it begins anew, and a topic is written to again when it was loaded") {
  Bench bench;
  bench.router.expect<JournalBegan>();
  const auto epoch = bench.load()->epoch;
  bench.journal->breaks = true;
  bench.writer.tell(publication(1));
  bench.router.expect<JournalBegan>({}, 1s);
  bench.writer.tell(publication(2));
  CHECK(bench.router.expect<NotRecorded>()->why == Recording::failed);
  CHECK_EQ(bench.load()->epoch, epoch);
  bench.writer.tell(publication(3));
  CHECK_EQ(bench.router.expect<Recorded>({}, 1s)->message.offset, 1);
}

TEST_CASE(
    "a full disk is told in the log by the database's own words, once a minute while it lasts, and when it is over") {
  Bench bench;
  bench.router.expect<JournalBegan>();
  bench.load();
  base::log::Capture log;
  bench.journal->is_full = true;
  for (Ticket ticket = 1; ticket <= 7; ++ticket) {
    bench.load();
    bench.writer.tell(publication(ticket));
    CHECK(bench.router.expect<NotRecorded>({}, 1s)->why == Recording::failed);
    bench.world.advance(10s);
  }
  bench.journal->is_full = false;
  bench.load();
  bench.writer.tell(publication(8));
  bench.router.expect<Recorded>({}, 1s);
  const auto lines = log.lines();
  const auto count = [&](std::string_view text) {
    return std::ranges::count_if(lines, [&](const std::string& line) { return line.contains(text); });
  };
  CHECK_EQ(count("durable history fails\" what=\"the disk is full\""), 2);
  CHECK_EQ(count("durable history works again"), 1);
}

TEST_CASE("a topic that another program has written to is left alone") {
  Bench bench;
  bench.router.expect<JournalBegan>();
  const auto head = bench.world.block_on(bench.journal->activate(entity_of(named())));
  REQUIRE(bench.world.block_on(bench.journal->append(entity_of(named()), head, {{"Strange", 7, "?"}})).has_value());
  base::log::Capture log;
  CHECK_FALSE(bench.load().has_value());
  CHECK(log.contains("the history of a topic cannot be read; nothing is published over it\" topic=log.a"));
}

TEST_CASE("a topic that says it has come further than any can, or nowhere, is left alone") {
  for (const actor::Sequence sequence :
       {actor::Sequence{-1}, static_cast<actor::Sequence>(offset_max) - 1, static_cast<actor::Sequence>(offset_max),
        static_cast<actor::Sequence>(offset_max) + 1, INT64_MAX}) {
    CAPTURE(sequence);
    Bench bench;
    bench.router.expect<JournalBegan>();
    bench.load();
    bench.begin();
    bench.journal->has_come_to = sequence;
    base::log::Capture log;
    CHECK_FALSE(bench.load().has_value());
    CHECK(log.contains("the history of a topic cannot be read; nothing is published over it\" topic=log.a"));
    bench.journal->has_come_to.reset();
    CHECK_EQ(bench.load().value().offset, 1);
  }
}

}  // namespace troupe::realtime
