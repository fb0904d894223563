// Supervise: a supervisor and its children, declared in one place and started in that order.
//
//   Ref<Counter> counter;
//   supervise(system, "orders", {.strategy = Strategy::rest_for_one}, [&](Children& c) {
//     counter = c.child<Counter>({.name = "counter"}, 10);
//     c.child<Bank>({.name = "bank", .shutdown = 2s}, counter);
//   });
//
// The references hold at once: what is told waits until its actor has started. A child starts
// when the one before it has started, a start that is a coroutine included; they stop in the
// reverse order. A child whose start fails takes the supervisor with it: those that have
// started are stopped in the reverse order, and the supervisor's own parent decides. When the
// supervisor is restarted it restarts its children, in order; each keeps its reference and its
// mailbox. A child that has ended for good stays ended.
#pragma once

#include "troupe/actor/system.h"

namespace troupe::actor {

class Children;
class Supervisor;

/// Asks a supervisor; answered once all of its children have started.
struct WhenStarted {
  using reply = void;
};

/// Starts a supervisor: top-level (any thread), or as a child of the actor whose context it is. `build` is called once,
/// before `supervise` returns. What it throws is passed on, and then nothing starts.
Ref<Supervisor> supervise(System& system, std::string name, Supervision supervision,
                          const std::function<void(Children&)>& build);
Ref<Supervisor> supervise(Context& context, std::string name, Supervision supervision,
                          const std::function<void(Children&)>& build);
/// The same with all of the supervisor's own options.
Ref<Supervisor> supervise(System& system, ActorOptions options, const std::function<void(Children&)>& build);
Ref<Supervisor> supervise(Context& context, ActorOptions options, const std::function<void(Children&)>& build);

namespace detail {

/// Children that have been declared and not yet spawned. Their cells are reserved; without a supervisor they are given
/// back, and what waits in them is answered.
struct Declared {
  Declared() = default;
  Declared(const Declared&) = delete;
  Declared& operator=(const Declared&) = delete;
  ~Declared();
  std::vector<lifecycle::SpawnPlan> plans;
};

}  // namespace detail

/// Collects what a supervisor starts. Lives as long as the call of `supervise`.
class Children {
 public:
  /// Declares the next child. `options.core`: any core means the supervisor's.
  template <class A, class... Args>
  Ref<A> child(ActorOptions options, Args... args) {
    Cell& cell = reserve(options);
    const Ref<A> ref{cell.address()};
    declared_->plans.push_back({.cell = &cell,
                                .type = &detail::type_of<A>,
                                .body = detail::make_body<A>(std::move(args)...),
                                .options = std::move(options)});
    return ref;
  }

  /// Declares a supervisor as the next child; it has started when its own children have.
  Ref<Supervisor> supervise(std::string name, Supervision supervision, const std::function<void(Children&)>& build);
  Ref<Supervisor> supervise(ActorOptions options, const std::function<void(Children&)>& build);

 private:
  friend Ref<Supervisor> supervise(System&, ActorOptions, const std::function<void(Children&)>&);
  friend Ref<Supervisor> supervise(Context&, ActorOptions, const std::function<void(Children&)>&);

  Children(Host& host, int core) : host_(host), core_(core) {}
  Cell& reserve(const ActorOptions& options);

  Host& host_;
  int core_;
  std::shared_ptr<detail::Declared> declared_ = std::make_shared<detail::Declared>();
};

/// The actor behind `supervise`; it does nothing but supervise.
class Supervisor {
 public:
  static constexpr std::string_view actor_type = "Supervisor";

  explicit Supervisor(std::shared_ptr<detail::Declared> declared) : declared_(std::move(declared)) {}
  void started(Context& context);
  void handle(const WhenStarted&) const noexcept {}

 private:
  std::shared_ptr<detail::Declared> declared_;
};

}  // namespace troupe::actor
