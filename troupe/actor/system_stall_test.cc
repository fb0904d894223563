// Stalls: an actor that holds its core is named while it still does, with its message, and again when it lets go.
#include <doctest/doctest.h>

#include <atomic>
#include <mutex>

#include "troupe/actor/sim/world.h"

using namespace troupe::actor;
namespace base = troupe::base;
using namespace std::chrono_literals;

namespace {

/// The lines of a report; a handler that spins until it stands there cannot be too quick for the watchdog.
struct Report {
  std::mutex mutex;
  std::vector<std::string> lines;
  std::atomic<int> count{0};
  void add(const std::string& line) {
    const std::lock_guard lock{mutex};
    lines.push_back(line);
    ++count;
  }
  std::vector<std::string> take() {
    const std::lock_guard lock{mutex};
    return std::exchange(lines, {});
  }
};
using Shared = std::shared_ptr<Report>;

struct Spin {
  using reply = int;
};
struct SpinAfterAwait {
  using reply = int;
};
struct Ping {
  using reply = int;
};

class Spinner {
 public:
  explicit Spinner(Shared report) : report_(std::move(report)) {}
  int handle(Spin) { return spin(); }
  Task<int> handle(SpinAfterAwait, Context& ctx) {
    co_await ctx.sleep(1ms);
    co_return spin();
  }
  int handle(Ping) { return 1; }

 private:
  int spin() const {
    const int before = report_->count;
    while (report_->count == before) std::this_thread::yield();
    return 1;
  }
  Shared report_;
};

std::uint64_t stalls(System& system) {
  std::uint64_t sum = 0;
  for (const auto& figures : figures_of(system)) sum += figures.stalled;
  return sum;
}

}  // namespace

TEST_CASE("an actor that holds its core is reported while it does, and with its path once the core is free") {
  Shared report = std::make_shared<Report>();
  System system{{.cores = 2, .stall_limit = 20ms, .report = [report](const std::string& line) { report->add(line); }}};
  auto spinner = system.spawn<Spinner>({.name = "spinner"}, report);

  CHECK_EQ(system.block_on(spinner.ask(Spin{}, {.within = 1min})).value(), 1);
  CHECK_EQ(system.block_on(spinner.ask(Ping{})).value(), 1);
  auto lines = report->take();
  REQUIRE_EQ(lines.size(), 2);
  CHECK(lines[0].starts_with("core 0 is held for more than 20 ms by the actor 0."));
  CHECK(lines[0].ends_with("(Spinner) with Spin"));
  CHECK(lines[1].starts_with("Spinner(/spinner) held core 0 for "));
  CHECK(lines[1].ends_with(" ms with Spin"));
  CHECK_EQ(stalls(system), 1);

  CHECK_EQ(system.block_on(spinner.ask(SpinAfterAwait{}, {.within = 1min})).value(), 1);
  CHECK_EQ(system.block_on(spinner.ask(Ping{})).value(), 1);
  lines = report->take();
  REQUIRE_EQ(lines.size(), 2);
  CHECK(lines[0].ends_with("(Spinner) with SpinAfterAwait"));
  CHECK_EQ(stalls(system), 2);
}

namespace {

struct SlowStarter {
  explicit SlowStarter(Shared its_report) : report(std::move(its_report)) {}
  void started(Context&) const {
    const int before = report->count;
    while (report->count == before) std::this_thread::yield();
  }
  int handle(Ping) const { return 1; }
  Shared report;
};

}  // namespace

TEST_CASE("a start that holds its core is named as such, with the class of its actor") {
  Shared report = std::make_shared<Report>();
  System system{{.cores = 1, .stall_limit = 20ms, .report = [report](const std::string& line) { report->add(line); }}};
  auto starter = system.spawn<SlowStarter>({.name = "slow"}, report);
  CHECK_EQ(system.block_on(starter.ask(Ping{}, {.within = 1min})).value(), 1);
  CHECK_EQ(system.block_on(starter.ask(Ping{})).value(), 1);
  auto lines = report->take();
  REQUIRE_EQ(lines.size(), 2);
  CHECK(lines[0].ends_with("(SlowStarter) with its start"));
  CHECK(lines[1].starts_with("SlowStarter(/slow) held core 0 for "));
  CHECK(lines[1].ends_with(" ms with its start"));
  CHECK_EQ(stalls(system), 1);
}

TEST_CASE("where all cores sleep the watchdog does too, and wakes with them") {
  Shared report = std::make_shared<Report>();
  System system{{.cores = 2, .stall_limit = 4ms, .report = [report](const std::string& line) { report->add(line); }}};
  auto spinner = system.spawn<Spinner>({.name = "spinner"}, report);
  for (int i = 0; i < 3; ++i) {
    while (!system.bell().is_asleep()) std::this_thread::yield();
    CHECK_EQ(system.block_on(spinner.ask(Spin{}, {.within = 1min})).value(), 1);  // ends only once it is seen
  }
  CHECK_GE(stalls(system), 3);
}

namespace {

struct Burn {
  Duration time;
};
struct Burner {
  explicit Burner(base::ManualClock* its_clock) : clock(its_clock) {}
  void handle(Burn m) { clock->advance(m.time); }
  base::ManualClock* clock;
};

}  // namespace

TEST_CASE("in a simulated system a handler that takes too much virtual time is named in the same words") {
  test::World w{1};
  auto burner = w.spawn<Burner>({.name = "burner"}, &w.manual_clock());
  burner.tell(Burn{99ms});
  w.run_until_idle();
  CHECK(w.reports().empty());
  burner.tell(Burn{120ms});
  w.run_until_idle();
  CHECK_EQ(w.reports(), std::vector<std::string>{"Burner(/burner) held core 0 for 120 ms with Burn"});
  CHECK_EQ(stalls(w.system()), 1);
}
