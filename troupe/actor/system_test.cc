// The real thing: threads, epoll, foreign threads and blocking jobs.
#include "troupe/actor/system.h"

#include <doctest/doctest.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <barrier>
#include <set>
#include <thread>

#include "troupe/actor/service.h"

using namespace troupe::actor;
using namespace std::chrono_literals;

namespace {

struct Inc {
  std::int64_t by = 1;
};
struct Get {
  using reply = std::int64_t;
};
class Counter {
 public:
  void handle(Inc m) { n_ += m.by; }
  std::int64_t handle(Get) { return n_; }

 private:
  std::int64_t n_ = 0;
};

struct Run {
  int rounds;
  using reply = std::int64_t;
};
class Asker {
 public:
  explicit Asker(Ref<Counter> other) : other_(other) {}
  Task<std::int64_t> handle(Run m) {
    std::int64_t last = 0;
    for (int i = 0; i < m.rounds; ++i) {
      other_.tell(Inc{});
      auto now = co_await other_.ask(Get{});
      last = now.value();
    }
    co_return last;
  }

 private:
  Ref<Counter> other_;
};

struct Work {
  int n;
  using reply = int;
};
class Worker {
 public:
  Task<int> handle(Work m) {
    auto result = co_await blocking([n = m.n] {
      if (n < 0) throw std::runtime_error("negative");
      return n * 2;
    });
    co_return result;
  }
};

struct Where {
  using reply = int;
};
class Somewhere {
 public:
  int handle(Where, Context& ctx) { return ctx.core().index(); }
};

SystemOptions quiet(int cores) {
  return {.cores = cores, .report = [](const std::string&) {}};
}

}  // namespace

TEST_CASE("actors on two threads talk without losing a message") {
  System system{quiet(2)};
  auto counter = system.spawn<Counter>({.core = 1});
  auto asker = system.spawn<Asker>({.core = 0}, counter);
  CHECK_EQ(system.block_on(asker.ask(Run{2000}, {.within = 60s})).value(), 2000);
}

