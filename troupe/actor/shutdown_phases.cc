// See shutdown_phases.h.
#include "troupe/actor/shutdown_phases.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>

namespace troupe::actor {
namespace {

using Order = std::vector<std::vector<std::size_t>>;

/// The names of the phases that wait for each other; empty: there is no such circle.
std::vector<std::string> circle_in(const Order& order, const std::vector<ShutdownPhase>& phases) {
  std::vector<bool> over(phases.size(), false);
  for (bool progress = true; progress;) {
    progress = false;
    for (std::size_t i = 0; i < phases.size(); ++i) {
      if (over[i] || !std::all_of(order[i].begin(), order[i].end(), [&](auto other) { return over[other]; })) continue;
      over[i] = progress = true;
    }
  }
  std::vector<std::string> names;
  for (std::size_t i = 0; i < phases.size(); ++i) {
    if (!over[i]) names.push_back(phases[i].name);
  }
  return names;
}

/// Says that they are over, also where the task that holds it ends sooner: the system then ends without them.
class Said {
 public:
  explicit Said(std::function<void()> done) noexcept : done_(std::move(done)) {}
  Said(Said&& other) noexcept : done_(std::exchange(other.done_, nullptr)) {}
  Said& operator=(Said&&) = delete;
  ~Said() {
    if (done_) done_();
  }

 private:
  std::function<void()> done_;
};

}  // namespace

std::string_view name_of(PhaseState state) noexcept {
  switch (state) {
    case PhaseState::waiting:
      return "waiting";
    case PhaseState::running:
      return "running";
    case PhaseState::done:
      return "done";
    case PhaseState::failed:
      return "failed";
    case PhaseState::timed_out:
      return "timed out";
  }
  return "";
}

std::expected<Order, std::string> order_of(const std::vector<ShutdownPhase>& phases) {
  std::map<std::string_view, std::size_t> numbers;
  for (std::size_t i = 0; i < phases.size(); ++i) {
    if (!numbers.emplace(phases[i].name, i).second)
      return std::unexpected(fmt::format("two shutdown phases are called {}", phases[i].name));
  }
  Order order(phases.size());
  for (std::size_t i = 0; i < phases.size(); ++i) {
    for (const auto* names : {&phases[i].after, &phases[i].before}) {
      for (const auto& name : *names) {
        const auto other = numbers.find(name);
        if (other == numbers.end())
          return std::unexpected(
              fmt::format("the shutdown phase {} names {}, which nobody added", phases[i].name, name));
        const bool after = names == &phases[i].after;
        order[after ? i : other->second].push_back(after ? other->second : i);
      }
    }
  }
  const auto circle = circle_in(order, phases);
  if (!circle.empty()) {
    return std::unexpected(fmt::format("shutdown phases wait for each other: {}", fmt::join(circle, ", ")));
  }
  return order;
}

// ---- the value ----

void ShutdownPhases::add(ShutdownPhase phase, std::function<Task<void>()> task) const {
  system_->count_phase(phase.timeout);
  sequence_.tell(AddPhase{std::move(phase), std::move(task)});
}

void ShutdownPhases::begin(std::function<void()> done) const {
  for (std::size_t i = 0; i < system_->core_count(); ++i) system_->core(i).narrow_inbox(InboxLimit::Ending::phases);
  system_->run_awaited([](Ref<ShutdownSequence> sequence, Said) -> Task<void> {
    auto over = co_await sequence.ask(RunPhases{}, {.within = std::chrono::hours{24}});
    (void)over;
  }(sequence_, Said{std::move(done)}));
}

AskAwaiter<GetProgress> ShutdownPhases::progress() const { return sequence_.ask(GetProgress{}); }

// ---- the actor ----

void ShutdownSequence::handle(AddPhase message) {
  INVARIANT(!begun_, "a shutdown phase is added before the shutdown begins");
  steps_.push_back({.phase = std::move(message.phase), .task = std::move(message.task)});
}

void ShutdownSequence::handle(const RunPhases&, Reply<void> reply, Context& context) {
  waiting_.push_back(std::move(reply));
  if (!std::exchange(begun_, true)) {
    std::vector<ShutdownPhase> phases;
    for (const auto& step : steps_) phases.push_back(step.phase);
    auto order = order_of(phases);
    INVARIANT(order.has_value(), order.error().c_str());
    waits_for_ = *std::move(order);
  }
  start_what_can(context);
}

bool ShutdownSequence::is_over(std::size_t index) const noexcept {
  return steps_[index].state != PhaseState::waiting && steps_[index].state != PhaseState::running;
}

void ShutdownSequence::start_what_can(Context& context) {
  std::size_t over = 0;
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    Step& step = steps_[i];
    over += is_over(i) ? 1 : 0;
    const auto& others = waits_for_[i];
    const bool may = std::all_of(others.begin(), others.end(), [this](auto other) { return is_over(other); });
    if (step.state != PhaseState::waiting || !may) continue;
    step.state = PhaseState::running;
    step.from = context.now();
    context.after(this, fmt::format("phase {}", i), step.phase.timeout, PhaseTimedOut{i});
    context.self(this).tell(StartPhase{i});
  }
  if (over < steps_.size()) return;
  for (auto& reply : std::exchange(waiting_, {})) reply.set();
}

Task<void> ShutdownSequence::handle(StartPhase message, Context& context) {
  std::string why;
  try {
    Task<void> task = steps_[message.index].task();
    co_await std::move(task);
  } catch (...) {
    why = lifecycle::describe(std::current_exception());
    if (why.empty()) why = "it threw";
  }
  end(message.index, why.empty() ? PhaseState::done : PhaseState::failed, why, context);
}

void ShutdownSequence::handle(PhaseTimedOut message, Context& context) {
  end(message.index, PhaseState::timed_out, "it took too long", context);
}

void ShutdownSequence::end(std::size_t index, PhaseState state, std::string_view why, Context& context) {
  Step& step = steps_[index];
  if (is_over(index)) return;  // it came to its end after its time was over
  step.state = state;
  step.until = context.now();
  context.cancel(fmt::format("phase {}", index));
  if (state != PhaseState::done) {
    context.core().host().report(
        fmt::format("the shutdown phase {} {}: {}; the shutdown goes on", step.phase.name, name_of(state), why));
  }
  start_what_can(context);
}

std::vector<PhaseProgress> ShutdownSequence::handle(const GetProgress&) const {
  std::vector<PhaseProgress> all;
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    const Step& step = steps_[i];
    Duration elapsed{};
    if (step.state != PhaseState::waiting) elapsed = (is_over(i) ? step.until : context_->now()) - step.from;
    all.push_back({step.phase.name, step.state, elapsed});
  }
  return all;
}

void ShutdownSequence::inspect(Inspection& out) const {
  for (const auto& [name, state, elapsed] : handle(GetProgress{})) {
    const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(elapsed).count();
    out.add(name, state == PhaseState::waiting ? std::string{name_of(state)}
                                               : fmt::format("{}, {} ms", name_of(state), milliseconds));
  }
}

}  // namespace troupe::actor
