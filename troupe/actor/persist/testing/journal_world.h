// A world whose actors keep their state in a memory journal, with its faults and its disk at hand.
#pragma once

#include "troupe/actor/persist/memory_journal.h"
#include "troupe/actor/sim/world.h"

namespace troupe::actor::test {

struct JournalWorld {
  World world;
  std::shared_ptr<Journal> journal = world.start_journal();
  JournalFaults& faults = world.faults().journal;

  explicit JournalWorld(Seed seed) : world(seed) {}

  /// Another process finds what this one has left on the disk.
  void crash() {
    world.crash();
    journal = world.start_journal();
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
