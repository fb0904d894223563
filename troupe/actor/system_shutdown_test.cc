// Shutdown in every state of its actors, and what becomes of those who wait for them.
#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <barrier>
#include <csignal>

#include "troupe/actor/sim/explore.h"

using namespace troupe::actor;
using namespace std::chrono_literals;

namespace {

struct Ping {
  using reply = int;
};
struct Nap {
  Duration length;
  using reply = int;
};
struct Job {
  Duration length;
  using reply = int;
};
struct Break {};

class Sleeper {
 public:
  int handle(Ping) { return 1; }
  Task<int> handle(Nap m) {
    co_await sleep(m.length);
    co_return 1;
  }
  Task<int> handle(Job m) {
    auto done = co_await blocking([length = m.length] {
      std::this_thread::sleep_for(length);
      return 1;
    });
    co_return done;
  }
  void handle(Break) { throw std::runtime_error("broken"); }
};

class Hardened {
 public:
  void handle(Break) {}
  int handle(Ping) { return 1; }
};

SystemOptions quiet(int cores) {
  return {.cores = cores, .report = [](const std::string&) {}};
}

Task<int> nap_then_ask(Ref<Sleeper> who) {
  co_await sleep(1h);
  auto one = co_await who.ask(Ping{});
  co_return one.value();
}

}  // namespace

TEST_CASE("whoever asks while the system ends gets one outcome, and nobody waits for ever") {
  for (int round = 0; round < 10; ++round) {
    System system{quiet(2)};
    Ref<Sleeper> actors[] = {system.spawn<Sleeper>({.core = 0}), system.spawn<Sleeper>({.core = 1})};
    std::barrier start{4};
    std::atomic<int> answered{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 3; ++t) {
      threads.emplace_back([&, t] {
        start.arrive_and_wait();
        for (int i = 0; i < 50; ++i) {
          auto one = system.block_on(actors[(i + t) % 2].ask(Ping{}));
          if (one) ++answered;
          if (!one) CHECK_NE(one.error().outcome, Outcome::answered);
        }
      });
    }
    start.arrive_and_wait();
    std::this_thread::sleep_for(std::chrono::microseconds{200 * round});
    CHECK(system.shutdown());
    for (auto& thread : threads) thread.join();
  }
}

TEST_CASE("a thread that waits for a task is told when the system ends first, or has ended") {
  System system{quiet(2)};
  auto actor = system.spawn<Sleeper>({.core = 1});
  std::thread waiting{[&] { CHECK_THROWS_AS(system.block_on(nap_then_ask(actor)), SystemEnded); }};
  CHECK_EQ(system.block_on(actor.ask(Ping{})).value(), 1);
  system.shutdown();
  waiting.join();
  CHECK_THROWS_AS(system.block_on(nap_then_ask(actor)), SystemEnded);
  CHECK_EQ(system.block_on(actor.ask(Ping{})).error().outcome, Outcome::unknown);
  CHECK_EQ(actor.tell(Break{}), Sent::dead);
}

TEST_CASE("a thread that waits is told when the system gives up, and so is one that begins to wait later") {
  SystemOptions options = quiet(2);
  options.supervision.decide = [](const Fault&) -> Decision { return Directive::escalate; };
  System system{std::move(options)};
  auto actor = system.spawn<Sleeper>({.core = 1});
  std::thread task{[&] { CHECK_THROWS_AS(system.block_on(nap_then_ask(actor)), SystemEnded); }};
  std::thread ask{
      [&] { CHECK_EQ(system.block_on(actor.ask(Nap{1h}, {.within = 2h})).error().outcome, Outcome::unknown); }};
  system.spawn<Sleeper>({}).tell(Break{});
  task.join();
  ask.join();
  CHECK(system.failed());
  CHECK_EQ(system.block_on(actor.ask(Ping{})).error().outcome, Outcome::unknown);
  CHECK_FALSE(system.shutdown());
}

