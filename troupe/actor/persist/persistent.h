// Persistent: an actor whose whole state is kept each time that it says so; for what needs no history.
//
//   class Preferences : public Persistent<Settings> {
//    public:
//     Task<void> handle(SetVolume m) { state().volume = m.volume; co_await save(); }
//   };
//
// The start brings the kept state back before the first message, or leaves it as it is
// constructed where nothing was kept; the actor's own `recovered(Context&)` runs after that.
// Identity, journal, versions of the state and what can go wrong are as in event_sourced.h.
#pragma once

#include "troupe/actor/persist/entity_log.h"
#include "troupe/actor/persist/events.h"

namespace troupe::actor {

template <class State>
class Persistent {
 public:
  /// Of the runtime.
  template <class Self>
  Task<void> started(this Self& self, Context& context) {
    return recover(self, context);
  }

 protected:
  Persistent() = default;
  /// What it is as long as nothing was kept.
  explicit Persistent(State initial) : state_(std::move(initial)) {}

  State& state() noexcept { return state_; }
  const State& state() const noexcept { return state_; }

  /// Keeps the state in place of the one before. Comes back when it is on the disk. Throws JournalFailed: it may have
  /// been kept; EventRejected: it was not, and the one in memory is not the kept one any more.
  template <class Self>
  Task<void> save(this Self& self) {
    detail::check_lasting<Self>();
    return write(self);
  }

 private:
  template <class Self>
  static Task<void> recover(Self& self, Context& context) {
    detail::check_lasting<Self>();
    Persistent& base = self;
    co_await base.log_.activate(context, detail::persistence_id_of(self, context));
    const std::optional<Snapshot> kept = co_await base.log_.snapshot_before(INT64_MAX);
    if (kept) {
      if (kept->state.name != detail::event_name<State>()) {
        throw UnreadableRecord(kept->state, "this actor's state is another one");
      }
      base.state_ = detail::from_record<State>(kept->state);
    }
    co_await detail::call_recovered(self, context);
  }

  static Task<void> write(Persistent& base) {
    auto written = co_await base.log_.save(detail::to_record(base.state_));
    if (!written) throw EventRejected(written.error().what);
  }

  State state_{};
  EntityLog log_;
};

}  // namespace troupe::actor
