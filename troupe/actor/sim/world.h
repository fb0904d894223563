// World: an actor system under one thread, virtual time and a seed, for tests.
//
// The runtime is the real one; what is simulated is its surroundings: the clock moves only
// when nothing can run, or by what a message is said to cost; random numbers come from the
// seed, blocking jobs run at seeded times, and which core takes its turn, which of its actors
// goes first, and how long, is drawn from the seed. The same seed gives the same run.
#pragma once

#include <memory>

#include "troupe/actor/actor.h"
#include "troupe/actor/persist/simulated_disk.h"
#include "troupe/actor/sim/faults.h"
#include "troupe/actor/sim/scheduler.h"
#include "troupe/actor/sim/trace.h"
#include "troupe/base/clock.h"

namespace troupe::actor {
class Journal;
}

namespace troupe::actor::test {

struct WorldOptions {
  int cores = 2;
  Supervision supervision{};
  bool print_reports = false;   // faults are expected in tests; they are kept either way
  Duration cost_per_message{};  // virtual time that each handler takes; the cores share one clock, so all of them wait
  Faults faults{};
  Duration stall_limit =
      100ms;                   // virtual time; a handler that takes longer is reported, as by a real system's watchdog
  std::shared_ptr<Bus> bus{};  // to other worlds; what has been published waits until each of them runs
  std::uint64_t work_at_rest_max = 5'000'000;  // turns and steps while no time passes, some seconds of work: more than
                                               // any test of ours has, and who never comes to rest is found out soon
  std::size_t steps_kept = 200;                // for the chart of a run that goes wrong; 0: no step is observed at all
};

template <class P>
class Probe;

class World final : Environment, Observer {
 public:
  explicit World(Seed seed, WorldOptions options = {});
  World(const World&) = delete;
  World& operator=(const World&) = delete;
  ~World() override;

  template <class A, class... Args>
  Ref<A> spawn(ActorOptions options, Args... args) {
    return system_->spawn<A>(std::move(options), std::move(args)...);
  }

  /// An actor that the test plays: `w.probe<Protocol<Tick, Alert>>()`. See probe.h.
  template <class P>
  Probe<P> probe(ActorOptions options = {});

  /// Takes so many turns, without letting time pass: gives whether there was work for all of them.
  bool run(std::uint64_t turns);
  /// Runs until nothing can run without time moving on.
  void run_until_idle();
  /// Lets `by` pass, running everything that falls due.
  void advance(Duration by);
  /// Runs until `ready` is true, letting at most `within` pass. Gives whether it is.
  bool run_until(const std::function<bool()>& ready, Duration within);
  /// Runs an ask or a task, letting as much time pass as it needs; what was told before has been handled by then.
  /// Fails an invariant if it can never end.
  template <class Awaitable>
  auto block_on(Awaitable awaitable) {
    run_until_idle();
    return system_->block_on(std::move(awaitable));
  }

  /// Ends the system as a power cut would: no actor is asked, nothing that was under way arrives. Then a new one
  /// begins, empty, at the same moment of the same world; references of the old one must not be used any more.
  void crash();

  /// Starts a memory journal on this world's disk and provides it to the actors; after a crash, again.
  std::shared_ptr<Journal> start_journal();

  SimulatedDisk& disk() noexcept { return disk_; }
  /// What goes wrong from now on; but `lane_messages_max` counts only where it stood when the system began.
  Faults& faults() noexcept { return *faults_; }
  base::ManualClock& manual_clock() noexcept { return clock_; }
  base::Random& random() noexcept { return random_; }
  System& system() noexcept { return *system_; }
  Core& core(std::size_t index) noexcept { return system_->core(index); }
  /// What the system reported: faults, and what was decided.
  const std::vector<std::string>& reports() const noexcept { return reports_; }
  /// What has happened so far: its fingerprint and its chart.
  const Trace& trace() const noexcept { return *trace_; }
  /// The actor whose message is being handled now was told it by this one; zero: by none.
  ActorId sender() const noexcept;
  /// How many asks wait for their outcome.
  std::size_t open_asks() const noexcept;
  void shutdown() { system_->shutdown(); }

 private:
  struct OpenStep {
    std::size_t number;
    ActorId sender;
    std::uint32_t errors;
    std::uint32_t in_flight;
    Address actor;
    Instant begun;
  };
  void look_for_stall(Core& core, const OpenStep& step);

  base::Clock& clock() override { return clock_; }
  std::unique_ptr<base::Random> random(int core) override;
  std::unique_ptr<Poller> poller() override;
  std::unique_ptr<Offload> offload() override;
  void adjust(CoreOptions& options) override;
  void wait_for(const std::function<bool()>& ready) override;

  void turn_begins(Core& core) override { scheduler_.arrange(core); }
  void step_begins(Core& core, Cell& cell, StepKind kind, std::string_view what, ActorId sender) override;
  void step_ends(Core& core, Cell& cell) override;
  void dropped(Core& core, const Envelope& envelope, Drop reason) override;
  bool takes_batch(Core& from, Core& to) override;

  void begin_system();
  bool step();
  std::optional<Instant> next_timer();
  /// Moves the clock to a timer's time, or as much past it as the faults want; not past `end`.
  void move_to(Instant timer, Instant end);
  void pass(Duration duration) noexcept { clock_.advance(duration); }

  const Seed seed_;
  const WorldOptions options_;
  base::ManualClock clock_;
  base::SeededRandom random_;
  base::SeededRandom fault_random_;
  const std::shared_ptr<Faults> faults_;  // the disk and the journal see their parts of it
  SimulatedDisk disk_;
  Scheduler scheduler_;
  std::unique_ptr<Trace> own_trace_;
  Trace* trace_;
  const int exceptions_;  // under way when this began
  std::vector<OpenStep> open_steps_;
  std::vector<Core*> ready_;
  std::uint64_t work_at_rest_ = 0;  // turns, and steps where they are observed, since time moved on last
  std::vector<std::string> reports_;
  std::unique_ptr<System> system_;
};

}  // namespace troupe::actor::test

#include "troupe/actor/sim/probe.h"
