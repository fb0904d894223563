// What a server can hold: the judgment as a table, and the limit of open files as it is raised.
#include "troupe/app/platform/capacity.h"

#include <doctest/doctest.h>
#include <sys/resource.h>

#include <algorithm>

#include "troupe/app/command/command.h"
#include "troupe/base/log.h"

using namespace troupe;
using namespace troupe::app;

namespace {

constexpr std::size_t MiB = 1024 * 1024, GiB = 1024 * MiB;

realtime::RealtimeOptions options_for(std::size_t connections_max, std::size_t history_bytes_max = 0) {
  realtime::RealtimeOptions options;
  options.connections_max = connections_max;
  options.router.topics.history_bytes_max = history_bytes_max;
  return options;
}

}  // namespace

TEST_CASE("a configuration is judged by open files and by memory, and the scarcer one decides") {
  struct Row {
    const char* name;
    Machine machine;
    std::size_t connections_max, history_bytes_max, cores;
    std::size_t connections;
    bool files_suffice, memory_suffices;
  };
  const Row rows[] = {
      {"plenty", {1'000'000, 16 * GiB}, 100'000, 256 * MiB, 4, 100'000, true, true},
      {"just enough files", {101'024, 16 * GiB}, 100'000, 0, 1, 100'000, true, true},
      {"one file short", {101'023, 16 * GiB}, 100'000, 0, 1, 99'999, false, true},
      {"the default of a shell", {1024, 16 * GiB}, 100'000, 0, 1, 0, false, true},
      {"fewer than we need ourselves", {256, 16 * GiB}, 1, 0, 1, 0, false, true},
      {"just enough memory", {1'000'000, 64 * MiB + 1000 * 6 * 1024}, 1000, 0, 8, 1000, true, true},
      {"one byte short", {1'000'000, 64 * MiB + 1000 * 6 * 1024 - 1}, 1000, 0, 8, 999, true, false},
      {"histories of all cores fill it", {1'000'000, GiB}, 1000, 256 * MiB, 4, 0, true, false},
      {"both are short, files more", {1025, 64 * MiB + 2 * 6 * 1024}, 1000, 0, 1, 1, false, false},
      {"both are short, memory more", {1030, 64 * MiB + 2 * 6 * 1024}, 1000, 0, 1, 2, false, false},
      {"nobody knows the memory", {1'000'000, 0}, 100'000, 256 * MiB, 64, 100'000, true, true},
  };
  for (const auto& row : rows) {
    CAPTURE(row.name);
    const auto capacity = judge(row.machine, options_for(row.connections_max, row.history_bytes_max), row.cores);
    CHECK_EQ(capacity.connections, row.connections);
    CHECK_EQ(capacity.files_suffice, row.files_suffice);
    CHECK_EQ(capacity.memory_suffices, row.memory_suffices);
  }
}

TEST_CASE("with too few descriptors to start there is no start, and what to raise is named") {
  CHECK_NOTHROW(refuse_too_few_files({.open_files_max = 64}));
  CHECK_NOTHROW(refuse_too_few_files({.open_files_max = 0}));  // nobody knows
  CHECK_THROWS_WITH_AS(
      refuse_too_few_files({.open_files_max = 63}),
      "63 open files are allowed, and a server needs 64 at least: raise LimitNOFILE, or the hard limit of `ulimit -n`",
      CommandFailed);
}

TEST_CASE("what can be held is told at the start, and a shortage with what would be enough") {
  base::log::Capture log;
  tell_capacity({1'000'000, 16 * GiB}, options_for(5000), 1);
  REQUIRE_EQ(log.lines().size(), 1);
  CHECK(log.lines()[0].contains("what this server can hold"));
  CHECK(log.lines()[0].contains("connections=5000"));

  warn_of_shortage({2024, 16 * GiB}, options_for(5000), 1);
  REQUIRE_EQ(log.lines().size(), 2);
  CHECK(log.lines()[1].contains("level=warning"));
  CHECK(log.lines()[1].contains("connections_possible=1000"));
  CHECK(log.lines()[1].contains("open_files_needed=6024"));

  warn_of_shortage({1'000'000, 66 * MiB}, options_for(5000), 1);
  REQUIRE_EQ(log.lines().size(), 3);
  CHECK(log.lines()[2].contains("too little memory"));
  CHECK(log.lines()[2].contains("memory_mib_needed=93"));
}

TEST_CASE("the soft limit of open files is raised to the hard one") {
  rlimit before{};
  REQUIRE_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit low{std::min<rlim_t>(before.rlim_max, 100), before.rlim_max};
  REQUIRE_EQ(::setrlimit(RLIMIT_NOFILE, &low), 0);
  const auto machine = claim_machine();
  rlimit now{};
  REQUIRE_EQ(::getrlimit(RLIMIT_NOFILE, &now), 0);
  ::setrlimit(RLIMIT_NOFILE, &before);
  CHECK_EQ(now.rlim_cur, before.rlim_max);
  CHECK_EQ(machine.open_files_max, before.rlim_max);
  CHECK_GT(machine.memory_bytes, 64 * MiB);
}

TEST_CASE("a limit of a control group is a number or none") {
  struct Row {
    std::string_view text;
    std::optional<std::size_t> limit;
  };
  const Row rows[] = {{"1073741824\n", GiB}, {"0", 0}, {"max\n", {}}, {"", {}}, {"12 kB", {}}, {"-1\n", {}}};
  for (const auto& row : rows) {
    CAPTURE(row.text);
    CHECK(read_limit(row.text) == row.limit);
  }
}
