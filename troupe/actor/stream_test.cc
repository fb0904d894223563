// Streams: items in order and then exactly one end, no more under way than
// credit, and nothing left when either side goes.
#include "troupe/actor/stream.h"

#include <doctest/doctest.h>

#include <numeric>

#include "troupe/actor/sim/world.h"

using namespace troupe::actor;
using namespace std::chrono_literals;

namespace {

enum class Refusal { too_far };
enum class Ending : std::uint8_t { regular, refused, thrown };

struct Count {
  int to;
  Duration pause{};
  Ending ending = Ending::regular;
  using item = int;
  using error = Refusal;
};
struct Words {
  using item = std::string;
};
struct Shielded {
  Duration pause{};
  using item = int;
  using error = Refusal;
};
struct Ping {
  using reply = int;
};
struct Nap {
  Duration time;
  using reply = int;
};
struct Break {};

struct Book {
  int frames = 0;
  int yielded = 0;
};

class Counter {
 public:
  explicit Counter(std::shared_ptr<Book> book) : book_(std::move(book)) {}

  Stream<int, Refusal> handle(Count m) {
    struct Frame {
      explicit Frame(std::shared_ptr<Book> its_book) : book(std::move(its_book)) { ++book->frames; }
      ~Frame() { --book->frames; }
      std::shared_ptr<Book> book;
    } frame{book_};
    for (int i = 0; i < m.to; ++i) {
      if (m.pause > Duration::zero()) co_await sleep(m.pause);
      ++book_->yielded;
      in_nap_ += napping_ ? 1 : 0;
      co_yield i;
    }
    if (m.ending == Ending::refused) co_yield std::unexpected(Refusal::too_far);
    if (m.ending == Ending::thrown) throw std::runtime_error("cannot count further");
  }
  Stream<std::string> handle(Words) {
    co_yield "one";
    const std::string two = "a word that is too long to be stored in the string itself";
    co_yield two;
  }
  Stream<int, Refusal> handle(Shielded m, Context& ctx) {
    const auto shield = ctx.shield();
    for (int i = 0;; ++i) {
      if (m.pause > Duration::zero()) co_await sleep(m.pause);
      ++book_->yielded;
      co_yield i;
    }
  }
  int handle(Ping) { return in_nap_; }
  Task<int> handle(Nap m) {
    napping_ = true;
    co_await sleep(m.time);
    napping_ = false;
    co_return 1;
  }
  void handle(Break) { throw std::runtime_error("broken"); }

 private:
  std::shared_ptr<Book> book_;
  bool napping_ = false;
  int in_nap_ = 0;  // items that were yielded while another handler was suspended
};

/// What came of a stream.
struct Read {
  std::vector<int> items;
  std::optional<Failure<Refusal>> failure;
};

Task<Read> read(StreamReader<int, Refusal> reader, int at_most = 1'000'000, Duration pause = {}) {
  Read out;
  for (int i = 0; i < at_most; ++i) {
    auto next = co_await reader.next();
    if (next.failure() != nullptr) {
      out.failure = *next.failure();
      break;
    }
    if (!next) break;
    out.items.push_back(*next);
    if (pause > Duration::zero()) co_await sleep(pause);
  }
  co_return out;
}
Task<Read> read_from(Ref<Counter> counter, Count what, StreamOptions options = {}, int at_most = 1'000'000,
                     Duration pause = {}) {
  auto out = co_await read(counter.stream(what, options), at_most, pause);
  co_return out;
}

std::vector<int> up_to(int n) {
  std::vector<int> all(static_cast<std::size_t>(n));
  std::iota(all.begin(), all.end(), 0);
  return all;
}

/// Reads in a handler of its own, so that it can be stopped.
struct Follow {
  Ref<Counter> whom;
  Count what;
};
class Follower {
 public:
  Task<void> handle(Follow m) {
    auto reader = m.whom.stream(m.what, {.credit = 4});
    for (;;) {
      auto next = co_await reader.next();
      if (!next) break;
    }
  }
  void handle(Break) { throw std::runtime_error("broken"); }
  static constexpr bool interleaves = true;
};

struct Scene {
  explicit Scene(test::World& w, int core, ActorOptions options = {}) {
    options.core = core;
    counter = w.spawn<Counter>(std::move(options), book);
  }
  std::shared_ptr<Book> book = std::make_shared<Book>();
  Ref<Counter> counter;
};

}  // namespace

