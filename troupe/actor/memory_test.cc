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
class Counter {
 public:
  void handle(Inc) { ++n_; }
  std::int64_t handle(Get) { return n_; }
  Task<void> handle(Nap, Context& ctx) {
    co_await ctx.sleep(1ms);
    ctx.after(this, 1ms, Inc{});
  }

 private:
  std::int64_t n_ = 0;
};

struct Run {
  int rounds;
  using reply = std::size_t;
};
struct RunNaps : Run {
  using reply = std::size_t;
};
/// Talks to another on its core, and tells how many allocations that took.
class Talker {
 public:
  explicit Talker(Ref<Counter> other) : other_(other) {}
  Task<std::size_t> handle(Run m) {
    const std::size_t before = allocations;
    for (int i = 0; i < m.rounds; ++i) {
      for (int k = 0; k < 10; ++k) other_.tell(Inc{});
      auto n = co_await other_.ask(Get{});
      if (!n) co_return SIZE_MAX;
    }
    co_return allocations - before;
  }
  Task<std::size_t> handle(RunNaps m, Context& ctx) {
    const std::size_t before = allocations;
    for (int i = 0; i < m.rounds; ++i) {
      other_.tell(Nap{});
      co_await ctx.sleep(5ms);
    }
    co_return allocations - before;
  }

 private:
  Ref<Counter> other_;
};

}  // namespace

TEST_CASE("tells, asks, handlers that wait, and timers need nothing from the heap on one core, once warm") {
  System system{{.cores = 1, .report = [](const std::string&) {}}};
  auto counter = system.spawn<Counter>({});
  auto talker = system.spawn<Talker>({}, counter);
  system.block_on(talker.ask(Run{100})).value();
  CHECK_EQ(system.block_on(talker.ask(Run{1000}, {.within = 1min})).value(), 0);
  system.block_on(talker.ask(RunNaps{{3}})).value();
  CHECK_EQ(system.block_on(talker.ask(RunNaps{{20}}, {.within = 1min})).value(), 0);
}

namespace {

struct Hatch {
  int count;
};
struct Weigh : Hatch {
  using reply = double;
};
class Nest {
 public:
  /// How many bytes each of so many idle actors takes.
  double handle(Weigh m, Context& ctx) {
    const std::size_t before = bytes_taken;
    for (int i = 0; i < m.count; ++i) ctx.spawn<Counter>({});
    return static_cast<double>(bytes_taken - before) / m.count;
  }
};

}  // namespace

TEST_CASE("an idle actor costs little beside its object") {
  System system{{.cores = 1, .report = [](const std::string&) {}}};
  const auto nest = system.spawn<Nest>({});
  system.block_on(nest.ask(Weigh{{10}})).value();
  const double each = system.block_on(nest.ask(Weigh{{20'000}})).value();
  MESSAGE("bytes for an idle actor: " << each << ", of which its cell " << sizeof(Cell));
  // Its cell, its parent's note on it, and the heap's block around its object.
  CHECK_LE(each, 256 + 32 + 2);
}

namespace {

/// Keeps what it has hatched, and makes all of them answer.
class Hive {
 public:
  void handle(Hatch m, Context& ctx) {
    for (int i = 0; i < m.count; ++i) all_.push_back(ctx.spawn<Counter>({}));
  }
  Task<std::size_t> handle(Run m) {
    std::size_t answered = 0;
    for (int round = 0; round < m.rounds; ++round) {
      for (const auto& one : all_) one.tell(Inc{});
    }
    for (const auto& one : all_) {
      const auto n = co_await one.ask(Get{});
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
  CHECK_EQ(system.block_on(hive.ask(Run{2}, {.within = 1min})).value(), 1'000'000);
}

#else
TEST_CASE("under a sanitizer, which allocates for itself, nothing is counted") {}
#endif
