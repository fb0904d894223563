// Streams of entities: either end keeps its actor where it is, and awake, until it has closed; then it may go.
#include <doctest/doctest.h>

#include <numeric>

#include "troupe/actor/sim/explore.h"

using namespace troupe::actor;
namespace base = troupe::base;
using namespace std::chrono_literals;

namespace {

struct Tail {
  int count;
  using item = int;
};
struct Take {
  using reply = int;  // -1 at the end
};
struct Touch {
  using reply = int;
};

class Tap;
struct Pass {
  ShardRef<Tap> to;
  using reply = int;
};
struct Self {
  using reply = Ref<Tap>;
};
struct Open {
  Ref<Tap> from;
  int count;
};

/// Gives streams, and reads one over several messages.
class Tap {
 public:
  static constexpr bool migrates = true;
  explicit Tap(std::shared_ptr<int> alive) : alive_(std::move(alive)) { ++*alive_; }
  Tap(const Tap&) = delete;
  ~Tap() { --*alive_; }

  Delegated<int> handle(Pass m) { return m.to.delegate(Touch{}); }
  Stream<int> handle(Tail m) {
    for (int i = 0; i < m.count; ++i) co_yield i;
  }
  void handle(Open m) { reader_.emplace(m.from.stream(Tail{m.count}, {.credit = 1})); }
  Task<int> handle(Take) {
    auto next = co_await reader_->next();
    if (next) co_return *next;
    reader_.reset();
    co_return -1;
  }
  int handle(Touch) { return ++touched_; }
  Ref<Tap> handle(Self, Context& ctx) { return ctx.self(this); }

 private:
  std::shared_ptr<int> alive_;
  std::optional<StreamReader<int>> reader_;
  int touched_ = 0;
};

struct Fixture {
  explicit Fixture(test::Seed seed, ShardOptions options) : w(seed, {.cores = 3}), taps(w, std::move(options), alive) {}
  explicit Fixture(ShardOptions options) : Fixture(3, std::move(options)) {}

  template <class M>
  auto ask(const std::string& key, M message) {
    return w.block_on(taps.ref(key).ask(std::move(message), {.within = 1min})).value();
  }
  int where(const std::string& key) { return w.block_on(taps.locate(taps.shard_of(key))).value(); }
  std::expected<void, Failure<MoveError>> move(const std::string& key) {
    return w.block_on(taps.move(taps.shard_of(key), (where(key) + 1) % 3));
  }
  /// Reads all of a stream, slowly; what came is in `items`, with -1 for its end.
  template <class From>
  void drink(From from, int count, Duration pause, std::shared_ptr<std::vector<int>> items) {
    w.system().run_as_guest([](From tap, int n, Duration wait, std::shared_ptr<std::vector<int>> out) -> Task<void> {
      auto reader = tap.stream(Tail{n}, {.credit = 2});
      for (;;) {
        auto next = co_await reader.next();
        out->push_back(next ? *next : -1);
        if (!next) break;
        co_await sleep(wait);
      }
    }(from, count, pause, std::move(items)));
  }

  std::shared_ptr<int> alive = std::make_shared<int>(0);
  test::World w;
  Shards<Tap> taps;
};

std::vector<int> up_to(int n) {
  std::vector<int> all(static_cast<std::size_t>(n));
  std::iota(all.begin(), all.end(), 0);
  all.push_back(-1);
  return all;
}

}  // namespace

TEST_CASE("who gives a stream does not move until its reader has read it, and then does") {
  Fixture f{{.count = 4, .move_within = 50ms}};
  auto items = std::make_shared<std::vector<int>>();
  f.drink(f.ask("a", Self{}), 20, 100ms, items);
  f.w.advance(500ms);
  CHECK_EQ(f.ask("a", Touch{}), 1);  // what waits for its reader holds nobody up
  const int before = f.where("a");
  CHECK_EQ(f.move("a").error().domain, MoveError::is_busy);
  CHECK_EQ(f.where("a"), before);
  CHECK_EQ(f.ask("a", Touch{}), 2);
  f.w.advance(3s);
  CHECK_EQ(*items, up_to(20));
  CHECK(f.move("a").has_value());
  CHECK_EQ(f.ask("a", Touch{}), 3);
}

