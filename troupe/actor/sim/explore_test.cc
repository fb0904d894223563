// explore: finds what a rare order breaks, says so in words and a chart, and repeats it from the seed.
#include "troupe/actor/sim/explore.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdlib>
#include <map>
#include <set>

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

TEST_CASE("a seed from outside runs alone and shows its chart") {
  std::vector<std::uint64_t> seeds;
  setenv("TROUPE_SEED", "77", 1);
  const auto told = errors_of([&] { test::explore(5, [&](test::Seed seed) { seeds.push_back(seed.number); }); });
  unsetenv("TROUPE_SEED");
  CHECK_EQ(seeds, std::vector<std::uint64_t>{77, 77});
  CHECK(told.contains("seed 77"));
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
  test::explore({.schedules = 60}, [&](test::Seed seed) {
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
  });
  CHECK_GT(orders[test::Schedule::random_walk].size(), 25u);
  CHECK_GT(orders[test::Schedule::priorities].size(), 10u);
}

TEST_CASE("the chart tells what was dropped and what threw") {
  test::World w{1};
  auto cellar = w.spawn<Cellar>({.name = "cellar"});
  w.run_until_idle();
  w.system().run_as_guest([](Ref<Cellar> c) -> Task<void> {
    c.tell(Write{1});
    co_await sleep(1ms);
    throw std::runtime_error("a guest fails");
  }(cellar));
  w.advance(1s);
  lifecycle::request_stop(nullptr, cellar.address());
  w.run_until_idle();
  cellar.tell(Write{2});
  w.run_until_idle();
  const std::string chart = w.trace().chart();
  INFO(chart);
  CHECK(chart.contains("cellar                 Write                        handled"));
  CHECK(chart.contains("THREW"));
  CHECK(chart.contains("a guest fails"));
  CHECK(chart.contains("Write                        DROPPED: no such actor"));
}
