// overload: an actor is offered twice what it can do, for as long as it takes. Prints one JSON line a slice and figure:
// goodput (the share of its capacity that it still delivers), the 99th percentile of the time that delivered work
// waited, and how long a control message took past the same full mailbox.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>

#include "bench/support/cpu.h"
#include "troupe/actor/actor.h"

namespace {

using namespace std::chrono_literals;
using namespace troupe;
using namespace troupe::actor;
using base::Instant;
using bench::now;

constexpr auto job_takes = 20us;            // of the worker's core
constexpr auto offer_every = 1ms;           // a batch of jobs
constexpr int offered_a_batch = 100;        // 2 x 1 ms / 20 us
constexpr std::uint32_t mailbox_max = 256;  // so the oldest job waits about 5 ms

struct Job {
  Instant at;
};
struct Probe {
  static constexpr auto message_class = MessageClass::control;  // never dropped
  static constexpr auto priority = Priority::high;              // before all that waits
  Instant at;
};
struct Report {
  std::vector<base::Duration> waited;
  std::vector<base::Duration> probes;
};
struct GetReport {
  static constexpr auto message_class = MessageClass::control;  // never evicted
  using reply = Report;
};
struct Tick {};
struct Stop {};

class Worker {
 public:
  void handle(Job job) {
    report_.waited.push_back(now() - job.at);
    for (const auto end = now() + job_takes; now() < end;) continue;
  }
  void handle(Probe probe) { report_.probes.push_back(now() - probe.at); }
  Report handle(GetReport) { return std::exchange(report_, {}); }

 private:
  Report report_;
};

class Offerer {
 public:
  explicit Offerer(Ref<Worker> worker) : worker_(worker) {}
  void started(Context& ctx) { ctx.every(this, "offer", offer_every, Tick{}); }
  void handle(Tick) {
    for (int i = 0; i < offered_a_batch; ++i) worker_.tell(Job{now()});
    worker_.tell(Probe{now()});
  }
  void handle(Stop, Context& ctx) { ctx.stop(); }

 private:
  Ref<Worker> worker_;
};

double percentile_us(std::vector<base::Duration> values, double share) {
  if (values.empty()) return -1;
  std::sort(values.begin(), values.end());
  const auto at = std::min(values.size() - 1, static_cast<std::size_t>(share * static_cast<double>(values.size())));
  return static_cast<double>(values[at].count()) / 1000;
}

void run(const char* name, Overflow overflow, bool across, std::size_t slices) {
  System system{{.cores = 2}};
  const auto worker =
      system.spawn<Worker>({.name = "worker",
                            .core = across ? 1 : 0,
                            .mailbox = {.capacity = mailbox_max, .overflow = overflow, .priorities = true}});
  const auto offerer = system.spawn<Offerer>({.name = "offerer", .core = 0}, worker);
  const auto slice = 500ms;
  for (std::size_t i = 0; i <= slices; ++i) {
    const auto begin = now();
    system.block_on([](base::Duration time) -> Task<void> { co_await sleep(time); }(slice));
    auto report = system.block_on(worker.ask(GetReport{}, {.within = 1min}));
    const auto took = now() - begin;
    if (!report) throw std::runtime_error(report.error().what);
    if (i == 0) continue;  // the mailbox fills
    const double capacity = static_cast<double>(took.count()) / static_cast<double>(base::Duration{job_takes}.count());
    const auto print = [&](const char* what, const char* unit, double value) {
      fmt::print("{{\"case\":\"{}, {}, {}\",\"unit\":\"{}\",\"value\":{:.3f}}}\n", name,
                 across ? "two cores" : "one core", what, unit, value);
    };
    print("goodput", "share", static_cast<double>(report->waited.size()) / capacity);
    print("p99 of waiting", "us", percentile_us(report->waited, 0.99));
    print("p99 of control", "us", percentile_us(report->probes, 0.99));
  }
  offerer.tell(Stop{});
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  std::size_t slices = 10;
  CLI::App app{"Twice the capacity offered to one actor."};
  app.add_option("--slices", slices)->check(CLI::Range(1, 1000));
  CLI11_PARSE(app, argc, argv);
  for (const bool across : {true, false}) {
    run("drop_oldest", Overflow::drop_oldest, across, slices);
    run("drop_newest", Overflow::drop_newest, across, slices);
  }
}
