// Faults: each does what it says, and nothing where it is off; what a crash leaves of a disk.
#include "troupe/actor/sim/faults.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <charconv>
#include <set>

#include "troupe/actor/sim/explore.h"

using namespace troupe::actor;
using namespace std::chrono_literals;

namespace {

struct Tick {};
struct Read {
  using reply = std::vector<Duration>;
};
/// Notes when it is ticked.
struct Watcher {
  void started(Context& ctx) { ctx.every(this, "tick", 10ms, Tick{}); }
  void handle(Tick, Context& ctx) { at.push_back(ctx.now() - Instant{}); }
  std::vector<Duration> handle(Read) { return at; }
  std::vector<Duration> at;
};

std::vector<Duration> ticks_under(test::WorldOptions options) {
  test::World w{3, options};
  auto watcher = w.spawn<Watcher>({.core = 1});
  w.advance(1s);
  auto ticks = w.block_on(watcher.ask(Read{})).value();
  ticks.resize(std::min<std::size_t>(ticks.size(), 20));
  return ticks;
}

struct Work {
  using reply = Duration;
};
struct Worker {
  Task<Duration> handle(Work, Context& ctx) {
    const Instant start = ctx.now();
    co_await blocking([] {});
    co_return ctx.now() - start;
  }
};

struct Put {
  int n;
};
struct Sink {
  explicit Sink(std::shared_ptr<std::vector<int>> its_seen) : seen(std::move(its_seen)) {}
  void handle(Put m) { seen->push_back(m.n); }
  std::shared_ptr<std::vector<int>> seen;
};
struct Go {
  int n;
  using reply = int;  // how many were refused
};
struct Source {
  explicit Source(Ref<Sink> its_sink) : sink(its_sink) {}
  int handle(Go m) {
    int refused = 0;
    for (int i = 0; i < m.n; ++i) {
      if (sink.tell(Put{i}) == Sent::full) ++refused;
    }
    return refused;
  }
  Ref<Sink> sink;
};

}  // namespace

TEST_CASE("without faults a timer fires in its millisecond; with them later, never earlier") {
  const auto plain = ticks_under({});
  REQUIRE_EQ(plain.size(), 20u);
  for (std::size_t i = 0; i < plain.size(); ++i) CHECK_EQ(plain[i], 10ms * (i + 1));

  const auto late = ticks_under({.faults = {.timer_delay_max = 7ms}});
  REQUIRE_EQ(late.size(), 20u);
  Duration before{};
  std::set<Duration> gaps;
  for (const Duration at : late) {
    CHECK_GE(at - before, 10ms);
    CHECK_LT(at - before, 18ms);
    gaps.insert(std::exchange(before, at) - at);
  }
  CHECK_GT(gaps.size(), 5u);
}

TEST_CASE("what a message costs passes on the clock of the world") {
  test::World w{1, {.cost_per_message = 3ms}};
  auto seen = std::make_shared<std::vector<int>>();
  auto sink = w.spawn<Sink>({}, seen);
  w.run_until_idle();
  const Instant start = w.manual_clock().now();
  for (int i = 0; i < 10; ++i) sink.tell(Put{i});
  w.run_until_idle();
  CHECK_EQ(w.manual_clock().now() - start, 30ms);
}

TEST_CASE("a handler that takes long lets asks expire behind it") {
  test::World w{1, {.cost_per_message = 10ms}};
  auto worker = w.spawn<Source>({}, w.spawn<Sink>({.core = 1}, std::make_shared<std::vector<int>>()));
  w.run_until_idle();
  auto outcomes = w.block_on([](Ref<Source> s) -> Task<int> {
    for (int i = 0; i < 40; ++i) s.tell(Go{0});
    auto late = co_await s.ask(Go{0}, {.within = 100ms});
    co_return late ? -1 : static_cast<int>(late.error().outcome);
  }(worker));
  CHECK_EQ(outcomes, static_cast<int>(Outcome::not_executed));
}

