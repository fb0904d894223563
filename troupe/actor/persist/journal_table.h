// JournalTable: the rules of a journal over maps, remembered in a file of a simulated disk.
//
// The state of the memory journal's owner, without time. Each change is one record of the log:
// length, checksum, content. What is made anew on a file reads the log up to the first record
// that is not whole, which a crash has torn, and cuts it off there. A change that the disk refuses
// throws DiskError and has not happened; one that it cannot sync may be lost in a crash.
#pragma once

#include <deque>
#include <map>
#include <memory>

#include "troupe/actor/persist/journal.h"
#include "troupe/actor/persist/simulated_disk.h"

namespace troupe::actor {

class JournalTable {
 public:
  explicit JournalTable(SimulatedFile log);

  Head activate(const PersistenceId& id);
  std::optional<Head> find(const PersistenceId& id) const;
  std::expected<Sequence, Refusal> append(const PersistenceId& id, Head head, std::vector<Record> events);
  std::expected<void, Refusal> save(const PersistenceId& id, Head head, Record state, std::size_t keep);
  std::vector<StoredEvent> read(const PersistenceId& id, Sequence after, std::size_t count_max) const;
  std::optional<Snapshot> load(const PersistenceId& id, Sequence at_most) const;
  std::expected<std::size_t, Refusal> trim(const PersistenceId& id, Head head, Sequence up_to, std::size_t count_max);
  std::vector<PersistenceId> entities(const PersistenceId& after, std::size_t count_max) const;

  /// What was changed before is on the disk.
  void sync() { log_.sync(); }

 private:
  struct Entity {
    std::int64_t epoch = 0;
    std::deque<Record> events;  // the first has the sequence after `trimmed`
    Sequence trimmed = 0;
    std::map<Sequence, Record> snapshots;
    Head head() const noexcept { return {epoch, trimmed + static_cast<Sequence>(events.size())}; }
  };
  struct Change;  // one record of the log

  void commit(Change change);
  void write(std::string_view record);
  void apply(Change change);

  SimulatedFile log_;
  std::map<PersistenceId, Entity> entities_;
};

}  // namespace troupe::actor
