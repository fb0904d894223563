// busy: how long an ask takes to a core that always has other user messages to handle, beside a floor that asks a
// thread as busy as that over bare rings. Prints one JSON line a slice, side and percentile.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>
#include <thread>

#include "bench/floor/queue.h"
#include "bench/support/cpu.h"
#include "troupe/actor/actor.h"

namespace {

using namespace std::chrono_literals;
using namespace troupe;
using namespace troupe::actor;
using bench::now;
using bench::spin;

constexpr auto message_takes = 1us;  // each of the other messages, of the asked core
constexpr int lines[] = {16, 64};    // so many actors handle them in turn
constexpr auto pause_max = 500us;    // between asks, so that they meet a turn at any point of it

struct Grind {};
struct Stop {};
struct Get {
  using reply = int;
};
struct Run {
  std::size_t count;
  using reply = std::vector<base::Duration>;
};

class Grinder {
 public:
  void handle(Grind, Context& ctx) {
    spin(message_takes);
    ctx.self(this).tell(Grind{});
  }
  void handle(Stop, Context& ctx) { ctx.stop(); }
};

class Answerer {
 public:
  int handle(Get) { return 1; }
};

class Asker {
 public:
  explicit Asker(Ref<Answerer> whom) : whom_(whom) {}
  Task<std::vector<base::Duration>> handle(Run run) {
    std::vector<base::Duration> took;
    for (std::size_t i = 0; i < run.count; ++i) {
      spin(bench::pause(pause_max));
      const auto begin = now();
      auto answer = co_await whom_.ask(Get{});
      if (!answer) throw std::runtime_error(answer.error().what);
      took.push_back(now() - begin);
    }
    co_return took;
  }

 private:
  Ref<Answerer> whom_;
};

void print(int grinders, const char* side, std::vector<base::Duration> took) {
  std::sort(took.begin(), took.end());
  for (const auto& [name, share] : {std::pair{"p50", 0.50}, std::pair{"p99", 0.99}}) {
    const auto at = static_cast<std::size_t>(share * static_cast<double>(took.size()));
    fmt::print("{{\"case\":\"ask a core busy with {}, {}\",\"side\":\"{}\",\"units\":1,\"wall_ns\":{}}}\n", grinders,
               name, side, took[at].count());
  }
  std::fflush(stdout);
}

void measure(int grinders, std::size_t asks) {
  // On a thread of its own: what main started after it was pinned would share its core.
  std::thread{[&] {
    bench::pin_to(0);
    print(grinders, "floor", bench::run_busy_exchange(asks, 1, message_takes, pause_max));
  }}.join();
  System system{{.cores = 2}};
  const auto answerer = system.spawn<Answerer>({.name = "answerer", .core = 1});
  const auto asker = system.spawn<Asker>({.name = "asker", .core = 0}, answerer);
  for (int i = 0; i < grinders; ++i) system.spawn<Grinder>({.core = 1}).tell(Grind{});
  auto took = system.block_on(asker.ask(Run{asks}, {.within = 5min}));
  if (!took) throw std::runtime_error(took.error().what);
  print(grinders, "troupe", std::move(*took));
}

}  // namespace

int main(int argc, char** argv) {
  std::size_t slices = 10;
  CLI::App app{"Asks of a core that is busy with other messages."};
  app.add_option("--slices", slices)->check(CLI::Range(1, 1000));
  CLI11_PARSE(app, argc, argv);

  constexpr std::size_t asks = 1000;
  for (std::size_t slice = 0; slice < slices; ++slice) {
    for (const int grinders : lines) measure(grinders, asks);
  }
}
