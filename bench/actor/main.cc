// actor: what the runtime costs, beside floors (a), (b) and (c) in the same run. Prints one JSON line a slice
// and side; bench/run makes figures of them. Wall time: floor (c), too, waits as long as what stands beside it.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>
#include <functional>

#include "bench/actor/cases.h"
#include "bench/floor/queue.h"

namespace {

using namespace troupe;
using namespace troupe::bench;

struct Case {
  const char* name;
  std::uint64_t units;
  std::function<base::Duration(std::uint64_t)> ours;
  std::function<base::Duration(std::uint64_t)> floor;
  std::uint64_t floor_units = 1 << 20;  // so many that starting the ring's reader does not count
};

void print(std::string_view name, const char* side, std::uint64_t units, base::Duration took) {
  fmt::print(R"({{"case":"{}","side":"{}","units":{},"wall_ns":{}}})"
             "\n",
             name, side, units, took.count());
  std::fflush(stdout);
}

/// Exchanges that wait for each other are told one by one: a mean would count the few that the machine took away.
void print_percentiles(std::string_view name, const char* side, std::vector<base::Duration> took) {
  std::sort(took.begin(), took.end());
  for (const auto& [percentile, share] : {std::pair{"p50", 0.50}, std::pair{"p99", 0.99}}) {
    const auto at = static_cast<std::size_t>(share * static_cast<double>(took.size()));
    print(fmt::format("{}, {}", name, percentile), side, 1, took.at(at));
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::size_t slices = 20;
  std::string only;
  CLI::App app{"Actors beside the floors of this machine."};
  app.add_option("--slices", slices)->check(CLI::Range(1, 1000));
  app.add_option("--case", only, "Only this case, whole: to see with callgrind where its time goes.");
  CLI11_PARSE(app, argc, argv);

  ActorCases actors;
  pin_to(0);
  // Two threads that spin suffer most from whatever else runs; the best of eight rounds is the machine's floor.
  const auto ring = [](std::uint64_t units) {
    base::Duration best = base::Duration::max();
    for (int round = 0; round < 8; ++round) best = std::min(best, 8 * run_ring(units / 8, 1));
    return best;
  };
  const Case cases[] = {
      {"tell, one core", 1 << 20, [&](auto units) { return actors.tell_here(units); }, run_virtual_calls},
      {"tell, two cores", 1 << 20, [&](auto units) { return actors.tell_across(units); }, ring},
      {"ping-pong, one core", 1 << 19, [&](auto units) { return actors.ping_pong(units); }, run_virtual_calls},
      {"ask, one core", 1 << 17, [&](auto units) { return actors.ask_here(units); }, run_virtual_calls},
      {"spawn, one message, stop", 1 << 14, [&](auto units) { return actors.spawn(units); }, run_virtual_calls},
  };
  for (std::size_t slice = 0; slice <= slices; ++slice) {  // the first one warms caches and is not told
    for (const auto& one : cases) {
      if (!only.empty() && only != one.name) continue;
      const auto floor = one.floor(one.floor_units);
      const auto ours = one.ours(one.units);
      if (slice == 0) continue;
      print(one.name, "floor", one.floor_units, floor);
      print(one.name, "troupe", one.units, ours);
    }
    constexpr std::string_view ask_across = "ask, two cores";
    if (!only.empty() && only != ask_across) continue;
    auto floor = run_exchange(1 << 13, 1);
    auto ours = actors.ask_across(1 << 13);
    if (slice == 0) continue;
    print_percentiles(ask_across, "floor", std::move(floor));
    print_percentiles(ask_across, "troupe", std::move(ours));
  }
}
