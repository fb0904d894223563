// EntityLog: an actor's hold on its entity in the journal; what EventSourced and Persistent share.
//
// Member of the actor and used by one handler at a time. A write that is under way is shielded
// from the deadline of the ask that caused it. After a write whose outcome is unknown it refuses
// everything until the actor has been restarted, and so has read the truth. Where another
// activation has taken the entity over, it stops the actor and does not come back. It knows the
// actor only while one of its handlers runs, so both may move to another core between two.
#pragma once

#include <memory>

#include "troupe/actor/context.h"
#include "troupe/actor/persist/journal.h"

namespace troupe::actor {

/// What the journal does not take; nothing happened and the actor goes on.
struct Rejected {
  std::string what;
};

/// The same where nobody asked for it as a value: a fault of the handler.
class EventRejected : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class EntityLog {
 public:
  using Written = std::expected<void, Rejected>;

  /// Takes the entity over, in the journal that was provided to the system (`system.provide<Journal>(...)`).
  Task<void> activate(Context& context, PersistenceId id);

  /// The newest snapshot before `sequence` (INT64_MAX: of all).
  Task<std::optional<Snapshot>> snapshot_before(Sequence sequence);
  /// The events after `sequence`; empty at the end that `activate` has found.
  Task<std::vector<StoredEvent>> events_after(Sequence sequence);

  /// Durable when it comes back. Throws JournalFailed: it may have happened.
  Task<Written> append(std::vector<Record> events);
  /// Keeps the state as the entity's only one; the rest as above.
  Task<Written> save(Record state);
  /// Keeps a snapshot; what goes wrong is reported and costs only the time of the next replay.
  Task<void> save_snapshot(Record state, std::size_t keep);

  /// Nothing more is written until the actor was restarted: its state in memory is not to be trusted.
  void distrust() noexcept { in_doubt_ = true; }

  /// Tells the operator, with the actor's path and the entity's name in front.
  void report(std::string_view what) const;

  const PersistenceId& id() const noexcept { return id_; }
  Sequence sequence() const noexcept { return head_.sequence; }

 private:
  JournalFailed missing(Sequence sequence) const;
  void begin_write();
  Task<Written> refused(Refusal refusal);

  std::shared_ptr<Journal> journal_;
  PersistenceId id_;
  Head head_;
  bool in_doubt_ = false;
};

namespace detail {

/// The name of an entity: what the actor says, or its type and the name that its parent gave it.
template <class A>
PersistenceId persistence_id_of(const A& actor, const Context& context) {
  if constexpr (says_persistence_id<A>()) {
    return PersistenceId{actor.persistence_id()};
  } else {
    INVARIANT(!context.name().empty(), "an actor whose state lasts has a name, or says `persistence_id()`");
    return PersistenceId{std::string{name_of_type<A>()} + "/" + std::string{context.name()}};
  }
}

// What an actor whose state lasts must be, under names that the compiler says when it is not.

template <class Actor>
inline constexpr bool actor_says_recovered_in_place_of_started = requires { &Actor::template started<Actor>; };

template <class Actor>
consteval bool interleaves_as_a_whole() {
  if constexpr (requires { Actor::interleaves; }) return Actor::interleaves;
  return false;
}
template <class Actor>
inline constexpr bool actor_handles_one_message_at_a_time = !interleaves_as_a_whole<Actor>();

template <class Actor>
consteval void check_lasting() {
  static_assert(actor_says_recovered_in_place_of_started<Actor>,
                "its `started` is taken by the recovery: say `recovered(Context&)`, which runs after it");
  static_assert(actor_handles_one_message_at_a_time<Actor>,
                "it decides by its state, so nothing may change it between a decision and its record; what only looks "
                "may be let in (`const_handlers_interleave`)");
}

/// Calls `recovered(Context&)` of an actor that has it; plain or a Task<void>.
template <class A>
Task<void> call_recovered(A& actor, Context& context) {
  if constexpr (requires {
                  { actor.recovered(context) } -> std::same_as<Task<void>>;
                }) {
    co_await actor.recovered(context);
  } else if constexpr (has_recovered<A>()) {
    actor.recovered(context);
  }
  co_return;
}

}  // namespace detail
}  // namespace troupe::actor
