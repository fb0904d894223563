// MemoryJournal: the journal without a database, for tests, for simulation and for what may die with the process.
//
//   system.provide<Journal>(MemoryJournal::start(system));
//
// An actor owns the table; the journal itself is a reference to it that may be used on any core.
// With a disk of the test's own the records outlive the system, and a crash can tear their end
// (simulated_disk.h). `JournalFaults` make it fail as a real one does. World::start_journal gives one
// on the world's disk, with the world's faults.
#pragma once

#include "troupe/actor/persist/faults.h"
#include "troupe/actor/persist/journal.h"
#include "troupe/actor/persist/journal_table.h"
#include "troupe/actor/ref.h"

namespace troupe::actor {

class MemoryJournalActor;

struct MemoryJournalOptions {
  SimulatedDisk disk{};
  std::shared_ptr<const JournalFaults> faults = std::make_shared<JournalFaults>();
};

class MemoryJournal final : public Journal {
 public:
  /// Starts its owner as a child of `where`: a System, a Context or a test::World.
  template <class Where>
  static std::shared_ptr<MemoryJournal> start(Where& where, MemoryJournalOptions options = {}) {
    return std::make_shared<MemoryJournal>(
        where.template spawn<MemoryJournalActor>({.name = "journal", .mailbox = {.capacity = 8192}}, options));
  }
  explicit MemoryJournal(Ref<MemoryJournalActor> owner) : owner_(owner) {}

  Task<Head> activate(PersistenceId entity) override;
  Task<std::optional<Head>> find(PersistenceId entity) override;
  Task<std::expected<Sequence, Refusal>> append(PersistenceId entity, Head head, std::vector<Record> events) override;
  Task<std::vector<StoredEvent>> read(PersistenceId entity, Sequence after, std::size_t count_max) override;
  Task<std::expected<void, Refusal>> save(PersistenceId entity, Head head, Record state, std::size_t keep) override;
  Task<std::optional<Snapshot>> load(PersistenceId entity, Sequence at_most) override;
  Task<std::expected<std::size_t, Refusal>> trim(PersistenceId entity, Head head, Sequence up_to,
                                                 std::size_t count_max) override;
  Task<std::vector<PersistenceId>> entities(PersistenceId after, std::size_t count_max) override;

 private:
  Ref<MemoryJournalActor> owner_;
};

/// A read or a change of the table, and why it has no result.
struct UseTable {
  std::move_only_function<void(JournalTable&)> use;
  bool writes = true;
  using reply = void;
  using error = std::string;
};

/// Owns the table of one memory journal.
class MemoryJournalActor {
 public:
  static constexpr std::string_view actor_type = "MemoryJournal";
  static constexpr bool interleaves = true;  // some are delayed while others run

  explicit MemoryJournalActor(MemoryJournalOptions options);
  Task<std::expected<void, std::string>> handle(UseTable message, Context& context);

 private:
  std::shared_ptr<const JournalFaults> faults_;
  JournalTable table_;
};

}  // namespace troupe::actor
