// idle: what a system costs that has nothing to do: two cores, actors whose timers are hours away. Prints one JSON line
// a figure: the share of one processor, from the ticks of /proc/self/stat, and the same time as the process's own
// clock counts it.
#include <fmt/format.h>
#include <unistd.h>
#include <CLI/CLI.hpp>

#include <cstdio>
#include <fstream>
#include <sstream>
#include <thread>

#include "bench/support/cpu.h"
#include "troupe/actor/actor.h"

namespace {

using namespace std::chrono_literals;
using namespace troupe;
using namespace troupe::actor;

constexpr int actors_each_core = 500;

struct Tick {};

class Sleeper {
 public:
  explicit Sleeper(int number) : number_(number) {}
  void started(Context& ctx) {
    ctx.every(this, "round", 1h + std::chrono::seconds{number_}, Tick{});
    ctx.after(this, 24h, Tick{});
  }
  void handle(Tick) {}

 private:
  int number_;
};

/// User and system time of this process in clock ticks: the 14th and 15th word of its line.
long ticks_used() {
  std::string line;
  std::getline(std::ifstream{"/proc/self/stat"}, line);
  std::istringstream rest{line.substr(line.rfind(')') + 2)};  // the name of the program may hold anything
  std::string word;
  for (int field = 3; field < 14; ++field) rest >> word;
  long user = 0;
  long system = 0;
  rest >> user >> system;
  return user + system;
}

}  // namespace

int main(int argc, char** argv) {
  int seconds = 60;
  CLI::App app{"A system of actors that have nothing to do."};
  app.add_option("--seconds", seconds)->check(CLI::Range(1, 3600));
  CLI11_PARSE(app, argc, argv);

  System system{{.cores = 2}};
  for (int i = 0; i < 2 * actors_each_core; ++i) system.spawn<Sleeper>({.core = i % 2}, i);
  std::this_thread::sleep_for(1s);  // until all have started
  const long ticks_before = ticks_used();
  const auto time_before = bench::cpu_time_of(getpid());
  std::this_thread::sleep_for(std::chrono::seconds{seconds});
  const long ticks = ticks_used() - ticks_before;
  const auto time = bench::cpu_time_of(getpid()) - time_before;

  const auto print = [&](const char* what, const char* unit, double value) {
    fmt::print("{{\"case\":\"two cores, {} actors, {} s, {}\",\"unit\":\"{}\",\"value\":{:.6f}}}\n",
               2 * actors_each_core, seconds, what, unit, value);
  };
  print("/proc/self/stat", "%",
        100.0 * static_cast<double>(ticks) / static_cast<double>(sysconf(_SC_CLK_TCK)) / seconds);
  print("CPU clock", "us", static_cast<double>(time.count()) / 1000);
}
