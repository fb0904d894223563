// See world.h.
#include "troupe/actor/sim/world.h"

#include <fmt/format.h>

#include "troupe/actor/persist/memory_journal.h"
#include "troupe/actor/sim/explore.h"
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
  SimulatedOffload(base::Random& random, const Faults& faults) : random_(random), faults_(faults) {}
  bool submit(Core& from, std::move_only_function<void()> job) override {
    if (faults_.job_refused.hit(random_)) return false;
    auto& later = jobs_.emplace_back(std::make_unique<LaterJob>(std::move(job), jobs_));
    const auto range = std::max<std::int64_t>(1, faults_.job_delay_max / 1ms);
    from.timers().arm(*later,
                      from.now() + std::chrono::milliseconds{1 + random_.below(static_cast<std::uint64_t>(range))});
    return true;
  }

 private:
  base::Random& random_;
  const Faults& faults_;
  std::vector<std::unique_ptr<LaterJob>> jobs_;
};

Duration below(base::Random& random, Duration bound) {
  if (bound <= Duration::zero()) return Duration::zero();
  return Duration{static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(bound.count())))};
}

ActorId target_of(const Envelope& envelope) noexcept {
  if (envelope.target == nullptr) return {};
  return lifecycle::id_of(Address{envelope.target, envelope.generation});
}

}  // namespace

World::World(Seed seed, WorldOptions options)
    : seed_(seed),
      options_(std::move(options)),
      random_(seed.number),
      fault_random_(seed.number + 0xfa017),
      faults_(std::make_shared<Faults>(options_.faults)),
      disk_(seed.number + 0xd15c, {faults_, &faults_->disk}),
      scheduler_(seed),
      own_trace_(seed.trace == nullptr ? std::make_unique<Trace>(options_.steps_kept) : nullptr),
      trace_(seed.trace != nullptr ? seed.trace : own_trace_.get()),
      exceptions_(std::uncaught_exceptions()) {
  detail::watch(*trace_);
  begin_system();
}

World::~World() {
  if (std::uncaught_exceptions() > exceptions_) trace_->mark();
  system_->shutdown();
  system_.reset();
  detail::unwatch(*trace_);
}

void World::begin_system() {
  system_ = std::make_unique<System>(SystemOptions{
      .cores = options_.cores,
      .supervision = options_.supervision,
      .report =
          [this](const std::string& line) {
            if (options_.print_reports) base::log::warning("world", line);
            trace_->note(clock_.now(), line);
            reports_.push_back(line);
          },
      .bus = options_.bus,
      .environment = this,
  });
}

void World::crash() {
  trace_->note(clock_.now(), "the system crashes");
  disk_.crash();  // first: what dying actors still write is lost
  system_->crash();
  system_.reset();
  begin_system();
}

std::shared_ptr<Journal> World::start_journal() {
  auto journal = MemoryJournal::start(*this, {.disk = disk_, .faults = {faults_, &faults_->journal}});
  system_->provide<Journal>(journal);
  return journal;
}

// ---- the system's surroundings ----

std::unique_ptr<base::Random> World::random(int core) {
  return std::make_unique<base::SeededRandom>(seed_.number * 1000003 + static_cast<std::uint64_t>(core) + 1);
}
std::unique_ptr<Poller> World::poller() { return simulated_poller(); }
std::unique_ptr<Offload> World::offload() { return std::make_unique<SimulatedOffload>(fault_random_, *faults_); }

void World::adjust(CoreOptions& core) {
  core.lane_limit = faults_->lane_messages_max;
  if (options_.steps_kept > 0) core.observer = this;
}

// ---- what is seen of each step ----

void World::step_begins(Core& core, Cell& cell, StepKind kind, std::string_view what, ActorId sender) {
  ++work_at_rest_;
  trace_->name(cell);
  const std::size_t number = trace_->add({.at = clock_.now(),
                                          .from = sender,
                                          .to = id_of(cell),
                                          .what = what,
                                          .core = static_cast<std::uint8_t>(core.index()),
                                          .kind = kind});
  open_steps_.push_back(
      {number, sender, cell.extras ? cell.extras->errors : 0, cell.in_flight, cell.address(), clock_.now()});
}