TEST_CASE(
    "items arrive in order and then the end, whatever the credit and "
    "wherever the source") {
  for (int core = 0; core < 2; ++core) {
    for (const std::uint32_t credit : {1u, 2u, 3u, 64u, 1000u}) {
      test::World w{credit};
      Scene scene{w, core};
      const auto all = w.block_on(read_from(scene.counter, {300}, {.credit = credit}));
      CHECK_EQ(all.items, up_to(300));
      CHECK_FALSE(all.failure);
      CHECK(w.block_on(read_from(scene.counter, {0}, {.credit = credit})).items.empty());
      CHECK_EQ(scene.book->frames, 0);
    }
  }
}

TEST_CASE("items may be of any type that moves") {
  for (int core = 0; core < 2; ++core) {
    test::World w{1};
    Scene scene{w, core};
    const auto words = w.block_on([](Ref<Protocol<Words>> from) -> Task<std::vector<std::string>> {
      std::vector<std::string> out;
      auto reader = from.stream(Words{}, {.credit = 1});
      for (;;) {
        auto word = co_await reader.next();
        if (!word) break;
        out.push_back(*word + (word->empty() ? "?" : "!"));
      }
      co_return out;
    }(scene.counter));
    REQUIRE_EQ(words.size(), 2);
    CHECK_EQ(words[0], "one!");
    CHECK_EQ(words[1], "a word that is too long to be stored in the string itself!");
  }
}

TEST_CASE("a domain error and a fault come after all items, and say what they are") {
  for (int core = 0; core < 2; ++core) {
    test::World w{1};
    Scene scene{w, core};
    const auto refused = w.block_on(read_from(scene.counter, {100, {}, Ending::refused}));
    CHECK_EQ(refused.items, up_to(100));
    CHECK_EQ(refused.failure.value().outcome, Outcome::answered);
    CHECK(refused.failure->domain == Refusal::too_far);
    const auto thrown = w.block_on(read_from(scene.counter, {100, {}, Ending::thrown}));
    CHECK_EQ(thrown.items, up_to(100));
    CHECK_EQ(thrown.failure.value().outcome, Outcome::executed_failed);
    CHECK_EQ(thrown.failure->what, "cannot count further");
    w.run_until_idle();
    CHECK_EQ(scene.book->frames, 0);
  }
}

TEST_CASE(
    "a failure that nobody looks at is thrown where it would pass for "
    "the end") {
  test::World w{1};
  Scene scene{w, 1};
  auto careless = [](Ref<Counter> from) -> Task<int> {
    auto reader = from.stream(Count{3, {}, Ending::thrown});
    int n = 0;
    for (;;) {
      auto next = co_await reader.next();
      if (!next) break;
      ++n;
    }
    co_return n;
  };
  CHECK_THROWS_WITH_AS(w.block_on(careless(scene.counter)), "a stream broke: cannot count further", StreamBroken);
}

TEST_CASE("a source is never further ahead of its reader than its credit") {
  for (int core = 0; core < 2; ++core) {
    test::World w{1};
    Scene scene{w, core};
    auto result = std::make_shared<Read>();
    w.system().run_as_guest([](Ref<Counter> from, std::shared_ptr<Read> out) -> Task<void> {
      auto reader = from.stream(Count{1000}, {.credit = 10});
      co_await sleep(1s);
      for (int i = 0; i < 100; ++i) {
        auto next = co_await reader.next();
        if (!next) break;
        out->items.push_back(*next);
        co_await sleep(10ms);
      }
    }(scene.counter, result));
    w.advance(900ms);
    CHECK_EQ(scene.book->yielded, 10);
    for (int i = 0; i < 50; ++i) {
      w.advance(20ms);
      CHECK_LE(scene.book->yielded, static_cast<int>(result->items.size()) + 10);
      CHECK_GE(scene.book->yielded, static_cast<int>(result->items.size()) + 5);
    }
    w.advance(1s);
    CHECK_EQ(result->items, up_to(100));
    CHECK_EQ(scene.book->frames, 0);  // the reader has left
  }
}

TEST_CASE("a stream that waits for its reader does not hold up its actor") {
  test::World w{1};
  Scene scene{w, 1};
  w.system().run_as_guest([](Ref<Counter> from) -> Task<void> {
    auto reader = from.stream(Count{1000}, {.credit = 10});
    co_await sleep(1h);
  }(scene.counter));
  w.advance(1s);
  CHECK_EQ(scene.book->frames, 1);
  CHECK(w.block_on(scene.counter.within(1s).ask(Ping{})).has_value());
}

TEST_CASE("at any other await a stream suspends its actor like every handler") {
  test::World w{1};
  Scene scene{w, 1};
  w.system().run_as_guest([](Ref<Counter> from) -> Task<void> {
    auto all = co_await read_from(from, {1, 1h});
    (void)all;
  }(scene.counter));
  w.advance(1s);
  CHECK_EQ(w.block_on(scene.counter.within(1s).ask(Ping{})).error().outcome, Outcome::unknown);
}

