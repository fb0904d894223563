// See shutdown.h. The work of a phase is a guest of the system, so that its phase may be over before it.
#include "troupe/app/platform/shutdown.h"

#include <algorithm>

#include "troupe/base/log.h"

namespace troupe::app {
namespace {

using namespace std::chrono_literals;

constexpr auto look_every = 10ms;

base::Instant now() { return actor::Core::current()->now(); }

}  // namespace

void Shutdown::add(ShutdownStep step) {
  longest_ += step.phase.timeout;
  longest_hurried_ += step.hurried_within;
  const auto shared = std::make_shared<const ShutdownStep>(std::move(step));
  system_->shutdown_phases().add(shared->phase,
                                 [system = system_, hurry = hurry_, shared] { return run(system, hurry, shared); });
}

void Shutdown::hurry() const {
  system_->run_as_guest([](std::shared_ptr<Hurry> hurry) -> actor::Task<void> {
    hurry->at_once = hurry->since.has_value();
    if (!hurry->since) hurry->since = now();
    co_return;
  }(hurry_));
}

actor::Task<void> Shutdown::run(actor::System* system, std::shared_ptr<const Hurry> hurry, StepPtr step) {
  const base::Instant from = now();
  const auto took_ms = [from] { return (now() - from) / 1ms; };
  base::log::info("app", "shutdown phase begins", {{"phase", step->phase.name}});
  const auto work = std::make_shared<Work>();
  system->run_as_guest(carry_out(step, work));

  for (bool told = false; !work->is_over;) {
    co_await actor::sleep(look_every);
    if (now() - from > step->phase.timeout) co_return;  // the sequence has gone on, and has reported it
    if (work->is_over || !hurry->since) continue;
    if (!std::exchange(told, true) && step->hurry) step->hurry();
    if (!hurry->at_once && now() < std::max(from, *hurry->since) + step->hurried_within) continue;
    base::log::warning("app", "shutdown phase cut short", {{"phase", step->phase.name}, {"took_ms", took_ms()}});
    co_return;
  }
  if (work->error) std::rethrow_exception(work->error);
  base::log::info("app", "shutdown phase over", {{"phase", step->phase.name}, {"took_ms", took_ms()}});
}

actor::Task<void> Shutdown::carry_out(StepPtr step, std::shared_ptr<Work> work) {
  try {
    auto task = step->work();
    co_await std::move(task);
  } catch (...) {
    work->error = std::current_exception();
  }
  work->is_over = true;
}

}  // namespace troupe::app
