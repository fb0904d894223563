// explore: finds what a rare order breaks, says so in words and a chart, and repeats it from the seed.
#include "troupe/actor/sim/explore.h"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <set>

#include "troupe/actor/sim/checks.h"
#include "troupe/base/testing/ending.h"

using namespace troupe::actor;
using namespace std::chrono_literals;

namespace {

struct Add {
  int n;
};
struct Read {
  using reply = int;
};
struct Write {
  int n;
  using reply = int;
};

/// Reads, waits, writes: two of them at once lose an update.
struct Cellar {
  int handle(Read) { return n; }
  int handle(Write m) { return n = m.n; }
  int n = 0;
};
struct Fragile {
  int handle(Write) { throw std::runtime_error("it broke"); }
};
struct Careless {
  explicit Careless(Ref<Cellar> its_cellar) : cellar(its_cellar) {}
  Task<void> handle(Add m) {
    auto n = co_await cellar.ask(Read{});
    co_await cellar.ask(Write{n.value() + m.n});
  }
  Ref<Cellar> cellar;
};

struct Note {
  int from;
};
struct Notes {
  explicit Notes(std::shared_ptr<std::vector<int>> its_seen) : seen(std::move(its_seen)) {}
  void handle(Note m) { seen->push_back(m.from); }
  std::shared_ptr<std::vector<int>> seen;
};
struct Teller {
  Teller(Ref<Notes> its_notes, int its_number) : notes(its_notes), number(its_number) {}
  void handle(Add m) {
    for (int i = 0; i < m.n; ++i) notes.tell(Note{number});
  }
  Ref<Notes> notes;
  int number;
};

struct Never {
  using reply = int;
};
struct Holder {
  void handle(Never, Reply<int> reply) { kept.push_back(std::move(reply)); }
  std::vector<Reply<int>> kept;
};

/// What is written to the standard error while `f` runs.
template <class F>
std::string errors_of(F f) {
  std::string path = "/tmp/troupe_explore_XXXXXX";
  const int file = mkstemp(path.data());
  REQUIRE(file >= 0);
  const int before = dup(2);
  std::fflush(stderr);
  dup2(file, 2);
  f();
  std::fflush(stderr);
  dup2(before, 2);
  close(before);
  std::string text(static_cast<std::size_t>(lseek(file, 0, SEEK_END)), '\0');
  lseek(file, 0, SEEK_SET);
  CHECK_EQ(read(file, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  close(file);
  unlink(path.c_str());
  return text;
}

}  // namespace

TEST_CASE("a lost update is found, told with its seed, its chart and the command that repeats it") {
  std::string seed;
  const auto told = errors_of([&] {
    try {
      test::explore(200, [](test::World& w) {
        auto cellar = w.spawn<Cellar>({.name = "cellar", .core = 0});
        auto one = w.spawn<Careless>({.name = "one", .core = 0}, cellar);
        auto two = w.spawn<Careless>({.name = "two", .core = 1}, cellar);
        one.tell(Add{1});
        two.tell(Add{1});
        w.run_until_idle();
        if (w.block_on(cellar.ask(Read{})).value() != 2) throw std::logic_error("an update was lost");
      });
      FAIL("200 schedules without a lost update");
    } catch (const std::logic_error& error) {
      CHECK_EQ(error.what(), doctest::String{"an update was lost"});
    }
  });
  INFO(told);
  CHECK(told.contains("an update was lost"));
  CHECK(told.contains("one                    -> cellar                 Read                         handled"));
  CHECK(told.contains("... Add goes on"));
  CHECK(told.contains("TROUPE_SEED="));
  CHECK(told.contains("-tc=\"a lost update is found? told with"));
  CHECK_FALSE(told.contains("[stop]"));  // the chart ends where it went wrong, not with the end of the world
}

TEST_CASE("a seed from outside runs alone, in the exploration that it names, and shows its chart") {
  struct Row {
    const char* given;
    std::size_t exploration;
    std::vector<std::uint64_t> runs;
  };
  const Row rows[] = {{"77", 1, {77, 77}}, {"77", 2, {}}, {"77/2", 1, {}}, {"77/2", 2, {77, 77}}};
  for (const Row& row : rows) {
    CAPTURE(row.given);
    CAPTURE(row.exploration);
    std::vector<std::uint64_t> seeds;
    bool over_all = false;
    test::checks().explorations = row.exploration - 1;
    setenv("TROUPE_SEED", row.given, 1);
    const auto told = errors_of(
        [&] { test::explore(5, [&](test::Seed seed) { seeds.push_back(seed.number); }, [&] { over_all = true; }); });
    unsetenv("TROUPE_SEED");
    CHECK_EQ(seeds, row.runs);
    CHECK_EQ(told.contains("seed 77"), !row.runs.empty());
    CHECK_FALSE(over_all);
  }
  setenv("TROUPE_SEED", "77/0", 1);
  CHECK_THROWS_WITH_AS(test::explore(5, [](test::Seed) {}), "TROUPE_SEED: a test's first exploration is 1: 77/0",
                       std::invalid_argument);
  setenv("TROUPE_SEED", "7x", 1);
  CHECK_THROWS_WITH_AS(test::explore(5, [](test::Seed) {}), "TROUPE_SEED is no number: 7x", std::invalid_argument);
  unsetenv("TROUPE_SEED");
}

TEST_CASE(
    "an exploration of no schedule stops the process, also in a proof and in a replay, since it would show nothing") {
  for (const char* variable : {"TROUPE_NOTHING", "TROUPE_SLICE", "TROUPE_SEED"}) {
    CAPTURE(std::string{variable});
    const auto ending = troupe::base::testing::ending_of([&] {
      setenv(variable, "7", 1);
      test::explore(0, [](test::Seed) {});
    });
    CAPTURE(ending.said);
    CHECK(WIFSIGNALED(ending.status));
    CHECK(ending.said.contains("an exploration of no schedule shows nothing"));
  }
  CHECK(WIFSIGNALED(
      troupe::base::testing::ending_of([] { test::explore({.schedules = 0}, [](test::World&) {}); }).status));
}

TEST_CASE("an exploration that begins at the largest seeds has all its schedules") {
  std::vector<std::uint64_t> seeds;
  test::explore({.schedules = 3, .first_seed = UINT64_MAX}, [&](test::Seed seed) { seeds.push_back(seed.number); });
  CHECK_EQ(seeds, std::vector<std::uint64_t>{UINT64_MAX, UINT64_MAX, 0, 0, 1, 1});
}

TEST_CASE("what is checked over all is checked once, after the last schedule") {
  int runs = 0;
  int runs_over_all = 0;
  test::explore(5, [&](test::Seed) { ++runs; }, [&] { runs_over_all += runs; });
  CHECK_EQ(runs_over_all, 10);  // each seed twice
}

// Run by the next one, in a process of its own.
TEST_CASE("an \"update\" of $HOME is lost, on purpose" * doctest::skip()) {
  int schedules = 0;
  test::explore(
      {.schedules = 3},
      [&](test::Seed seed) {
        ++schedules;
        if (seed.number > 3) throw std::logic_error("this exploration knows no such seed");
      },
      [&] {
        if (schedules != 6) throw std::logic_error("it wants to see three schedules");
      });
  test::explore(
      {.schedules = 200, .first_seed = 10},
      [&](test::Seed seed) {
        test::World w{seed};
        auto cellar = w.spawn<Cellar>({.name = "cellar", .core = 0});
        for (int core = 0; core < 2; ++core) {
          auto careless = w.spawn<Careless>({.core = core}, cellar);
          careless.tell(Add{1});
        }
        w.run_until_idle();
        if (seed.number >= 20) CHECK_EQ(w.block_on(cellar.ask(Read{})).value(), 2);
      },
      [&] { CHECK_MESSAGE(false, "no update was lost"); });
}

namespace {

struct Ended {
  int status;
  std::string text;  // of both outputs
};

Ended run_in_shell(const std::string& command) {
  Ended ended{};
  const std::string line = fmt::format("{{ {}; }} 1>&2", command);
  ended.text = errors_of([&] {
    const char* const words[] = {"sh", "-c", line.c_str(), nullptr};
    pid_t child = 0;
    REQUIRE_EQ(posix_spawn(&child, "/bin/sh", nullptr, nullptr, const_cast<char* const*>(words), environ), 0);
    REQUIRE_EQ(waitpid(child, &ended.status, 0), child);
  });
  return ended;
}

/// From the line on that names the seed, to the end of the chart.
std::string report_in(const std::string& text) {
  const auto begin = text.find("\nseed ");
  return begin == std::string::npos ? "" : text.substr(begin, text.find("repeat it with:") - begin);
}

}  // namespace

TEST_CASE("the command that a failing seed prints replays that seed alone, which fails as it did, for that alone") {
  // As in the long runs of ctest, which begin elsewhere.
  const std::string binary = std::filesystem::read_symlink("/proc/self/exe").string();
  const auto found =
      run_in_shell("cd / && unset TROUPE_SLICE TROUPE_SEED; " + binary + " --no-skip -tc=\"an*on purpose\"");
  INFO(found.text);
  CHECK_NE(found.status, 0);
  CHECK(report_in(found.text).contains("a check has failed"));
  const std::string mark = "repeat it with:  ";
  const auto at = found.text.find(mark);
  REQUIRE(at != std::string::npos);
  const std::string command = found.text.substr(at + mark.size(), found.text.find('\n', at) - at - mark.size());
  CHECK(command.starts_with("TROUPE_SEED="));
  CHECK(command.contains("/2 "));

  const auto replayed = run_in_shell(command);
  INFO(replayed.text);
  CHECK_NE(replayed.status, 0);
  CHECK_EQ(report_in(replayed.text), report_in(found.text));
  CHECK_FALSE(replayed.text.contains("no such seed"));
  CHECK_FALSE(replayed.text.contains("wants to see"));
  CHECK_FALSE(replayed.text.contains("no update was lost"));

  // A seed that did not fail does not.
  const auto good = run_in_shell("TROUPE_SEED=11/2" + command.substr(command.find(' ')));
  INFO(good.text);
  CHECK_EQ(good.status, 0);
  CHECK(report_in(good.text).contains("seed 11 (random walk)"));
  CHECK_FALSE(good.text.contains("ran nothing"));

  // Where the test explores less often than that, nothing can run, which must not look like a run that went well.
  const auto none = run_in_shell("TROUPE_SEED=11/3" + command.substr(command.find(' ')));
  INFO(none.text);
  CHECK(report_in(none.text).empty());
  CHECK(none.text.contains("TROUPE_SEED=11/3 ran nothing: no test that ran here explores more often than 2 times"));
}

TEST_CASE("a slice of a proof runs other seeds, and more of them") {
  std::set<std::uint64_t> seeds;
  setenv("TROUPE_SLICE", "3", 1);
  test::explore({.schedules = 5, .schedules_proof = 20}, [&](test::Seed seed) { seeds.insert(seed.number); });
  unsetenv("TROUPE_SLICE");
  CHECK_EQ(seeds.size(), 20u);
  CHECK_GT(*seeds.begin(), 3'000'000u);
}

TEST_CASE("what does not come from the seed is found, with the first step that differs") {
  int runs = 0;
  const auto told = errors_of([&] {
    CHECK_THROWS_WITH_AS(test::explore(10,
                                       [&](test::World& w) {
                                         auto notes = w.spawn<Notes>({}, std::make_shared<std::vector<int>>());
                                         auto teller = w.spawn<Teller>({.name = "teller"}, notes, 1);
                                         teller.tell(Add{1});
                                         w.run_until_idle();
                                         if (++runs % 2 == 0) teller.tell(Add{2});
                                         w.run_until_idle();
                                       }),
                         doctest::Contains("seed 1 does not repeat"), test::ExploreFailure);
  });
  CHECK(told.contains("first run:\n"));
  CHECK(told.contains("second run:\n"));
}

TEST_CASE("an ask without an outcome fails its schedule") {
  const auto told = errors_of([] {
    CHECK_THROWS_WITH_AS(test::explore(3,
                                       [](test::World& w) {
                                         auto holder = w.spawn<Holder>({});
                                         w.system().run_as_guest([](Ref<Holder> h) -> Task<void> {
                                           auto never = co_await h.ask(Never{}, {.within = 1h});
                                           (void)never;
                                         }(holder));
                                         w.run_until_idle();
                                       }),
                         "1 asks have no outcome", test::ExploreFailure);
  });
  CHECK(told.contains("waits"));
}

TEST_CASE("both kinds of schedules mix what nobody has put into an order, and differ from seed to seed") {
  std::map<test::Schedule, std::set<std::vector<int>>> orders;
  test::explore(
      {.schedules = 60},
      [&](test::Seed seed) {
        auto seen = std::make_shared<std::vector<int>>();
        test::World w{seed};
        auto notes = w.spawn<Notes>({.core = 0}, seen);
        for (int i = 0; i < 4; ++i) {
          auto teller = w.spawn<Teller>({.core = i % 2}, notes, i);
          for (int n = 0; n < 3; ++n) teller.tell(Add{1});
        }
        w.run_until_idle();
        CHECK_EQ(seen->size(), 12u);
        orders[seed.schedule].insert(*seen);
      },
      [&] {
        CHECK_GT(orders[test::Schedule::random_walk].size(), 25u);
        CHECK_GT(orders[test::Schedule::priorities].size(), 10u);
      });
}

TEST_CASE("the chart tells what was dropped, what threw, and what was reported") {
  test::World w{1};
  auto cellar = w.spawn<Cellar>({.name = "cellar"});
  w.run_until_idle();
  w.system().run_as_guest([](Ref<Cellar> c) -> Task<void> {
    c.tell(Write{1});
    co_await sleep(1ms);
    throw std::runtime_error("a guest fails");
  }(cellar));
  w.spawn<Fragile>({.name = "fragile"}).tell(Write{1});
  w.advance(1s);
  lifecycle::request_stop(nullptr, cellar.address());
  w.run_until_idle();
  cellar.tell(Write{2});
  w.run_until_idle();
  const std::string chart = w.trace().chart();
  INFO(chart);
  CHECK(chart.contains("cellar                 Write                        handled"));
  CHECK(chart.contains("THREW"));
  CHECK(chart.contains("it broke"));
  CHECK(chart.contains("a task that was run as a guest threw: a guest fails"));
  CHECK(chart.contains("Write                        DROPPED: no such actor"));
}
