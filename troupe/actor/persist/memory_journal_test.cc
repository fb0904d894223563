// The memory journal: the contract of a journal, and what a crash of its disk leaves.
#include "troupe/actor/persist/memory_journal.h"

#include "troupe/actor/persist/testing/journal_conformance.h"
#include "troupe/actor/sim/explore.h"

using namespace troupe::actor;
using test::record;

namespace {

TEST_CASE("the memory journal is a journal") {
  test::journal_conforms([](test::World& world) -> std::shared_ptr<Journal> { return MemoryJournal::start(world); });
}

TEST_CASE("a journal that is slow is a journal") {
  const auto slow = std::make_shared<JournalFaults>(JournalFaults{.delay_max = std::chrono::milliseconds{50}});
  test::journal_conforms(
      [&](test::World& world) -> std::shared_ptr<Journal> { return MemoryJournal::start(world, {.faults = slow}); });
}

TEST_CASE("a write that fails is thrown, whether it took effect or not") {
  auto faults = std::make_shared<JournalFaults>();
  test::JournalBench bench{[&](test::World& world) { return MemoryJournal::start(world, {.faults = faults}); }, 1};
  const Head head = bench.activate("Note/a");
  faults->fails_before = {1};
  CHECK_THROWS_AS(bench.append("Note/a", head, {record("1")}), JournalFailed);
  *faults = {.fails_after = {1}};
  CHECK_THROWS_AS(bench.append("Note/a", head, {record("2")}), JournalFailed);
  *faults = {};
  CHECK(bench.read("Note/a") == std::vector<StoredEvent>{{1, record("2")}});
}

std::shared_ptr<Journal> journal_of(test::World& world) { return world.start_journal(); }

TEST_CASE("after a crash everything that was acknowledged is there, and what was torn is cut off whole") {
  int torn = 0;
  int kept = 0;
  test::explore(
      {.schedules = 100},
      [&](test::Seed seed) {
        test::JournalBench bench{journal_of, seed};
        Head head = bench.activate("Note/a");
        for (; head.sequence < 5; ++head.sequence) {
          REQUIRE(bench.append("Note/a", head, {record(std::to_string(head.sequence + 1))}).has_value());
        }
        bench.world.faults().journal.delay_max = std::chrono::seconds{1};
        test::JournalBench::Results results;
        for (int i = 0; i < 3; ++i) {
          const Head next{head.epoch, head.sequence + i};
          bench.append_at_once("Note/a", next, record(std::to_string(next.sequence + 1)), results);
          bench.world.advance(std::chrono::milliseconds{500});
        }
        const auto acknowledged =
            5 + static_cast<std::size_t>(std::ranges::count_if(results, [](const auto& r) { return r.has_value(); }));
        bench.world.crash();
        bench.world.faults() = {};
        bench.journal = bench.world.start_journal();
        head = bench.activate("Note/a");
        const auto events = bench.read("Note/a");
        REQUIRE_GE(events.size(), acknowledged);
        for (std::size_t i = 0; i < events.size(); ++i) CHECK_EQ(events[i].event.bytes, std::to_string(i + 1));
        torn += events.size() < 8 ? 1 : 0;
        kept += events.size() > acknowledged ? 1 : 0;
        REQUIRE(bench.append("Note/a", head, {record("next")}).has_value());
        CHECK_EQ(bench.read("Note/a").size(), events.size() + 1);
      },
      [&] {
        CHECK_GT(torn, 20);
        CHECK_GT(kept, 20);
      });
}

TEST_CASE("a disk that refuses fails the write, not the journal: what was torn is behind nothing that comes after") {
  int refused = 0;
  test::explore(
      {.schedules = 60},
      [&](test::Seed seed) {
        test::JournalBench bench{journal_of, seed};
        Head head = bench.activate("Note/a");
        bench.world.faults().disk = {.write_fails = {4}, .sync_fails = {4}};
        std::vector<std::string> acknowledged;
        for (int i = 0; i < 20; ++i) {
          const std::string text = std::to_string(i) + std::string(700, '.');  // more than a sector
          try {
            const auto last = bench.append("Note/a", head, {record(text)});
            REQUIRE(last.has_value());
            acknowledged.push_back(text);
            head.sequence = *last;
          } catch (const JournalFailed&) {
            ++refused;
            const auto events = bench.read("Note/a");  // a write that could not be synced may have happened
            head.sequence = static_cast<Sequence>(events.size());
          }
        }
        bench.world.crash();
        bench.world.faults() = {};
        bench.journal = bench.world.start_journal();
        std::vector<std::string> found;
        for (const auto& event : bench.read("Note/a")) found.push_back(event.event.bytes);
        // In their order, perhaps with some between them that were in doubt.
        CHECK(std::ranges::includes(found, acknowledged,
                                    [](const auto& a, const auto& b) { return std::stoi(a) < std::stoi(b); }));
      },
      [&] { CHECK_GT(refused, 200); });
}

}  // namespace