TEST_CASE("who asks to be told of a failure in the moment in which it happens is told once") {
  for (int round = 0; round < 200; ++round) {
    SystemOptions options = quiet(1);
    options.supervision.decide = [](const Fault&) -> Decision { return Directive::escalate; };
    System system{std::move(options)};
    std::atomic<int> told{0};
    system.spawn<Sleeper>({}).tell(Break{});
    while (!system.failed()) {
    }
    system.on_failure([&told] { ++told; });
    CHECK_FALSE(system.shutdown());
    REQUIRE_EQ(told, 1);
  }
}

TEST_CASE("who shuts down on a core's thread, which would wait for itself, is told so and not kept waiting") {
  SystemOptions options = quiet(2);
  options.supervision.decide = [](const Fault&) -> Decision { return Directive::escalate; };
  std::fflush(nullptr);
  const pid_t process = ::fork();
  REQUIRE_GE(process, 0);
  if (process == 0) {
    std::freopen("/dev/null", "w", stderr);
    std::signal(SIGABRT, SIG_DFL);  // doctest would tell of it, on a thread of the system
    System system{std::move(options)};
    system.on_failure([&system] { system.shutdown(); });
    system.spawn<Sleeper>({}).tell(Break{});
    std::this_thread::sleep_for(20s);
    std::_Exit(0);
  }
  int status = 0;
  REQUIRE_EQ(::waitpid(process, &status, 0), process);
  CAPTURE(status);
  CHECK(WIFSIGNALED(status));
  CHECK_EQ(WTERMSIG(status), SIGABRT);
}

TEST_CASE("threads that keep spawning do not keep a system from its end") {
  System system{quiet(2)};
  std::atomic<bool> over{false};
  std::atomic<int> spawned{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      while (!over) {
        system.spawn<Hardened>({.core = t % 2}).tell(Break{});
        ++spawned;
      }
    });
  }
  while (spawned < 2000) std::this_thread::yield();
  CHECK(system.shutdown());
  over = true;
  for (auto& thread : threads) thread.join();
}

TEST_CASE("threads that publish to a hundred actors without end keep a system neither from its phases nor its end") {
  System system{quiet(2)};
  const Topic<Break> topic{system, "all"};
  std::vector<Ref<Hardened>> actors;
  for (int i = 0; i < 100; ++i) topic.subscribe(actors.emplace_back(system.spawn<Hardened>({.core = i % 2})));
  for (const auto& actor : actors) REQUIRE_EQ(system.block_on(actor.ask(Ping{})).value(), 1);
  const auto other = system.spawn<Hardened>({.core = 1});  // whose mailbox nobody fills
  int answered = 0;
  system.shutdown_phases().add({.name = "talk", .timeout = 25s}, [&]() -> Task<void> {
    for (int i = 0; i < 100; ++i) {
      const auto one = co_await other.ask(Ping{}, {.within = 25s});
      if (one) ++answered;
    }
  });

  std::atomic<bool> over{false};
  std::atomic<bool> all_is_full{false};
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&] {
      while (!over) {
        if (topic.publish(Break{}) != Sent::sent) all_is_full = true;
      }
    });
  }
  while (!all_is_full) std::this_thread::yield();
  CHECK(system.shutdown());
  over = true;
  for (auto& thread : threads) thread.join();
  CHECK_EQ(answered, 100);
}

