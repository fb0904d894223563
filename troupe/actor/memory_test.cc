// What actors cost: nothing from the heap for a warm tell or ask, and little for one that is idle.
#include <doctest/doctest.h>
#include <malloc.h>

#include "troupe/actor/sim/world.h"

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) && !__has_feature(address_sanitizer) && \
    !__has_feature(thread_sanitizer)

using namespace troupe::actor;
using namespace std::chrono_literals;

namespace {

thread_local std::size_t allocations = 0;  // an actor counts those of its own core
thread_local std::size_t bytes_taken = 0;  // with what the heap keeps beside each block

}  // namespace

// Replaced for the whole executable: counts, and is otherwise the C library's.
void* operator new(std::size_t bytes) {
  ++allocations;
  if (void* memory = std::malloc(bytes)) {
    bytes_taken += malloc_usable_size(memory) + sizeof(std::size_t);
    return memory;
  }
  throw std::bad_alloc{};
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace {

struct Inc {};
struct Get {
  using reply = std::int64_t;
};
struct Nap {};
struct Pieces {
  int count;
  using item = int;
};
/// How often the thread of its core has asked the heap for memory so far.
struct Allocations {
  using reply = std::size_t;
};
class Counter {
 public:
  void handle(Inc) { ++n_; }
  void handle(const Published<Inc>&) { ++n_; }
  std::int64_t handle(Get) { return n_; }
  Task<void> handle(Nap, Context& ctx) {
    co_await ctx.sleep(1ms);
    ctx.after(this, 1ms, Inc{});
  }
  Stream<int> handle(Pieces m) {
    for (int i = 0; i < m.count; ++i) co_yield i;
  }
  std::size_t handle(Allocations) { return allocations; }

 private:
  std::int64_t n_ = 0;
};

enum class Way { tell, ask, send, handlers_that_wait, after, keyed, every, stream, topic };
struct Taken {
  std::size_t here = 0;
  std::size_t there = 0;
};
struct Run {
  Way way;
  int rounds;
  using reply = Taken;
};
/// Talks to another, on its own core or on the next, and tells what that took from the heap on both.
class Talker {
 public:
  explicit Talker(Ref<Counter> other) : other_(other) {}

  Task<Taken> handle(Run m, Context& ctx) {
    auto there_before = co_await other_.ask(Allocations{});
    const std::size_t before = allocations;
    for (int i = 0; i < m.rounds; ++i) co_await once(m.way, ctx);
    const std::size_t here = allocations - before;
    auto there = co_await other_.ask(Allocations{});
    co_return Taken{here, there.value() - there_before.value()};
  }
  void handle(Inc) {}

 private:
  Task<void> once(Way way, Context& ctx) {
    switch (way) {
      case Way::tell:
        for (int k = 0; k < 10; ++k) other_.tell(Inc{});
        break;
      case Way::ask:
        break;  // as after every other
      case Way::send: {
        const Sent sent = co_await other_.send(Inc{});
        if (sent != Sent::sent) throw std::runtime_error("not sent");
        break;
      }
      case Way::handlers_that_wait:
        other_.tell(Nap{});
        co_await ctx.sleep(5ms);
        break;
      case Way::after:
        ctx.after(this, 1ms, Inc{});
        co_await ctx.sleep(3ms);
        break;
      case Way::keyed:
        for (int k = 0; k < 3; ++k) ctx.after(this, "fifteen letters", 1ms, Inc{});
        ctx.cancel("fifteen letters");
        break;
      case Way::every:
        ctx.every(this, "tick", 1ms, Inc{});
        co_await ctx.sleep(10ms);
        ctx.cancel("tick");
        break;
      case Way::stream: {
        auto pieces = other_.stream(Pieces{200});
        int last = -1;
        for (;;) {
          auto piece = co_await pieces.next();
          if (!piece) break;
          last = *piece;
        }
        if (last != 199) throw std::runtime_error("the stream is not whole");
        break;
      }
      case Way::topic:
        Topic<Inc>{ctx, "incs"}.publish("a.b", Inc{});
        break;
    }
    auto n = co_await other_.ask(Get{});
    if (!n) throw std::runtime_error(n.error().what);
  }

  Ref<Counter> other_;
};

struct Row {
  std::string_view what;
  Way way;
  std::size_t here = 0;  // allocations of one round on the talker's core
};

}  // namespace

TEST_CASE(
    "once warm nothing is taken from the heap, on one core and across two, but one block a stream or publication") {
  const Row rows[] = {
      {"tell", Way::tell},      {"ask", Way::ask},
      {"send", Way::send},      {"handlers that wait", Way::handlers_that_wait},
      {"after", Way::after},    {"keyed timers", Way::keyed},
      {"every", Way::every},    {"streams", Way::stream, 1},  // the room for its items, when it is opened
      {"topics", Way::topic, 1}};                             // the value that all subscribers share
  for (const int core : {0, 1}) {
    System system{{.cores = 2, .report = [](const std::string&) {}}};
    auto counter = system.spawn<Counter>({.core = core});
    auto talker = system.spawn<Talker>({.core = 0}, counter);
    Topic<Inc>{system, "incs"}.subscribe(counter);
    for (const Row& row : rows) {
      CAPTURE(row.what);
      CAPTURE(core);
      constexpr int rounds = 30;
      system.block_on(talker.ask(Run{row.way, 200}, {.within = 1min})).value();
      const Taken taken = system.block_on(talker.ask(Run{row.way, rounds}, {.within = 1min})).value();
      CHECK_EQ(taken.here, rounds * row.here);
      CHECK_EQ(taken.there, core == 0 ? taken.here : 0);
    }
  }
}

namespace {

enum class Has { nothing, name, timer, child, error };
struct Hatch {
  int count;
  Has each_has = Has::nothing;
};
struct Weigh : Hatch {
  using reply = double;
};
struct Break {};
class Chick {
 public:
  explicit Chick(Has has) : has_(has) {}
  void started(Context& ctx) {
    if (has_ == Has::timer) ctx.after(this, 1h, Inc{});
    if (has_ == Has::child) ctx.spawn<Chick>({}, Has::nothing);
  }
  void handle(Inc) {}
  void handle(Break) { throw std::runtime_error("broken"); }

 private:
  Has has_;
};
class Nest {
 public:
  /// How many bytes each of so many idle actors takes beside its object, once it has started.
  Task<double> handle(Weigh m, Context& ctx) {
    const std::size_t object = bytes_of_object();
    const std::size_t before = bytes_taken;
    for (int i = 0; i < m.count; ++i) {
      const auto chick =
          ctx.spawn<Chick>({.name = m.each_has == Has::name ? std::to_string(i) : std::string{}}, m.each_has);
      if (m.each_has == Has::error) chick.tell(Break{});
    }
    co_await ctx.sleep(2s);
    co_return static_cast<double>(bytes_taken - before) / m.count - static_cast<double>(object);
  }

 private:
  static std::size_t bytes_of_object() {
    const std::size_t before = bytes_taken;
    const auto body = detail::make_body<Chick>(Has::nothing);
    return bytes_taken - before;
  }
};

}  // namespace

TEST_CASE("an idle actor costs 256 bytes beside its object, and what few have costs those few") {
  struct Cost {
    std::string_view what;
    Has has;
    double most;
  };
  const Cost costs[] = {
      {"nothing more", Has::nothing, 257},  // its cell, its parent's note on it, and the heap's own on their slabs
      {"a name", Has::name, 690},          {"a timer", Has::timer, 960},
      {"a child", Has::child, 980},        {"an error behind it", Has::error, 1090},
  };
  for (const Cost& cost : costs) {
    CAPTURE(cost.what);
    System system{{.cores = 1, .report = [](const std::string&) {}}};
    const Supervision resumes{.decide = [](const Fault&) { return Decision{Directive::resume}; }};
    const auto nest = system.spawn<Nest>({.supervision = resumes});
    system.block_on(nest.ask(Weigh{{10, cost.has}})).value();
    const double each = system.block_on(nest.ask(Weigh{{16'384, cost.has}}, {.within = 1min})).value();
    MESSAGE("bytes for an idle actor with " << cost.what << ": " << each);
    CHECK_LE(each, cost.most);
  }
}

namespace {

struct Question {
  int rounds;
  using reply = std::size_t;
};
/// Keeps what it has hatched, and makes all of them answer.
class Hive {
 public:
  void handle(Hatch m, Context& ctx) {
    for (int i = 0; i < m.count; ++i) all_.push_back(ctx.spawn<Counter>({}));
  }
  Task<std::size_t> handle(Question m) {
    std::size_t answered = 0;
    for (int round = 0; round < m.rounds; ++round) {
      for (const auto& one : all_) one.tell(Inc{});
    }
    for (const auto& one : all_) {
      const auto n = co_await one.ask(Get{}, {.within = 1min});  // the first waits for all that was told
      answered += n && *n == m.rounds ? 1 : 0;
    }
    co_return answered;
  }

 private:
  std::vector<Ref<Counter>> all_;
};

}  // namespace

TEST_CASE("a million actors live in one process, and every one of them handles its messages") {
  System system{{.cores = 1, .report = [](const std::string&) {}}};
  auto hive = system.spawn<Hive>({});
  for (int i = 0; i < 100; ++i) hive.tell(Hatch{10'000});
  CHECK_EQ(system.block_on(hive.ask(Question{2}, {.within = 1min})).value(), 1'000'000);
}

#else
TEST_CASE("under a sanitizer, which allocates for itself, nothing is counted") {}
#endif
