// World: an actor system under one thread, virtual time and a seed, for tests.
//
// The runtime is the real one; what is simulated is its surroundings: the clock moves only
// when nothing can run, random numbers come from the seed, blocking jobs run at seeded times,
// and which core takes its turn, and how long, is drawn from the seed. The same seed gives
// the same run.
#pragma once

#include <memory>

#include "troupe/actor/actor.h"
#include "troupe/base/clock.h"

namespace troupe::actor::test {

struct WorldOptions {
  int cores = 2;
  Supervision supervision{};
  bool print_reports = false;  // faults are expected in tests; they are kept either way
};

class World final : Environment {
 public:
  explicit World(std::uint64_t seed, WorldOptions options = {});
  World(const World&) = delete;
  World& operator=(const World&) = delete;
  ~World() override;

  template <class A, class... Args>
  Ref<A> spawn(ActorOptions options, Args... args) {
    return system_->spawn<A>(std::move(options), std::move(args)...);
  }

  /// Runs until nothing can run without time moving on.
  void run_until_idle();
  /// Lets `by` pass, running everything that falls due.
  void advance(Duration by);
  /// Runs an ask or a task, letting as much time pass as it needs; what was told before has been handled by then.
  /// Fails an invariant if it can never end.
  template <class Awaitable>
  auto block_on(Awaitable awaitable) {
    run_until_idle();
    return system_->block_on(std::move(awaitable));
  }

  base::ManualClock& manual_clock() noexcept { return clock_; }
  base::Random& random() noexcept { return random_; }
  System& system() noexcept { return *system_; }
  Core& core(std::size_t index) noexcept { return system_->core(index); }
  /// What the system reported: faults, and what was decided.
  const std::vector<std::string>& reports() const noexcept { return reports_; }
  void shutdown() { system_->shutdown(); }

 private:
  base::Clock& clock() override { return clock_; }
  std::unique_ptr<base::Random> random(int core) override;
  std::unique_ptr<Poller> poller() override;
  std::unique_ptr<Offload> offload() override;
  void wait_for(const std::function<bool()>& ready) override;

  bool step();
  std::optional<Instant> next_timer();

  const std::uint64_t seed_;
  base::ManualClock clock_;
  base::SeededRandom random_;
  std::vector<std::string> reports_;
  std::unique_ptr<System> system_;
};

}  // namespace troupe::actor::test
