// Context: the bodies of its templates; the class itself stands in runtime/context.h.
#pragma once

#include "troupe/actor/entry.h"
#include "troupe/actor/hooks.h"
#include "troupe/actor/inspect.h"
#include "troupe/actor/ref.h"
#include "troupe/actor/runtime/lifecycle.h"
#include "troupe/actor/task.h"

namespace troupe::actor {

namespace detail {

template <class A, class... Args>
class BodyOf final : public Body {
 public:
  explicit BodyOf(Args... args) : args_(std::move(args)...) {}
  void* construct() override {
    return std::apply([this](const Args&... args) { return new (memory_) A(args...); }, args_);
  }
  void destroy() noexcept override { std::destroy_at(std::launder(reinterpret_cast<A*>(memory_))); }

 private:
  [[no_unique_address]] std::tuple<Args...> args_;
  alignas(A) std::byte memory_[sizeof(A)];
};

/// Stands for the message in the activation of a `started` that is a coroutine; it is never sent.
inline constexpr Handler start_handler{.invoke = nullptr, .destroy = nullptr, .message = "its start"};

template <class A>
Task<void> run_start(A& actor, Cell& cell) {
  co_await actor.started(static_cast<Context&>(cell));
  lifecycle::start_is_through(cell);
}

template <class A>
bool call_started(Cell& cell, void* object) {
  A& actor = *static_cast<A*>(object);
  if constexpr (requires(Context& c) {
                  { actor.started(c) } -> std::same_as<Task<void>>;
                }) {
    Envelope none;
    none.handler = &start_handler;
    Core& core = *cell.owner;
    Task<void> task = run_start(actor, cell);
    Activation& activation = core.begin(cell, none);
    activation.exclusive = true;
    ++cell.exclusive;
    run_task<void, NoError>(core, activation, std::move(task));
    return false;
  } else {
    actor.started(static_cast<Context&>(cell));
    return true;
  }
}

/// Whether an actor of this class may change its core (runtime/migrate.h).
template <class A>
consteval bool migrates() {
  if constexpr (requires { A::migrates; }) return A::migrates;
  return false;
}

template <class A>
constexpr auto started_of() -> bool (*)(Cell&, void*) {
  if constexpr (has_started<A>()) return &call_started<A>;
  return nullptr;
}
template <class A>
constexpr auto stopped_of() -> void (*)(Cell&, void*) {
  if constexpr (has_stopped<A>()) {
    return [](Cell& cell, void* object) { static_cast<A*>(object)->stopped(static_cast<Context&>(cell)); };
  }
  return nullptr;
}
template <class A>
constexpr auto inspect_of() -> void (*)(const void*, Inspection&) {
  if constexpr (has_inspect<A>()) {
    return [](const void* object, Inspection& out) { static_cast<const A*>(object)->inspect(out); };
  }
  return nullptr;
}

template <class A>
inline constinit const ActorType type_of{
    .name = name_of_type<A>(),
    .started = started_of<A>(),
    .stopped = stopped_of<A>(),
    .inspect = inspect_of<A>(),
};

template <class A>
const ActorType& actor_type_of() noexcept {
  return type_of<A>;
}

template <class A, class... Args>
std::unique_ptr<Body> make_body(Args... args) {
  static_assert(std::is_constructible_v<A, const Args&...>, "an actor is constructed from copies of its arguments");
  return std::make_unique<BodyOf<A, Args...>>(std::move(args)...);
}

/// The right of a queued message to be delivered, which ends with its timer.
class TimerTicket {
 public:
  explicit TimerTicket(ActorTimer& timer) noexcept : timer_(&timer) { timer.queued = true; }
  TimerTicket(TimerTicket&& other) noexcept : timer_(std::exchange(other.timer_, nullptr)) {}
  TimerTicket& operator=(TimerTicket&&) = delete;
  ~TimerTicket() {
    if (timer_ != nullptr) give_back();
  }
  /// The trace that the message goes on with, if any.
  std::unique_ptr<base::TraceContext> take_trace() noexcept { return std::move(timer_->trace); }
  /// Whether the message may be delivered. Settles a timer that fires once.
  bool take() noexcept { return give_back(); }