TEST_CASE(
    "a stream does not go on while another handler suspends their actor, "
    "and goes on after it") {
  for (int core = 0; core < 2; ++core) {
    for (int streams = 1; streams < 4; ++streams) {
      test::World w{static_cast<std::uint64_t>(streams)};
      Scene scene{w, core};
      std::vector<std::shared_ptr<Read>> results;
      for (int i = 0; i < streams; ++i) {
        auto out = results.emplace_back(std::make_shared<Read>());
        w.system().run_as_guest([](Ref<Counter> from, std::shared_ptr<Read> into) -> Task<void> {
          auto got = co_await read_from(from, {100}, {.credit = 2}, 1000, 5ms);
          *into = std::move(got);
        }(scene.counter, out));
      }
      for (int i = 0; i < 5; ++i) {
        w.advance(20ms);
        w.system().run_as_guest([](Ref<Counter> whom) -> Task<void> {
          auto slept = co_await whom.ask(Nap{30ms});
          CHECK(slept.has_value());
        }(scene.counter));
      }
      w.advance(10s);
      for (const auto& result : results) CHECK_EQ(result->items, up_to(100));
      CHECK_EQ(w.block_on(scene.counter.ask(Ping{})).value(), 0);
    }
  }
}

TEST_CASE("a reader that leaves ends the source's frame, wherever that waits") {
  for (int core = 0; core < 2; ++core) {
    for (const Duration pause : {Duration::zero(), Duration{1h}}) {
      test::World w{1};
      Scene scene{w, core};
      const auto some = w.block_on(read_from(scene.counter, {1000, pause}, {.idle_max = 1s}, 3));
      CHECK_EQ(some.items.size(), pause > Duration::zero() ? 0 : 3);
      w.advance(1s);
      CHECK_EQ(scene.book->frames, 0);
      CHECK(w.block_on(scene.counter.within(1s).ask(Ping{})).has_value());
    }
  }
}

namespace {

Task<int> read_three_shielded(Ref<Counter> counter, Duration pause) {
  auto reader = counter.stream(Shielded{pause}, {.credit = 4, .idle_max = 1min});
  int items = 0;
  while (items < 3) {
    auto next = co_await reader.next();
    if (!next) break;
    ++items;
  }
  co_return items;
}

}  // namespace

TEST_CASE("a shield holds the end of a stream off until its next yield, and no longer") {
  for (int core = 0; core < 2; ++core) {
    for (const Duration pause : {Duration::zero(), Duration{10s}}) {
      CAPTURE(core);
      test::World w{1};
      Scene scene{w, core};
      CHECK_EQ(w.block_on(read_three_shielded(scene.counter, pause)), 3);
      w.advance(1h);
      CHECK_LE(scene.book->yielded, 8);  // what credit there was
      CHECK_EQ(scene.counter.address().cell->extras->streams, 0);
      CHECK(w.block_on(scene.counter.within(1s).ask(Ping{})).has_value());
    }
  }
}

TEST_CASE("a reader that leaves before its source has begun ends it as well") {
  for (int core = 0; core < 2; ++core) {
    test::World w{1};
    Scene scene{w, core};
    w.block_on([](Ref<Counter> from) -> Task<void> {
      from.tell(Nap{1s});
      auto reader = from.stream(Count{1000, 1h});
      co_await sleep(10ms);
    }(scene.counter));
    w.advance(2s);
    CHECK_EQ(scene.book->frames, 0);
    CHECK(w.block_on(scene.counter.within(1s).ask(Ping{})).has_value());
  }
}

TEST_CASE("the death or restart of a reader's actor ends its streams") {
  for (int core = 0; core < 2; ++core) {
    for (const bool restarts : {false, true}) {
      test::World w{1};
      Scene scene{w, core};
      auto follower = w.spawn<Follower>({});
      follower.tell(Follow{scene.counter, {1'000'000, 1ms}});
      w.advance(100ms);
      REQUIRE_EQ(scene.book->frames, 1);
      if (restarts) follower.tell(Break{});
      if (!restarts) lifecycle::request_stop(nullptr, follower.address());
      w.advance(1s);
      CHECK_EQ(scene.book->frames, 0);
    }
  }
}

TEST_CASE("the death or restart of a source's actor is a failure that says so") {
  for (int core = 0; core < 2; ++core) {
    for (const bool restarts : {false, true}) {
      test::World w{1};
      Scene scene{w, core};
      auto result = std::make_shared<Read>();
      w.system().run_as_guest([](Ref<Counter> from, std::shared_ptr<Read> into) -> Task<void> {
        auto got = co_await read_from(from, {1'000'000}, {.credit = 4}, 1'000'000, 1ms);
        *into = std::move(got);
      }(scene.counter, result));
      w.advance(100ms);
      if (restarts) scene.counter.tell(Break{});
      if (!restarts) lifecycle::request_stop(nullptr, scene.counter.address());
      w.advance(1s);
      CHECK_EQ(result->items, up_to(static_cast<int>(result->items.size())));
      REQUIRE(result->failure);
      CHECK_EQ(result->failure->outcome, Outcome::executed_failed);
      CHECK_EQ(result->failure->what, restarts ? "the actor was restarted" : "the actor stopped");
      CHECK_EQ(scene.book->frames, 0);
    }
  }
}