TEST_CASE("an entity is read, asked with a deadline, and handed a duty by its key as by a reference") {
  Fixture f{{.count = 4, .passivate_after = 20ms}};
  auto items = std::make_shared<std::vector<int>>();
  f.drink(f.taps.ref("a"), 200, 1ms, items);
  f.w.advance(1s);
  CHECK_EQ(*items, up_to(200));
  CHECK_EQ(f.ask("b", Pass{f.taps.ref("a")}), 1);
  CHECK_EQ(f.w.block_on(f.taps.ref("a").within(1min).ask(Touch{})).value(), 2);
  CHECK_EQ(f.w.block_on(f.taps.ref("a").within(1min).ask<Touch>()).value(), 3);
  const ShardRef<Tap> nobody;
  CHECK_EQ(f.w.block_on(f.taps.ref("b").ask(Pass{nobody})).error().outcome, Outcome::not_executed);
}

TEST_CASE("who reads a stream over several messages does not move until it has closed it, and then does") {
  Fixture f{{.count = 4, .move_within = 50ms}};
  f.taps.ref("a").tell(Open{f.ask("b", Self{}), 3});
  CHECK_EQ(f.ask("a", Take{}), 0);
  CHECK_EQ(f.move("a").error().domain, MoveError::is_busy);
  for (const int expected : {1, 2, -1}) CHECK_EQ(f.ask("a", Take{}), expected);
  CHECK(f.move("a").has_value());
  CHECK(f.move("b").has_value());
}

TEST_CASE("who has an end of a stream is not put away, however long nothing comes, and afterwards is") {
  Fixture f{{.count = 4, .passivate_after = 1s}};
  auto items = std::make_shared<std::vector<int>>();
  f.drink(f.ask("giver", Self{}), 20, 10s, items);
  f.taps.ref("reader").tell(Open{f.w.spawn<Tap>({}, std::make_shared<int>(0)), 3});
  f.w.advance(30s);
  CHECK_EQ(*f.alive, 2);
  for (const int expected : {0, 1, 2, -1}) CHECK_EQ(f.ask("reader", Take{}), expected);
  f.w.advance(5s);
  CHECK_EQ(*f.alive, 1);
  f.w.advance(4min);
  CHECK_EQ(*items, up_to(20));
  CHECK_EQ(*f.alive, 0);
}

TEST_CASE("whatever moves and is put away meanwhile, streams of entities are whole and in order") {
  int moved = 0;
  int busy = 0;
  test::explore(
      {.schedules = 40},
      [&](test::Seed seed) {
        Fixture f{seed, {.count = 4, .passivate_after = 20ms, .move_within = 5ms}};
        base::Random& random = f.w.random();
        std::vector<std::pair<int, std::shared_ptr<std::vector<int>>>> streams;
        for (int round = 0; round < 15; ++round) {
          const std::string key = "tap-" + std::to_string(random.below(5));
          const int count = static_cast<int>(random.below(30));
          streams.emplace_back(count, std::make_shared<std::vector<int>>());
          f.drink(f.taps.ref(key), count, Duration{1ms * random.below(3)}, streams.back().second);
          f.w.run(random.below(30));
          const auto result = f.move("tap-" + std::to_string(random.below(5)));
          ++(result ? moved : busy);
          if (!result) CHECK_EQ(result.error().domain, MoveError::is_busy);
          f.w.advance(Duration{1ms * random.below(40)});
        }
        f.w.advance(10s);
        for (const auto& [count, items] : streams) CHECK_EQ(*items, up_to(count));
        CHECK_EQ(*f.alive, 0);
      },
      [&] {
        CHECK_GT(moved, 100);
        CHECK_GT(busy, 100);
      });
}