 private:
  bool give_back() noexcept;
  ActorTimer* timer_;
};

template <class M>
struct Timed {
  M message;
  TimerTicket ticket;
};

template <class M>
consteval PriorityFunction timed_priority() {
  if constexpr (chooses_priority<M>) {
    return [](const Envelope& envelope) noexcept { return envelope.message<Timed<M>>().message.priority(); };
  }
  return nullptr;
}

void start_timer(Cell& cell, ActorTimer& timer, std::string_view key, Duration delay, Duration period);

template <class A, class M>
inline constexpr Handler timed_handler{
    .invoke =
        [](Core& core, Cell* cell, Envelope& envelope) {
          auto& timed = envelope.message<Timed<M>>();
          const auto trace = timed.ticket.take_trace();
          if (!timed.ticket.take()) return;
          Envelope* inner = core.make_within(trace.get(), handler_of<A, M>, cell->address(), std::move(timed.message));
          struct Guard {
            Core& core;
            Envelope* inner;
            ~Guard() { core.destroy(inner); }
          } guard{core, inner};
          inner->handler->invoke(core, cell, *inner);
        },
    .destroy = destroy_message<Timed<M>>,
    .message = name_of_type<M>(),
    .actor = actor_type_of<A>,
    .priority_of = timed_priority<M>(),
    .priority = static_priority_of<M>(),
    .message_class = MessageClass::control,
    .reads = reads<A, M>(),
};

template <class A, class M>
struct TimerOf final : ActorTimer {
  explicit TimerOf(M m) : message(std::move(m)) {}
  Envelope* make(Core& core) override {
    const Handler& handler = timed_handler<A, M>;
    if constexpr (may_copy<M>()) {
      return core.make(handler, cell->address(), Timed<M>{message, TimerTicket{*this}});
    } else {
      return core.make(handler, cell->address(), Timed<M>{std::move(message), TimerTicket{*this}});
    }
  }
  void dispose(Core& core) noexcept override {
    if constexpr (migrates<A>()) {
      const std::unique_ptr<TimerOf> last{this};
    } else {
      core.dispose(this);
    }
  }
  M message;
};

/// A timer in the pool of the actor's core; on the heap where it may leave that core with its actor.
template <class A, class M>
ActorTimer& make_timer(Cell& cell, M message) {
  static_assert(fit_to_tell<A, M>(), "a timer tells its actor what the actor handles");
  if constexpr (migrates<A>()) {
    return *new TimerOf<A, M>(std::move(message));
  } else {
    return *cell.owner->create<TimerOf<A, M>>(std::move(message));
  }
}

}  // namespace detail

template <class A>
Ref<A> Context::self(const A*) const noexcept {
  const Cell& cell = cell_of(*this);
  return Ref<A>{cell.extras && cell.extras->front ? cell.extras->front : address()};
}

template <class A, class... Args>
Ref<A> Context::spawn(ActorOptions options, Args... args) {
  Cell& parent = cell_of(*this);
  Core& here = *parent.owner;
  Core& there = options.core == any_core ? here : here.host().core(static_cast<std::size_t>(options.core));
  Cell& cell = &there == &here ? here.reserve(options.mailbox) : there.reserve_remotely(options.mailbox);
  const Address address = cell.address();
  lifecycle::spawn(here, parent,
                   {.cell = &cell,
                    .type = &detail::type_of<A>,
                    .body = detail::make_body<A>(std::move(args)...),
                    .options = std::move(options)});
  return Ref<A>{address};
}

template <class A>
void Context::stop(Ref<A> actor) noexcept {
  if (actor) lifecycle::request_stop(&core(), actor.address());
}

template <class A>
void Context::drain(Ref<A> actor) noexcept {
  if (actor) lifecycle::request_drain(&core(), actor.address());
}

template <class A, class Other>
void Context::watch(const A*, Ref<Other> other) {
  static_assert(detail::fit_to_watch<A>(), "who watches handles Terminated");
  if (other) lifecycle::request_watch(core(), address(), detail::handler_of<A, Terminated>, other.address());
}

template <class A, class M>
void Context::after(const A*, Duration delay, M message) {
  Cell& cell = cell_of(*this);
  detail::start_timer(cell, detail::make_timer<A>(cell, std::move(message)), {}, delay, {});
}

template <class A, class M>
void Context::after(const A*, std::string_view key, Duration delay, M message) {
  Cell& cell = cell_of(*this);
  detail::start_timer(cell, detail::make_timer<A>(cell, std::move(message)), key, delay, {});
}

template <class A, class M>
void Context::every(const A*, std::string_view key, Duration period, M message) {
  static_assert(detail::message_that_is_told_again_and_again_is_copyable<A, M>, "each time it is another copy");
  INVARIANT(period > Duration::zero(), "what is told again and again leaves time between");
  Cell& cell = cell_of(*this);
  detail::start_timer(cell, detail::make_timer<A>(cell, std::move(message)), key, period, period);
}

template <class A, class M>
bool Context::stash(const A*, M&& message) {
  using Message = std::remove_cvref_t<M>;
  static_assert(detail::fit_to_handle<A, Message>());
  static_assert(detail::message_that_is_asked_is_stashed_with_its_reply<A, Message>,
                "an ask is stashed with its Reply: somebody waits for the answer");
  Cell& cell = cell_of(*this);
  if (!mailbox::may_stash(cell)) return false;
  mailbox::stash(cell, core().make_message(detail::handler_of<A, Message>, cell.address(), std::forward<M>(message)));
  return true;
}

template <class A, class M, class R>
bool Context::stash(const A*, M&& message, R&& reply) {
  using Message = std::remove_cvref_t<M>;
  static_assert(detail::Deferred<A, Message> || detail::DeferredWithContext<A, Message>,
                "this actor (see `A`) does not handle this message (see `Message`) with a Reply");
  static_assert(std::is_same_v<R, detail::ReplyFor<Message>>, "the Reply of this message, moved");
  Cell& cell = cell_of(*this);
  if (!mailbox::may_stash(cell)) return false;
  Envelope* envelope = core().make_message(detail::handler_of<A, Message>, cell.address(), std::forward<M>(message));
  envelope->reply = reply.release();
  envelope->deadline = core().deadline();
  mailbox::stash(cell, envelope);
  return true;
}

inline SleepAwaiter Context::sleep(Duration duration) const noexcept { return SleepAwaiter{duration}; }

}  // namespace troupe::actor