TEST_CASE("a full ring delays and reorders nothing of one pair; a narrow lane refuses, and says so") {
  test::explore({.schedules = 40}, [](test::Seed seed) {
    test::World w{seed, {.faults = {.ring_full = {2}, .lane_messages_max = 5}}};
    auto seen = std::make_shared<std::vector<int>>();
    auto source = w.spawn<Source>({.core = 0}, w.spawn<Sink>({.core = 1}, seen));
    const int refused = w.block_on(source.ask(Go{12})).value();
    w.run_until_idle();
    CHECK_EQ(refused, 7);
    CHECK_EQ(*seen, std::vector{0, 1, 2, 3, 4});
  });
}

TEST_CASE("blocking jobs take as long as they are let, and some find no place") {
  test::World w{5, {.faults = {.job_delay_max = 300ms}}};
  auto worker = w.spawn<Worker>({});
  std::set<Duration> times;
  for (int i = 0; i < 20; ++i) times.insert(w.block_on(worker.ask(Work{})).value());
  CHECK_GT(*times.rbegin(), 150ms);
  CHECK_LE(*times.rbegin(), 310ms);
  CHECK_GT(times.size(), 10u);

  test::World crowded{5, {.supervision = {.intensity = {.restarts = 1000}}, .faults = {.job_refused = {3}}}};
  auto poor = crowded.spawn<Worker>({});
  int refused = 0;
  for (int i = 0; i < 30; ++i) {
    auto answer = crowded.block_on(poor.ask(Work{}, {.within = 30s}));
    if (answer) continue;
    CHECK_EQ(answer.error().what, "too many blocking jobs are waiting");
    ++refused;
  }
  CHECK_GT(refused, 4);
  CHECK_LT(refused, 20);
}

TEST_CASE("a stall may come while a world is being made") {
  test::World w{9, {.faults = {.stall = {1}, .stall_max = 1s}, .stall_limit = 1ms}};
  CHECK_GT(w.system().core_count(), 0);
}

TEST_CASE("stalls hold the clock up, now and then") {
  test::World w{9, {.faults = {.stall = {5}, .stall_max = 100ms}}};
  auto sink = w.spawn<Sink>({}, std::make_shared<std::vector<int>>());
  const Instant start = w.manual_clock().now();
  for (int i = 0; i < 100; ++i) sink.tell(Put{i});
  w.run_until_idle();
  CHECK_GT(w.manual_clock().now() - start, 200ms);
  CHECK_LT(w.manual_clock().now() - start, 3s);
}

TEST_CASE("a crash asks nobody: objects and frames go, messages under way are lost, and the world goes on") {
  test::World w{2};
  auto seen = std::make_shared<std::vector<int>>();
  auto source = w.spawn<Source>({.core = 0}, w.spawn<Sink>({.core = 1}, seen));
  w.run_until_idle();
  w.advance(1h);
  source.tell(Go{3});
  w.crash();
  CHECK_EQ(seen.use_count(), 1);
  CHECK(seen->empty());
  CHECK_GE(w.manual_clock().now() - Instant{}, 1h);
  auto again = w.spawn<Source>({.core = 0}, w.spawn<Sink>({.core = 1}, seen));
  CHECK_EQ(w.block_on(again.ask(Go{3})).value(), 0);
  w.run_until_idle();
  CHECK_EQ(seen->size(), 3u);
}

TEST_CASE(
    "what was synced survives a crash; later writes survive by sectors, in any order, and what held nothing may be "
    "torn") {
  std::set<std::pair<bool, char>> survivors;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    test::World w{seed};
    auto file = w.disk().open("log");
    file.append("synced");
    file.sync();
    file.append(std::string(SimulatedDisk::sector_bytes - 6, 'a'));
    file.append(std::string(SimulatedDisk::sector_bytes, 'b'));
    CHECK_EQ(file.size(), 2 * SimulatedDisk::sector_bytes);
    w.crash();
    CHECK_THROWS_AS(file.append("too late"), DiskError);
    const auto left = w.disk().open("log").read_all();
    CHECK(left.starts_with("synced"));
    const std::string first = left.substr(6, SimulatedDisk::sector_bytes - 6);
    const std::string second =
        left.size() > SimulatedDisk::sector_bytes ? left.substr(SimulatedDisk::sector_bytes) : "";
    const bool has_first = first == std::string(SimulatedDisk::sector_bytes - 6, 'a');  // beside what was synced: whole
    if (!has_first) CHECK_EQ(first, std::string(second.empty() ? 0 : SimulatedDisk::sector_bytes - 6, '\0'));
    const bool whole = second == std::string(SimulatedDisk::sector_bytes, 'b');
    survivors.insert({has_first, second.empty() ? '-' : whole ? 'b' : '?'});
    w.crash();
    CHECK_EQ(w.disk().open("log").read_all(), left);
  }
  CHECK_EQ(survivors.size(), 6u);  // with the first or a hole in its place; without the second, with it, torn
}