TEST_CASE("a thread that waits is not told that the system has ended because others have filled the way to it") {
  System system{quiet(1)};
  const auto actor = system.spawn<Hardened>({});
  const auto other = system.spawn<Hardened>({});
  std::promise<void> go_on;
  system.run_as_guest([](std::shared_future<void> signal) -> Task<void> {
    signal.wait();  // nothing is taken meanwhile
    co_return;
  }(go_on.get_future().share()));
  while (actor.tell(Break{}) != Sent::full) {
  }
  int phases = 0;
  system.shutdown_phases().add({.name = "step"}, [&phases]() -> Task<void> {
    ++phases;
    co_return;
  });
  std::thread waiting{[&] { CHECK_EQ(system.block_on(other.ask(Ping{}, {.within = 1min})).value(), 1); }};
  std::this_thread::sleep_for(10ms);  // so that it most likely comes to the full way; right it must be in any case
  go_on.set_value();
  waiting.join();
  CHECK(system.shutdown());
  CHECK_EQ(phases, 1);
}

namespace {

struct Order {
  static constexpr auto message_class = MessageClass::control;
};
struct Obedient {
  void handle(Order) {}
};

}  // namespace

TEST_CASE("control messages of threads have no bound but at the end of their system, which they do not hold up") {
  System system{quiet(2)};
  const Ref<Obedient> actors[] = {system.spawn<Obedient>({.core = 0}), system.spawn<Obedient>({.core = 1})};
  std::atomic<bool> over{false};
  std::atomic<int> sent{0};
  std::atomic<int> not_taken{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&, t] {
      while (!over) {
        if (const Sent one = actors[t % 2].tell(Order{}); one == Sent::sent) {
          ++sent;
        } else if (one != Sent::dead) {
          ++not_taken;
        }
      }
    });
  }
  while (sent < 100'000) std::this_thread::yield();
  CHECK(system.shutdown());
  over = true;
  for (auto& thread : threads) thread.join();
  CHECK_EQ(not_taken, 0);
}

TEST_CASE("two threads may shut down at once; both return when it is done") {
  for (int round = 0; round < 10; ++round) {
    System system{quiet(2)};
    system.spawn<Sleeper>({.core = 1}).tell(Break{});
    std::thread other{[&] { CHECK(system.shutdown()); }};
    CHECK(system.shutdown());
    other.join();
  }
}

TEST_CASE("a system ends while its actors sleep, fail, wait for a restart, or wait for a blocking job") {
  for (int round = 0; round < 6; ++round) {
    System system{quiet(2)};
    for (int i = 0; i < 20; ++i) {
      auto actor = system.spawn<Sleeper>({.core = i % 2});
      if (i % 4 == 0) actor.tell(Nap{1h});
      if (i % 4 == 1) actor.tell(Break{});
      if (i % 4 == 2) actor.tell(Job{1ms});
    }
    std::this_thread::sleep_for(std::chrono::milliseconds{round});
    CHECK(system.shutdown());
  }
}

TEST_CASE("a simulated system ends in whatever state a seed has brought it to") {
  test::explore({.schedules = 100}, [&](test::Seed seed) {
    test::World w{seed};
    for (int i = 0; i < 6; ++i) {
      auto actor = w.spawn<Sleeper>({.core = i % 2});
      if (i < 2) actor.tell(Nap{1h});
      if (i >= 2 && i < 4) actor.tell(Break{});
      if (i == 4) lifecycle::request_stop(nullptr, actor.address());  // perhaps before its start has come
    }
    w.advance(std::chrono::milliseconds{static_cast<std::int64_t>(seed.number % 100)});
    w.shutdown();
  });
}

#if !defined(__SANITIZE_THREAD__) && !__has_feature(thread_sanitizer)
/// The process has ended itself because its system did not.
void check_given_up(pid_t child) {
  int status = 0;
  REQUIRE_EQ(waitpid(child, &status, 0), child);
  REQUIRE(WIFEXITED(status));
  CHECK_EQ(WEXITSTATUS(status), 70);
}

