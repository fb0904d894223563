// A world whose actors keep their state in a memory journal, with its faults and its disk at hand.
#pragma once

#include "troupe/actor/persist/memory_journal.h"
#include "troupe/actor/sim/world.h"

namespace troupe::actor::test {

struct JournalWorld {
  std::shared_ptr<SimulatedDisk> disk;
  std::shared_ptr<JournalFaults> faults = std::make_shared<JournalFaults>();
  World world;
  std::shared_ptr<Journal> journal;

  /// On a disk of its own, or on one that an earlier world has left.
  explicit JournalWorld(std::uint64_t seed, std::shared_ptr<SimulatedDisk> on = std::make_shared<SimulatedDisk>())
      : disk(std::move(on)), world(seed), journal(MemoryJournal::start(world, {.disk = disk, .faults = faults})) {
    world.system().provide<Journal>(journal);
  }

  template <class A>
  Ref<A> spawn(std::string name, int core = any_core) {
    return world.spawn<A>({.name = std::move(name), .core = core});
  }
  template <class A, class M>
  auto ask(Ref<A> who, M message) {
    return world.block_on(who.ask(std::move(message), {.within = std::chrono::seconds{60}}));
  }
  std::vector<StoredEvent> events(const std::string& id) {
    return world.block_on(journal->read(PersistenceId{id}, 0, 1000));
  }
  std::optional<Snapshot> snapshot(const std::string& id, Sequence at_most = INT64_MAX) {
    return world.block_on(journal->load(PersistenceId{id}, at_most));
  }
  /// Puts records into the journal, as another version of the program would have.
  Head record(const std::string& id, std::vector<Record> events) {
    const Head head = world.block_on(journal->activate(PersistenceId{id}));
    const auto last = world.block_on(journal->append(PersistenceId{id}, head, std::move(events)));
    return {head.epoch, last.value()};
  }
  bool reported(std::string_view words) const {
    return std::ranges::any_of(world.reports(), [&](const auto& line) { return line.contains(words); });
  }
};

}  // namespace troupe::actor::test
