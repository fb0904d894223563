// ShutdownPhases: what a system does, in named steps, before its actors are stopped.
//
//   auto phases = system.shutdown_phases();
//   phases.add({.name = "stop-accepting"}, [door] { return close(door); });
//   phases.add({.name = "drain", .after = {"stop-accepting"}, .timeout = 30s}, [room] { return empty(room); });
//
// `System::shutdown` runs them and then stops the actors. A phase starts when those that it
// comes after are over; what does not depend on each other runs together. One that throws or
// takes longer than its timeout is reported, and the sequence goes on; what it still does ends
// with its actors. A cycle, a name that is used twice and one that nobody has are our bugs.
// A system that has failed skips its phases.
#pragma once

#include <expected>

#include "troupe/actor/system.h"

namespace troupe::actor {

struct ShutdownPhase {
  std::string name;
  std::vector<std::string> after{};   // phases that are over before this one starts
  std::vector<std::string> before{};  // phases that start when this one is over
  Duration timeout = 5s;              // nobody waits for ever; a drain says how long it takes
};

enum class PhaseState : std::uint8_t { waiting, running, done, failed, timed_out };
std::string_view name_of(PhaseState state) noexcept;

struct PhaseProgress {
  std::string name;
  PhaseState state = PhaseState::waiting;
  Duration elapsed{};  // so far, or until it was over
};

/// Which phases each one waits for, by their numbers; or what is wrong with them.
std::expected<std::vector<std::vector<std::size_t>>, std::string> order_of(const std::vector<ShutdownPhase>& phases);

struct AddPhase {
  static constexpr auto message_class = MessageClass::control;  // a phase that is lost would be a step left out
  ShutdownPhase phase;
  std::function<Task<void>()> task;
};
/// Answered when all are over; said twice, it is begun once.
struct RunPhases {
  static constexpr auto message_class = MessageClass::control;
  using reply = void;
};
struct GetProgress {
  using reply = std::vector<PhaseProgress>;
};

/// A copyable value, which says to the one sequence of its system what belongs to it. Any thread.
class ShutdownPhases {
 public:
  /// `task` is called on the first core, once, when the phase starts. Before the shutdown has begun.
  void add(ShutdownPhase phase, std::function<Task<void>()> task) const;
  /// Runs the phases and calls `done`, on the first core, when all are over or the system has ended or given up before;
  /// `System::shutdown` then finds them over.
  void begin(std::function<void()> done) const;
  /// `co_await system.shutdown_phases().progress()`: in the order in which they were added.
  AskAwaiter<GetProgress> progress() const;

 private:
  friend class System;
  ShutdownPhases(System& system, Ref<class ShutdownSequence> sequence) : system_(&system), sequence_(sequence) {}
  System* system_;
  Ref<ShutdownSequence> sequence_;
};

/// The actor behind it; `/inspect` shows its phases.
class ShutdownSequence {
 public:
  static constexpr std::string_view actor_type = "ShutdownSequence";
  static constexpr bool interleaves = true;  // phases run together

  void started(Context& context) { context_ = &context; }
  void handle(AddPhase message);
  void handle(const RunPhases&, Reply<void> reply, Context& context);
  std::vector<PhaseProgress> handle(const GetProgress&) const;
  void inspect(Inspection& out) const;

  struct StartPhase {
    std::size_t index;
  };
  struct PhaseTimedOut {
    std::size_t index;
  };
  Task<void> handle(StartPhase message, Context& context);
  void handle(PhaseTimedOut message, Context& context);

 private:
  struct Step {
    ShutdownPhase phase;
    std::function<Task<void>()> task;
    PhaseState state = PhaseState::waiting;
    base::Instant from{};
    base::Instant until{};
  };

  bool is_over(std::size_t index) const noexcept;
  void start_what_can(Context& context);
  void end(std::size_t index, PhaseState state, std::string_view why, Context& context);

  Context* context_ = nullptr;
  std::vector<Step> steps_;
  std::vector<std::vector<std::size_t>> waits_for_;
  std::vector<Reply<void>> waiting_;
  bool begun_ = false;
};

}  // namespace troupe::actor
