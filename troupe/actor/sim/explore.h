// explore: a scenario under many schedules, each of which is a function of its seed.
//
//   test::explore(1000, [](test::World& w) {
//     auto a = w.spawn<Counter>({}, 0);
//     a.tell(Inc{});
//     w.run_until_idle();
//   });
//
// Each seed is run twice, and the two runs must be the same to the last step. The first seed
// that fails (an exception, a failed check, an ask without an outcome, a broken invariant, a
// sanitizer's report) is printed with the chart of its last steps and the command that
// repeats it, and ends the exploration. TROUPE_SEED=n runs that seed alone, in the first
// exploration of each test, and prints its chart; n/2 in the second, and who names one that
// there is not is told so. Under `./dev prove` TROUPE_SLICE=n runs other seeds, and more of
// them.
//
// What must have happened in some schedule, or the scenario would show nothing, is checked by
// `over_all` (a third argument, a function), which a replay of one seed leaves out.
#pragma once

#include <concepts>
#include <functional>
#include <stdexcept>

#include "troupe/actor/sim/world.h"

namespace troupe::actor::test {

struct ExploreOptions {
  std::size_t schedules = 100;        // none would show nothing: that stops the process
  std::size_t schedules_proof = 500;  // in each of prove's slices, of which there are twenty
  std::uint64_t first_seed = 1;
  WorldOptions world{};    // for scenarios that are given a World
  Duration settle = 10s;   // longer than an ask waits; then none may be open
  bool open_asks = false;  // whether asks may be open then, for scenarios whose asks wait longer
};

/// Thrown where a run does not repeat, a check has failed or an ask has no outcome. What a scenario throws passes
/// through.
class ExploreFailure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// For scenarios that make their own world from the seed: `[](test::Seed seed) { RealtimeWorld w{{}, seed}; ... }`.
void explore(const ExploreOptions& options, const std::function<void(Seed)>& scenario,
             const std::function<void()>& over_all = {});

namespace detail {

void explore_world(const ExploreOptions& options, const std::function<void(World&)>& scenario,
                   const std::function<void()>& over_all);

/// The trace whose chart is printed when the process dies of a broken invariant. The last one watched counts.
void watch(Trace& trace);
void unwatch(const Trace& trace) noexcept;

}  // namespace detail

template <std::invocable<World&> Scenario>
void explore(const ExploreOptions& options, Scenario scenario, const std::function<void()>& over_all = {}) {
  detail::explore_world(options, std::move(scenario), over_all);
}

template <class Scenario>
  requires std::invocable<Scenario, World&> || std::invocable<Scenario, Seed>
void explore(std::size_t schedules, Scenario scenario, const std::function<void()>& over_all = {}) {
  explore(ExploreOptions{.schedules = schedules}, std::move(scenario), over_all);
}

}  // namespace troupe::actor::test
