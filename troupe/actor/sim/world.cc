// See world.h.
#include "troupe/actor/sim/world.h"

#include "troupe/base/check.h"
#include "troupe/base/log.h"

namespace troupe::actor::test {
namespace {

/// A job that waits for its seeded moment. It frees itself when it has run.
struct LaterJob : TimerNode {
  LaterJob(std::move_only_function<void()> j, std::vector<std::unique_ptr<LaterJob>>& o)
      : TimerNode(run), job(std::move(j)), owner(o) {}
  static void run(TimerNode& node) noexcept {
    auto& self = static_cast<LaterJob&>(node);
    auto job = std::move(self.job);
    std::erase_if(self.owner, [&](const auto& held) { return held.get() == &self; });
    job();
  }
  std::move_only_function<void()> job;
  std::vector<std::unique_ptr<LaterJob>>& owner;
};

class SimulatedOffload final : public Offload {
 public:
  explicit SimulatedOffload(base::Random& random) : random_(random) {}
  bool submit(Core& from, std::move_only_function<void()> job) override {
    auto& later = jobs_.emplace_back(std::make_unique<LaterJob>(std::move(job), jobs_));
    from.timers().arm(*later, from.now() + std::chrono::milliseconds{1 + random_.below(5)});
    return true;
  }

 private:
  base::Random& random_;
  std::vector<std::unique_ptr<LaterJob>> jobs_;
};

}  // namespace

World::World(std::uint64_t seed, WorldOptions options) : seed_(seed), random_(seed) {
  system_ = std::make_unique<System>(SystemOptions{
      .cores = options.cores,
      .supervision = options.supervision,
      .report =
          [this, print = options.print_reports](const std::string& line) {
            if (print) base::log::warning("world", line);
            reports_.push_back(line);
          },
      .environment = this,
  });
}

World::~World() {
  system_->shutdown();
  system_.reset();
}

std::unique_ptr<base::Random> World::random(int core) {
  return std::make_unique<base::SeededRandom>(seed_ * 1000003 + static_cast<std::uint64_t>(core) + 1);
}
std::unique_ptr<Poller> World::poller() { return simulated_poller(); }
std::unique_ptr<Offload> World::offload() { return std::make_unique<SimulatedOffload>(random_); }

bool World::step() {
  std::vector<Core*> ready;
  for (std::size_t i = 0; i < system_->core_count(); ++i) {
    if (system_->core(i).has_work()) ready.push_back(&system_->core(i));
  }
  if (ready.empty()) return false;
  Core& chosen = *ready[random_.below(ready.size())];
  const Core::Scope scope{chosen};
  const int messages = static_cast<int>(1 + random_.below(16));
  chosen.turn({.messages = messages, .time = std::chrono::hours{1}}, false);
  return true;
}

std::optional<Instant> World::next_timer() {
  std::optional<Instant> first;
  for (std::size_t i = 0; i < system_->core_count(); ++i) {
    const auto next = system_->core(i).timers().next();
    if (next && (!first || *next < *first)) first = next;
  }
  return first;
}

void World::run_until_idle() {
  while (step()) {
  }
}

void World::advance(Duration by) {
  const Instant end = clock_.now() + by;
  run_until_idle();
  for (auto next = next_timer(); next && *next <= end; next = next_timer()) {
    if (*next > clock_.now()) clock_.advance(*next - clock_.now());
    run_until_idle();
  }
  clock_.advance(end - clock_.now());
  run_until_idle();
}

void World::wait_for(const std::function<bool()>& ready) {
  while (!ready()) {
    if (step()) continue;
    const auto next = next_timer();
    INVARIANT(next.has_value(), "nothing can run and no timer is armed: what is waited for never happens");
    if (*next > clock_.now()) clock_.advance(*next - clock_.now());
  }
}

}  // namespace troupe::actor::test