namespace {

// A log of numbers as files keep them: a record is a length and a text, with a sum where the author was careful.
enum class Care { none, sum, sum_and_sync };

struct Append {
  int n;
  using reply = bool;
};
struct Log {
  Log(test::World* its_world, Care its_care) : world(its_world), care(its_care) {}
  Task<bool> handle(Append m) {
    auto file = world->disk().open("numbers");
    file.append(record(m.n, care));
    if (care == Care::sum_and_sync) co_await blocking([file]() mutable { file.sync(); });
    co_return true;
  }
  static std::string record(int n, Care care) {
    const std::string body = fmt::format("{:0>300}", n);
    const auto sum = static_cast<unsigned>(std::hash<std::string>{}(body) % 100'000'000);
    return body + (care == Care::none ? "" : fmt::format("{:08}", sum)) + "\n";
  }
  /// The numbers up to the first broken record.
  static std::vector<int> recover(test::World& w, Care care) {
    std::vector<int> numbers;
    const std::string all = w.disk().open("numbers").read_all();
    const std::size_t length = record(0, care).size();
    for (std::size_t at = 0; at + length <= all.size(); at += length) {
      const std::string body = all.substr(at, 300);
      int n = 0;
      std::from_chars(body.data(), body.data() + body.size(), n);
      if (care != Care::none && all.substr(at, length) != record(n, care)) break;
      numbers.push_back(n);
    }
    return numbers;
  }
  test::World* world;
  Care care;
};

/// How many of 60 crashes lost what was acknowledged, and how many left what was never written.
std::pair<int, int> losses_with(Care care) {
  int lost = 0;
  int invented = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    test::World w{seed};
    auto acknowledged = std::make_shared<int>(0);
    w.system().run_as_guest([](Ref<Log> log, std::shared_ptr<int> done) -> Task<void> {
      for (int n = 1; n <= 20; ++n) {
        auto answer = co_await log.ask(Append{n});
        if (answer) *done = n;
        co_await sleep(1ms);
      }
    }(w.spawn<Log>({.core = 1}, &w, care), acknowledged));
    w.advance(Duration{1'000'000} * static_cast<std::int64_t>(5 + w.random().below(60)));
    w.crash();
    const auto numbers = Log::recover(w, care);
    if (static_cast<int>(numbers.size()) < *acknowledged) ++lost;
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      if (numbers[i] != static_cast<int>(i) + 1) {
        ++invented;
        break;
      }
    }
  }
  return {lost, invented};
}

}  // namespace

TEST_CASE("a log that syncs before it answers loses nothing, one that does not is caught") {
  const auto [lost_careless, invented_careless] = losses_with(Care::none);
  CHECK_GT(invented_careless, 5);
  const auto [lost_unsynced, invented_unsynced] = losses_with(Care::sum);
  CHECK_GT(lost_unsynced, 5);
  CHECK_EQ(invented_unsynced, 0);
  CHECK_EQ(losses_with(Care::sum_and_sync), std::pair{0, 0});
}

TEST_CASE("a disk that refuses throws, and what it had written of a torn record can be seen") {
  test::World w{4, {.faults = {.disk = {.write_fails = {2}, .sync_fails = {2}}}}};
  auto file = w.disk().open("x");
  int refused = 0;
  for (int i = 0; i < 40; ++i) {
    const auto before = file.size();
    try {
      file.append(std::string(3 * SimulatedDisk::sector_bytes, 'x'));
      CHECK_EQ(file.size() - before, 3 * SimulatedDisk::sector_bytes);
    } catch (const DiskError&) {
      ++refused;
      CHECK_LE(file.size() - before, 3 * SimulatedDisk::sector_bytes);
      file.truncate(before);
    }
  }
  CHECK_GT(refused, 10);
  CHECK_LT(refused, 30);
}