void World::step_ends(Core& core, Cell& cell) {
  const OpenStep open = open_steps_.back();
  open_steps_.pop_back();
  if (TraceStep* step = trace_->find(open.number)) {
    const bool same = id_of(cell) == step->to && cell.state != CellState::free;
    if (!same) {
      step->outcome = StepOutcome::ended;
    } else if (cell.extras && cell.extras->errors > open.errors) {
      step->outcome = StepOutcome::threw;
    } else if (step->kind == StepKind::resumption) {
      step->outcome = cell.in_flight >= open.in_flight ? StepOutcome::went_on : StepOutcome::handled;
    } else {
      step->outcome = cell.in_flight > open.in_flight ? StepOutcome::waits : StepOutcome::handled;
    }
    if (same) trace_->name(cell);
    trace_->seal(open.number);
    if (step->kind == StepKind::control) return;
  }
  pass(options_.cost_per_message);
  if (faults_->stall.hit(fault_random_)) pass(below(fault_random_, faults_->stall_max));
  look_for_stall(core, open);
}

void World::look_for_stall(Core& core, const OpenStep& step) {
  const Duration held = clock_.now() - step.begun;
  if (held < options_.stall_limit) return;
  Watchdog::count(core, core.doing());
  if (system_ == nullptr) return;  // its own actors start while it is being made, and nobody listens yet
  system_->report(Watchdog::describe(core, step.actor, core.doing(), held));
}

void World::dropped(Core& core, const Envelope& envelope, Drop reason) {
  trace_->seal(trace_->add({.at = clock_.now(),
                            .from = envelope.sender,
                            .to = target_of(envelope),
                            .what = envelope.handler->message,
                            .core = static_cast<std::uint8_t>(core.index()),
                            .kind = envelope.handler->runtime ? StepKind::control : StepKind::message,
                            .outcome = StepOutcome::dropped,
                            .reason = reason}));
}

bool World::takes_batch(Core&, Core&) {
  if (!faults_->ring_full.hit(fault_random_)) return true;
  pass(10us);  // who offers it again and again takes time about it
  return false;
}

ActorId World::sender() const noexcept { return open_steps_.empty() ? ActorId{} : open_steps_.back().sender; }

std::size_t World::open_asks() const noexcept {
  std::size_t count = 0;
  for (std::size_t i = 0; i < system_->core_count(); ++i) count += system_->core(i).open_asks();
  return count;
}

// ---- the run ----

bool World::step() {
  ready_.clear();
  for (std::size_t i = 0; i < system_->core_count(); ++i) {
    if (system_->core(i).has_work()) ready_.push_back(&system_->core(i));
  }
  if (ready_.empty()) return false;
  INVARIANT(++work_at_rest_ <= options_.work_at_rest_max,
            fmt::format("the actors of this world never come to rest: {}; a world with more work than {} turns and "
                        "steps at one moment says so in WorldOptions::work_at_rest_max",
                        trace_->busiest(), options_.work_at_rest_max)
                .c_str());
  const Scheduler::Turn turn = scheduler_.next(ready_);
  const Core::Scope scope{*turn.core};
  turn.core->turn(turn.limits, false);
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

void World::move_to(Instant timer, Instant end) {
  work_at_rest_ = 0;
  const Instant late = std::min(timer + below(fault_random_, faults_->timer_delay_max), end);
  if (late > clock_.now()) clock_.advance(late - clock_.now());
}

bool World::run(std::uint64_t turns) {
  while (turns > 0 && step()) --turns;
  return turns == 0;
}

void World::run_until_idle() {
  while (step()) {
  }
}

void World::advance(Duration by) {
  const Instant end = clock_.now() + by;
  run_until_idle();
  for (auto next = next_timer(); next && *next <= end; next = next_timer()) {
    move_to(*next, end);
    run_until_idle();
  }
  move_to(end, end);
  run_until_idle();
}

bool World::run_until(const std::function<bool()>& ready, Duration within) {
  const Instant end = clock_.now() + within;
  while (!ready()) {
    if (step()) continue;
    const auto next = next_timer();
    if (!next || *next > end) {
      move_to(end, end);
      run_until_idle();
      return ready();
    }
    move_to(*next, end);
  }
  return true;
}

void World::wait_for(const std::function<bool()>& ready) {
  while (!ready()) {
    if (step()) continue;
    const auto next = next_timer();
    INVARIANT(next.has_value(), "nothing can run and no timer is armed: what is waited for never happens");
    move_to(*next, Instant::never());
  }
}

}  // namespace troupe::actor::test
