// savina: the benchmarks of savina.h, one JSON line a slice, beside floor (a) in the same run.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <cstdio>

#include "bench/floor/queue.h"
#include "bench/savina/savina.h"

int main(int argc, char** argv) {
  using namespace troupe::bench;
  std::size_t slices = 10;
  std::uint64_t scale = 1;
  std::string only;
  int cores_only = 0;
  CLI::App app{"Savina's actor benchmarks. Prints one JSON line a slice and side."};
  app.add_option("--slices", slices)->check(CLI::Range(1, 1000));
  app.add_option("--scale", scale, "times the published size")->check(CLI::Range(1, 1000));
  app.add_option("--case", only, "only this one");
  app.add_option("--cores", cores_only, "only on so many cores")->check(CLI::Range(1, 2));
  CLI11_PARSE(app, argc, argv);

  struct Case {
    const char* name;
    savina::Outcome (*run)(savina::Setting);
  };
  constexpr Case cases[] = {
      {"ping-pong", savina::ping_pong},
      {"counting", savina::counting},
      {"fork-join throughput", savina::fork_join_throughput},
      {"fork-join creation", savina::fork_join_creation},
      {"thread ring", savina::thread_ring},
      {"chameneos", savina::chameneos},
      {"big", savina::big},
      {"bank transaction", savina::bank_transaction},
  };
  const auto print = [](const std::string& name, const char* side, std::uint64_t units, auto took) {
    fmt::print("{{\"case\":\"{}\",\"side\":\"{}\",\"units\":{},\"wall_ns\":{}}}\n", name, side, units, took.count());
    std::fflush(stdout);
  };
  constexpr std::uint64_t floor_units = 1 << 20;
  for (std::size_t slice = 0; slice < slices; ++slice) {
    for (const auto& one : cases) {
      if (!only.empty() && only != one.name) continue;
      for (const int cores : {1, 2}) {
        if (cores_only != 0 && cores_only != cores) continue;
        const auto name = fmt::format("{}{}, {}", one.name, scale > 1 ? fmt::format(" x{}", scale) : "",
                                      cores == 1 ? "one core" : "two cores");
        print(name, "floor", floor_units, run_virtual_calls(floor_units));
        const auto outcome = one.run({.cores = cores, .scale = scale});
        print(name, "troupe", outcome.messages, outcome.took);
      }
    }
  }
}
