// EventSourced: an actor whose state is what its recorded events have made of it.
//
//   class Account : public EventSourced<AccountState, Events<Deposited, Withdrawn>> {
//    public:
//     static AccountState apply(AccountState s, const Deposited& e) noexcept { s.cents += e.cents; return s; }
//     Task<std::int64_t> handle(Deposit d) { co_await persist(Deposited{d.cents}); co_return state().cents; }
//   };
//
// `persist` comes back when the event is on the disk and applied; nothing else is handled
// meanwhile. The start reads the newest snapshot and replays what follows, before the first
// message; the actor's own `recovered(Context&)` runs after that and stands in place of
// `started`. `apply` is pure: it runs for new events and for old ones. The entity is called as
// `std::string persistence_id() const` says, or "<type>/<name of the actor>", the same on every
// core and node; the journal is the one of the system (`system.provide<Journal>(...)`).
//
// Three things can go wrong. The journal does not take an event: nothing happened; `try_persist`
// says so and the actor goes on, from `persist` it is a fault. It fails: the outcome is unknown, `persist` throws
// JournalFailed, and the supervisor's restart, with its back-off, reads the truth. Another activation has taken over:
// this one stops.
#pragma once

#include "troupe/actor/persist/entity_log.h"
#include "troupe/actor/persist/events.h"

namespace troupe::actor {

/// How often the state is kept, so that a replay is short. `static constexpr Snapshots snapshots{...}` in the actor.
struct Snapshots {
  std::int64_t every = 500;  // events; a replay reads as many in a few milliseconds. 0: never
  std::size_t keep = 2;      // the older one serves if the program cannot read the newer
};

namespace detail {

template <class Actor, class Event, class... E>
inline constexpr bool actor_lists_event = (std::same_as<Event, E> || ...);

template <class Actor, class State, class Event>
inline constexpr bool actor_applies_event = requires(State state, const Event& event) {
  { Actor::apply(std::move(state), event) } -> std::same_as<State>;
};

}  // namespace detail

template <class State, class EventList>
class EventSourced;

template <class State, class... E>
class EventSourced<State, Events<E...>> {
 public:
  using Event = typename Events<E...>::Any;

  /// Of the runtime.
  template <class Self>
  Task<void> started(this Self& self, Context& context) {
    return recover(self, context);
  }

 protected:
  EventSourced() = default;

  const State& state() const noexcept { return state_; }
  /// The number of the last event.
  Sequence sequence() const noexcept { return log_.sequence(); }

  /// Records events, all or none, and applies them in their order; of none there is nothing to do. Throws
  /// JournalFailed: they may have been recorded; EventRejected: they were not.
  template <class Self, class First, class... More>
  Task<void> persist(this Self& self, First event, More... more) {
    return persist_or_throw(self, list<Self>(std::move(event), std::move(more)...));
  }
  template <class Self>
  Task<void> persist(this Self& self, std::vector<Event> events) {
    return persist_or_throw(self, std::move(events));
  }

  /// The same, with what the journal does not take as a value.
  template <class Self, class First, class... More>
  Task<std::expected<void, Rejected>> try_persist(this Self& self, First event, More... more) {
    return write(self, list<Self>(std::move(event), std::move(more)...));
  }
  template <class Self>
  Task<std::expected<void, Rejected>> try_persist(this Self& self, std::vector<Event> events) {
    return write(self, std::move(events));
  }

 private:
  template <class Self, class... Given>
  static std::vector<Event> list(Given... given) {
    static_assert((detail::actor_lists_event<Self, Given, E...> && ...), "name the event in `Events<...>`");
    std::vector<Event> events;
    events.reserve(sizeof...(Given));
    (events.emplace_back(std::move(given)), ...);
    return events;
  }

  template <class Self>
  static consteval Snapshots snapshots_of() {
    if constexpr (requires { Self::snapshots; }) return Self::snapshots;
    return {};
  }

  template <class Self>
  static consteval void check() {
    detail::check_lasting<Self>();
    static_assert((detail::actor_applies_event<Self, State, E> && ...),
                  "the actor has no public `static State apply(State, const Event&)` for this event");
    static_assert(snapshots_of<Self>().every >= 0 && snapshots_of<Self>().keep > 0);
  }

  /// Runs within the start, so messages wait in the mailbox.
  template <class Self>
  static Task<void> recover(Self& self, Context& context) {
    check<Self>();
    EventSourced& base = self;
    co_await base.log_.activate(context, detail::persistence_id_of(self, context));
    if constexpr (snapshots_of<Self>().every > 0) co_await base.restore();
    Sequence at = base.snapshot_at_;
    for (bool more = true; more;) {
      const std::vector<StoredEvent> page = co_await base.log_.events_after(at);
      for (const StoredEvent& stored : page) base.template replay<Self>(stored);
      more = !page.empty();
      if (more) at = page.back().sequence;
    }
    co_await detail::call_recovered(self, context);
  }

  /// The newest snapshot that this program can read. Without one the events alone make the state.
  Task<void> restore() {
    for (Sequence before = INT64_MAX; before > 0;) {
      const std::optional<Snapshot> found = co_await log_.snapshot_before(before);
      if (!found) co_return;
      before = found->sequence;
      if (found->state.name != detail::event_name<State>()) continue;
      try {
        state_ = detail::from_record<State>(found->state);
        snapshot_at_ = found->sequence;
        co_return;
      } catch (const UnreadableRecord& unreadable) {
        log_.report(std::string{"passes over a snapshot: "} + unreadable.what());
      }
    }
  }

  template <class Self>
  void replay(const StoredEvent& stored) {
    try {
      Events<E...>::visit(stored.event, [this](const auto& event) { state_ = Self::apply(std::move(state_), event); });
    } catch (const UnreadableRecord& unreadable) {
      throw UnreadableRecord(log_.id().value() + ", event " + std::to_string(stored.sequence) + ": " +
                             unreadable.what());
    }
  }

  template <class Self>
  static Task<std::expected<void, Rejected>> write(Self& self, std::vector<Event> events) {
    check<Self>();
    if (events.empty()) co_return std::expected<void, Rejected>{};
    EventSourced& base = self;
    std::vector<Record> records;
    records.reserve(events.size());
    for (const Event& event : events) {
      records.push_back(std::visit([](const auto& one) { return detail::to_record(one); }, event));
    }
    auto written = co_await base.log_.append(std::move(records));
    if (!written) co_return written;
    try {
      for (const Event& event : events) {
        std::visit([&](const auto& one) { base.state_ = Self::apply(std::move(base.state_), one); }, event);
      }
    } catch (...) {
      base.log_.distrust();  // the state is half way between two events
      throw;
    }
    if constexpr (snapshots_of<Self>().every > 0) {
      if (base.log_.sequence() - base.snapshot_at_ >= snapshots_of<Self>().every) {
        base.snapshot_at_ = base.log_.sequence();  // also if it fails: the next one is due as many events later
        co_await base.log_.save_snapshot(detail::to_record(base.state_), snapshots_of<Self>().keep);
      }
    }
    co_return written;
  }

  template <class Self>
  static Task<void> persist_or_throw(Self& self, std::vector<Event> events) {
    auto written = co_await write(self, std::move(events));
    if (!written) throw EventRejected(written.error().what);
  }

  State state_{};
  EntityLog log_;
  Sequence snapshot_at_ = 0;
};

}  // namespace troupe::actor
