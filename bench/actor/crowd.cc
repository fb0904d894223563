// crowd: a million actors that live at once on two cores: what each takes of resident memory with its object, and how
// long all of them need to start, and to answer one ask each. Prints one JSON line a figure.
#include <fmt/format.h>
#include <unistd.h>
#include <CLI/CLI.hpp>

#include <cstdio>
#include <fstream>

#include "troupe/actor/actor.h"

namespace {

using namespace std::chrono_literals;
using namespace troupe;
using namespace troupe::actor;

struct Count {
  using reply = int;
};
struct Hatch {
  int count;
  using reply = Duration;
};
struct AskAll {
  using reply = Duration;
};

class Idler {
 public:
  int handle(Count) { return ++asked_; }

 private:
  int asked_ = 0;
};

class Nest {
 public:
  Duration handle(Hatch hatch, Context& ctx) {
    const Instant begun = ctx.core().read_clock();
    all_.reserve(static_cast<std::size_t>(hatch.count));
    for (int i = 0; i < hatch.count; ++i) all_.push_back(ctx.spawn<Idler>({}));
    return ctx.core().read_clock() - begun;
  }
  Task<Duration> handle(AskAll, Context& ctx) {
    const Instant begun = ctx.now();
    for (const auto& idler : all_) {
      const auto answer = co_await idler.ask(Count{});
      if (!answer) throw std::runtime_error(answer.error().what);
    }
    co_return ctx.now() - begun;
  }

 private:
  std::vector<Ref<Idler>> all_;
};

std::size_t resident_bytes() {
  std::size_t all = 0;
  std::size_t resident = 0;
  std::ifstream{"/proc/self/statm"} >> all >> resident;
  return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace

int main(int argc, char** argv) {
  int actors = 1'000'000;
  CLI::App app{"As many idle actors as are asked for, on two cores."};
  app.add_option("--actors", actors)->check(CLI::Range(2, 100'000'000));
  CLI11_PARSE(app, argc, argv);

  System system{{.cores = 2, .stall_limit = 0ms}};  // a nest is filled in one message
  const Ref<Nest> nests[] = {system.spawn<Nest>({.core = 0}), system.spawn<Nest>({.core = 1})};
  const auto each = [&](auto message) {
    Duration sum{};
    for (const auto& nest : nests) sum += system.block_on(nest.ask(message, {.within = 5min})).value();
    return static_cast<double>(sum.count()) / actors;
  };
  each(Hatch{1});  // what the first one costs is not counted
  const std::size_t before = resident_bytes();
  const double started = each(Hatch{actors / 2});
  const auto bytes = static_cast<double>(resident_bytes() - before) / actors;
  const double asked = each(AskAll{});

  const auto print = [&](const char* what, const char* unit, double value) {
    fmt::print("{{\"case\":\"{} idle actors, {}\",\"unit\":\"{}\",\"value\":{:.6f}}}\n", actors, what, unit, value);
  };
  print("each with its object and a reference", "bytes", bytes);
  print("to start each", "ns", started);
  print("to ask each", "ns", asked);
}