TEST_CASE("a handler that hangs does not keep the process: it ends with status 70") {
  const pid_t child = fork();
  if (child == 0) {
    SystemOptions options = quiet(2);
    options.shutdown_max = 200ms;
    System system{std::move(options)};
    struct Hang {};
    struct Hanging {
      int begun;
      explicit Hanging(int where) : begun(where) {}
      void handle(Hang) {
        (void)!::write(begun, "!", 1);
        std::this_thread::sleep_for(1h);
      }
    };
    int begun[2];
    char said = 0;
    if (::pipe(begun) != 0) _exit(1);
    auto hanging = system.spawn<Hanging>({.core = 1, .shutdown = 10ms}, begun[1]);
    hanging.tell(Hang{});
    if (::read(begun[0], &said, 1) != 1) _exit(2);
    system.shutdown();
    _exit(0);
  }
  check_given_up(child);
}

TEST_CASE("a blocking job that hangs does not keep the process either") {
  const pid_t child = fork();
  if (child == 0) {
    SystemOptions options = quiet(1);
    options.shutdown_max = 200ms;
    System system{std::move(options)};
    int begun[2];
    char said = 0;
    if (::pipe(begun) != 0) _exit(1);
    system.run_as_guest([](int where) -> Task<void> {
      co_await blocking([where] {
        (void)!::write(where, "!", 1);
        std::this_thread::sleep_for(1h);
      });
    }(begun[1]));
    if (::read(begun[0], &said, 1) != 1) _exit(2);
    system.shutdown();
    _exit(0);
  }
  check_given_up(child);
}
#endif

TEST_CASE("a shutdown that may take as long as it takes is not over at once") {
  SystemOptions options = quiet(1);
  options.shutdown_max = Duration::max();
  System system{std::move(options)};
  bool phase_was_reached = false;
  system.shutdown_phases().add({.name = "long", .timeout = Duration::max()}, [&]() -> Task<void> {
    phase_was_reached = true;
    co_return;
  });
  CHECK(system.shutdown());
  CHECK(phase_was_reached);
}

TEST_CASE("a blocking job that waits for an actor is told when the system ends, and does not hold up its end") {
  struct Told {
    std::promise<void> begun;
    std::atomic<bool> may_ask = false;
    Outcome outcome = Outcome::answered;
  } told;
  System system{quiet(2)};
  auto actor = system.spawn<Sleeper>({.core = 1});
  system.run_as_guest([](System* whole, Ref<Sleeper> whom, Told* out) -> Task<void> {
    co_await blocking([=] {
      out->begun.set_value();
      out->may_ask.wait(false);
      Answer<Ping> last;
      do last = whole->block_on(whom.ask(Ping{}));
      while (last);  // until the last turn of the cores it may still be answered
      out->outcome = whole->block_on(whom.ask(Ping{})).error().outcome;
    });
  }(&system, actor, &told));
  told.begun.get_future().wait();
  std::thread asking{[&told] {
    std::this_thread::sleep_for(20ms);  // the shutdown waits for the job by then
    told.may_ask = true;
    told.may_ask.notify_all();
  }};
  CHECK(system.shutdown());
  asking.join();
  CHECK_EQ(told.outcome, Outcome::unknown);
}

TEST_CASE("thousands of tasks may wait to begin, and each is run; of one that comes too late its thread is told") {
  System system{quiet(1)};
  auto actor = system.spawn<Sleeper>({});
  std::atomic<int> run = 0;
  std::promise<void> go_on;
  system.run_as_guest([](std::shared_future<void> signal) -> Task<void> {
    signal.wait();  // nothing else begins meanwhile
    co_return;
  }(go_on.get_future().share()));
  for (int i = 0; i < 20'000; ++i) {
    const Sent sent = system.run_as_guest([](std::atomic<int>& count) -> Task<void> {
      ++count;
      co_return;
    }(run));
    if (sent != Sent::sent) FAIL("not taken");
  }
  go_on.set_value();
  CHECK_EQ(system.block_on(actor.ask(Ping{})).value(), 1);
  CHECK_EQ(run.load(), 20'000);
  system.shutdown();
  CHECK_EQ(system.run_as_guest([]() -> Task<void> { co_return; }()), Sent::dead);
}