TEST_CASE("an actor that drains does not wait for the readers of its streams") {
  for (int core = 0; core < 2; ++core) {
    test::World w{1};
    Scene scene{w, core};
    auto result = std::make_shared<Read>();
    w.system().run_as_guest([](Ref<Counter> from, std::shared_ptr<Read> into) -> Task<void> {
      auto got = co_await read_from(from, {1'000'000}, {.credit = 4}, 1'000'000, 10ms);
      *into = std::move(got);
    }(scene.counter, result));
    w.advance(100ms);
    lifecycle::request_drain(nullptr, scene.counter.address());
    w.advance(100ms);
    CHECK_EQ(result->failure.value().what, "the actor stopped");
    CHECK_EQ(scene.book->frames, 0);
  }
}

TEST_CASE(
    "a stream of nobody, of the dead, and one too many is refused before "
    "it begins") {
  for (int core = 0; core < 2; ++core) {
    test::World w{1};
    Scene scene{w, core, {.in_flight_max = 2}};
    CHECK_EQ(w.block_on(read_from({}, {1})).failure.value().outcome, Outcome::not_executed);
    const auto third = w.block_on([](Ref<Counter> from) -> Task<Read> {
      auto first = from.stream(Count{1000}, {.credit = 1});
      auto second = from.stream(Count{1000}, {.credit = 1});
      auto got = co_await read_from(from, {1});
      co_return got;
    }(scene.counter));
    CHECK_EQ(third.failure.value().what, "the actor has too many streams already");
    CHECK(third.failure->safe_to_retry());
    const auto types = figures_of(w.system());
    CHECK(std::ranges::any_of(types, [](const auto& type) { return type.dropped[std::size_t(Drop::full)] == 1; }));
    w.run_until_idle();
    CHECK_EQ(w.block_on(read_from(scene.counter, {1})).items, up_to(1));
    lifecycle::request_stop(nullptr, scene.counter.address());
    w.run_until_idle();
    CHECK_EQ(w.block_on(read_from(scene.counter, {1})).failure.value().outcome, Outcome::not_executed);
  }
}

TEST_CASE(
    "a stream that is closed while a handler waits for its next item "
    "tells that handler") {
  test::World w{1};
  Scene scene{w, 1};
  auto reader = std::make_shared<StreamReader<int, Refusal>>();
  auto told = std::make_shared<std::string>();
  w.system().run_as_guest([](Ref<Counter> from, auto shared, auto out) -> Task<void> {
    *shared = from.stream(Count{1, 1h});
    auto next = co_await shared->next();
    if (next.failure() != nullptr) *out = next.failure()->what;
  }(scene.counter, reader, told));
  w.system().run_as_guest([](auto shared) -> Task<void> {
    co_await sleep(10ms);
    shared->close();
  }(reader));
  w.advance(1s);
  CHECK_EQ(*told, "there is nobody to read from, or the stream was closed");
  CHECK_EQ(scene.book->frames, 0);
}

TEST_CASE(
    "a stream is bounded by its idle time and by the deadline of the ask "
    "that reads it") {
  struct Gather {
    Ref<Counter> from;
    Count what;
    using reply = int;
  };
  struct Gatherer {
    Task<int> handle(Gather m) {
      auto reader = m.from.stream(m.what);
      for (;;) {
        auto next = co_await reader.next();
        if (next.failure() != nullptr) break;
        if (!next) break;
      }
      co_return 1;
    }
  };
  for (int core = 0; core < 2; ++core) {
    test::World w{1};
    Scene scene{w, core};
    const auto slow = w.block_on(read_from(scene.counter, {10, 50ms}, {.idle_max = 100ms}));
    CHECK_EQ(slow.items, up_to(10));
    const auto idle = w.block_on(read_from(scene.counter, {10, 200ms}, {.idle_max = 100ms}));
    CHECK_EQ(idle.failure.value().outcome, Outcome::unknown);
    auto gatherer = w.spawn<Gatherer>({});
    CHECK_FALSE(w.block_on(gatherer.within(1s).ask(Gather{scene.counter, {1000, 10ms}})).has_value());
    w.advance(100ms);
    CHECK_EQ(scene.book->frames, 0);
  }
}
