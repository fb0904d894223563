// Journal: where the events and snapshots of entities last, and who may write them.
//
// An entity is what an actor with lasting state is the present incarnation of. Its events are
// numbered from 1 without gaps. Who wants to write activates the entity first: that raises its
// writer epoch durably, so that whoever wrote before is fenced. Every append and every snapshot
// compares epoch and expected sequence in the same step that writes; so two may believe that they
// own an entity, and only one can commit. Back ends: memory_journal.h, store/sql_journal.h; all
// of them pass testing/journal_conformance.h.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "troupe/actor/task.h"
#include "troupe/base/strong.h"

namespace troupe::actor {

/// Names an entity, in every process and for ever: "Account/alice".
using PersistenceId = base::Strong<struct PersistenceIdTag, std::string>;

/// The number of an event within its entity; 0: before the first.
using Sequence = std::int64_t;

/// What a writer knows of its entity: its own epoch, and the last event that it knows to be there.
struct Head {
  std::int64_t epoch = 0;
  Sequence sequence = 0;
  friend bool operator==(const Head&, const Head&) = default;
};

/// An event or a state as bytes, with what is needed to read it again: its name and the version of its schema.
struct Record {
  std::string name;
  std::int32_t version = 1;
  std::string bytes;
  friend bool operator==(const Record&, const Record&) = default;
};

struct StoredEvent {
  Sequence sequence = 0;
  Record event;
  friend bool operator==(const StoredEvent&, const StoredEvent&) = default;
};

/// A state as it was after the event `sequence`.
struct Snapshot {
  Sequence sequence = 0;
  Record state;
  friend bool operator==(const Snapshot&, const Snapshot&) = default;
};

inline constexpr std::size_t event_bytes_max = 1024 * 1024;       // an event is a fact, not a file
inline constexpr std::size_t state_bytes_max = 64 * 1024 * 1024;  // one page of a replay should not exceed the memory

/// Why a write certainly did not happen.
enum class Refused : std::uint8_t {
  fenced,    // somebody else has activated the entity since: the writer is no longer the one
  conflict,  // the entity does not end where the writer believes
  rejected,  // the journal does not take this: no event at all, one that is too large, an entity that nobody activated
};

struct Refusal {
  Refused why = Refused::rejected;
  std::string what;
};

/// The journal has not answered, or with a failure: a write may have happened or not.
class JournalFailed : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Shared by the actors of all cores; every function may be called on any of them, inside an actor. All throw
/// JournalFailed. Abandoning a write leaves open whether it happens; the next activation settles it.
class Journal {
 public:
  virtual ~Journal() = default;

  /// Raises the entity's epoch, durably, and tells where the entity ends. Makes an entity that is not known yet.
  virtual Task<Head> activate(PersistenceId entity) = 0;

  /// Where the entity ends, without a claim to write; none: nobody has activated it.
  virtual Task<std::optional<Head>> find(PersistenceId entity) = 0;

  /// Appends all events or none after `head`, and gives the sequence of the last. Durable when it comes back.
  virtual Task<std::expected<Sequence, Refusal>> append(PersistenceId entity, Head head,
                                                        std::vector<Record> events) = 0;

  /// Events after `after` in their order, everything that was durable before the call among them: at most `count_max`
  /// and about a megabyte, but at least one as long as there is one.
  virtual Task<std::vector<StoredEvent>> read(PersistenceId entity, Sequence after, std::size_t count_max) = 0;

  /// Keeps the state as it is at `head`, in place of one that was kept there before, and of the snapshots the newest
  /// `keep` (at least 1). Durable when it comes back.
  virtual Task<std::expected<void, Refusal>> save(PersistenceId entity, Head head, Record state, std::size_t keep) = 0;

  /// The newest snapshot that is not after `at_most`.
  virtual Task<std::optional<Snapshot>> load(PersistenceId entity, Sequence at_most) = 0;

  /// Forgets events up to and including `up_to`, the oldest first and at most `count_max` of them, and gives how many.
  /// What is still needed is the writer's to know: a replay begins at a snapshot, or finds that events are missing.
  /// Sequences go on as before. Durable when it comes back.
  virtual Task<std::expected<std::size_t, Refusal>> trim(PersistenceId entity, Head head, Sequence up_to,
                                                         std::size_t count_max) = 0;

  /// The entities whose names come after `after`, at most `count_max` of them, by name.
  virtual Task<std::vector<PersistenceId>> entities(PersistenceId after, std::size_t count_max) = 0;
};

/// What every journal refuses before it looks at what it holds; nothing: it may look.
std::optional<Refusal> refusal_of(const std::vector<Record>& events);
std::optional<Refusal> refusal_of(const Record& state);
/// What every journal says to a writer that knows `claimed` of an entity that is at `actual` (none: never activated).
std::optional<Refusal> refusal_of(Head claimed, const std::optional<Head>& actual);

}  // namespace troupe::actor
