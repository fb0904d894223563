// The memory journal: the contract of a journal, and what a crash of its disk leaves.
#include "troupe/actor/persist/memory_journal.h"

#include "troupe/actor/persist/testing/journal_conformance.h"

using namespace troupe::actor;
namespace base = troupe::base;
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
  faults->fails_before = 1;
  CHECK_THROWS_AS(bench.append("Note/a", head, {record("1")}), JournalFailed);
  *faults = {.fails_after = 1};
  CHECK_THROWS_AS(bench.append("Note/a", head, {record("2")}), JournalFailed);
  *faults = {};
  CHECK(bench.read("Note/a") == std::vector<StoredEvent>{{1, record("2")}});
}

/// The journal of each world stands on the same disk.
std::shared_ptr<SimulatedDisk> disk_with_events(std::uint64_t seed, int acknowledged, int in_flight) {
  auto disk = std::make_shared<SimulatedDisk>();
  auto faults = std::make_shared<JournalFaults>();
  test::JournalBench bench{
      [&](test::World& world) { return MemoryJournal::start(world, {.disk = disk, .faults = faults}); }, seed};
  Head head = bench.activate("Note/a");
  for (; head.sequence < acknowledged; ++head.sequence) {
    REQUIRE(bench.append("Note/a", head, {record(std::to_string(head.sequence + 1))}).has_value());
  }
  faults->delay_max = std::chrono::seconds{1};
  test::JournalBench::Results results;
  for (int i = 0; i < in_flight; ++i) {
    const Head next{head.epoch, head.sequence + i};
    bench.append_at_once("Note/a", next, record(std::to_string(next.sequence + 1)), results);
    bench.world.advance(std::chrono::milliseconds{500});
  }
  CHECK_LE(results.size(), static_cast<std::size_t>(in_flight));
  return disk;
}

TEST_CASE("after a crash everything that was acknowledged is there, and what was torn is cut off whole") {
  int torn = 0;
  int kept = 0;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    auto disk = disk_with_events(seed, 5, 3);
    base::SeededRandom random{seed};
    const std::size_t before = disk->bytes().size();
    const std::size_t synced = disk->synced();
    disk->crash(random);
    test::JournalBench bench{[&](test::World& world) { return MemoryJournal::start(world, {.disk = disk}); }, seed};
    const Head head = bench.activate("Note/a");
    const auto events = bench.read("Note/a");
    REQUIRE_GE(events.size(), 5);
    for (std::size_t i = 0; i < events.size(); ++i) CHECK_EQ(events[i].event.bytes, std::to_string(i + 1));
    torn += synced < before && events.size() < 8 ? 1 : 0;
    kept += events.size() > 5 ? 1 : 0;
    REQUIRE(bench.append("Note/a", head, {record("next")}).has_value());
    CHECK_EQ(bench.read("Note/a").size(), events.size() + 1);
  }
  CHECK_GT(torn, 10);
  CHECK_GT(kept, 10);
}

}  // namespace