TEST_CASE("foreign threads tell and ask") {
  System system{quiet(2)};
  auto counter = system.spawn<Counter>({.core = 1, .mailbox = {.capacity = 100'000}});
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([counter] {
      for (int i = 0; i < 1000; ++i) {
        while (counter.tell(Inc{}) != Sent::sent) std::this_thread::yield();
      }
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK_EQ(system.block_on(counter.ask(Get{})).value(), 4000);
}

TEST_CASE("a blocking job comes back with its value or its exception") {
  System system{quiet(1)};
  auto worker = system.spawn<Worker>({.supervision = {}});
  CHECK_EQ(system.block_on(worker.ask(Work{21})).value(), 42);
  CHECK_EQ(system.block_on(worker.ask(Work{-1})).error().outcome, Outcome::executed_failed);
  CHECK_EQ(system.block_on(worker.ask(Work{1})).value(), 2);
}

TEST_CASE("an actor runs on the core that it was given") {
  System system{quiet(3)};
  for (int core = 0; core < 3; ++core) {
    auto actor = system.spawn<Somewhere>({.core = core});
    CHECK_EQ(system.block_on(actor.ask(Where{})).value(), core);
  }
}

namespace {

/// Has a thread tell it something while it is looked at, as one may that holds the lock which `inspect` waits for.
class Shared {
 public:
  explicit Shared(Ref<Shared>* self) : self_(self) {}
  void handle(Inc m) { n_ += m.by; }
  std::int64_t handle(Get) { return n_; }
  void inspect(Inspection& out) const {
    std::thread{[to = *self_] { to.tell(Inc{}); }}.join();
    out.add("told", 1);
  }

 private:
  Ref<Shared>* self_;
  std::int64_t n_ = 0;
};

}  // namespace

TEST_CASE("an actor that is looked at may wait for a thread that tells it something meanwhile") {
  System system{quiet(1)};
  Ref<Shared> shared;
  shared = system.spawn<Shared>({}, &shared);
  const auto actors = system.block_on(system.inspect());
  const auto seen = std::ranges::find(actors, "Shared", &InspectedActor::type);
  REQUIRE(seen != actors.end());
  CHECK_EQ(seen->details.size(), 1);
  CHECK_EQ(system.block_on(shared.ask(Get{})).value(), 1);
}

TEST_CASE("the tree shows every actor once, with its path") {
  System system{quiet(2)};
  auto counter = system.spawn<Counter>({.name = "counter", .core = 1});
  counter.tell(Inc{});
  system.block_on(counter.ask(Get{})).value();
  const auto tree = system.block_on(system.inspect());
  std::set<std::string> paths;
  for (const auto& actor : tree) {
    CHECK(paths.insert(actor.path).second);
    if (actor.path == "/counter") {
      CHECK_EQ(actor.type, "Counter");
      CHECK_EQ(actor.handled, 2);
      CHECK_EQ(actor.core, 1);
    }
  }
  CHECK(paths.contains("/"));
  CHECK(paths.contains("/counter"));
}

TEST_CASE("a system that is shut down at once, or twice, ends cleanly") {
  for (int i = 0; i < 20; ++i) {
    System system{quiet(2)};
    auto counter = system.spawn<Counter>({.core = i % 2});
    counter.tell(Inc{});
    CHECK(system.shutdown());
    CHECK(system.shutdown());
  }
}

namespace {

struct Use {
  using reply = std::int64_t;
};
/// Finds what it needs when it needs it.
struct User {
  Task<std::int64_t> handle(Use, Context& ctx) {
    auto counter = service<Counter>(ctx);
    counter.tell(Inc{});
    auto n = co_await counter.ask(Get{});
    co_return n.value();
  }
};

}  // namespace

TEST_CASE("threads and cores that ask for a service at once get one instance") {
  for (int round = 0; round < 20; ++round) {
    System system{quiet(2)};
    std::array users{system.spawn<User>({.core = 0}), system.spawn<User>({.core = 1})};
    std::barrier start{3};
    std::array<Ref<Counter>, 3> found;
    std::vector<std::thread> threads;
    for (std::size_t t = 0; t < found.size(); ++t) {
      threads.emplace_back([&, t] {
        start.arrive_and_wait();
        users[t % 2].tell(Use{});
        found[t] = service<Counter>(system);
      });
    }
    for (auto& thread : threads) thread.join();
    for (auto user : users) system.block_on(user.ask(Use{})).value();
    CHECK_EQ(found[0], found[1]);
    CHECK_EQ(found[1], found[2]);
    CHECK_EQ(system.block_on(found[0].ask(Get{})).value(), 5);
  }
}

namespace {

/// Waits for one event of a descriptor, and notes the core's time then.
class Listening final : public IoHandler {
 public:
  explicit Listening(int fd) : fd_(fd) {}
  void started(Context& ctx) {
    core_ = &ctx.core();
    core_->poller().add(fd_, {.read = true}, *this);
  }
  void on_io(IoEvents) override {
    core_->poller().remove(fd_, *this);
    seen_.store(core_->now().nanoseconds);
    seen_.notify_one();
  }
  std::int64_t handle(Get) { return 0; }

  static std::atomic<std::int64_t> seen_;

 private:
  int fd_;
  Core* core_ = nullptr;
};
std::atomic<std::int64_t> Listening::seen_{0};

}  // namespace

TEST_CASE("what a socket calls sees the time of now, however long the core slept before") {
  const int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  {
    System system{quiet(1)};
    auto listening = system.spawn<Listening>({.name = "listening"}, fd);
    REQUIRE_EQ(system.block_on(listening.ask(Get{})).value(), 0);
    while (!system.core(0).is_asleep()) std::this_thread::yield();
    const auto before = troupe::base::system_clock().now().nanoseconds;
    const std::uint64_t one = 1;
    REQUIRE_EQ(write(fd, &one, sizeof one), sizeof one);
    Listening::seen_.wait(0);
    CHECK_GE(Listening::seen_.load(), before);
  }
  close(fd);
}
