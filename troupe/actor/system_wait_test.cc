// Between two turns: who talks with another core looks for its answer for a while, who sleeps is woken once.
//
// Both cores stand on the test's thread, in an environment whose clock moves by a microsecond with each look at it, and
// whose pollers note how long they were asked to wait and how often they were woken.
#include <doctest/doctest.h>

#include "troupe/actor/system.h"

using namespace troupe::actor;
namespace base = troupe::base;
using namespace std::chrono_literals;

namespace {

class TickingClock final : public base::Clock {
 public:
  Instant now() const noexcept override {
    now_ = now_ + 1us;
    if (at_look_ && --looks_left_ == 0) std::exchange(at_look_, nullptr)();
    return now_;
  }
  base::UnixTime wall() const noexcept override { return base::UnixTime{1'700'000'000'000} + (now_ - Instant{}); }
  void pass(Duration time) noexcept { now_ = now_ + time; }
  Instant reading() const noexcept { return now_; }
  /// Calls `f` once, at the look with this number from now on.
  void at_look(int number, std::function<void()> f) {
    looks_left_ = number;
    at_look_ = std::move(f);
  }

 private:
  mutable Instant now_{};
  mutable int looks_left_ = 0;
  mutable std::function<void()> at_look_;
};

struct Seen {
  std::vector<std::optional<Duration>> waits;
  int wakes = 0;
  std::function<void()> while_waiting;
  std::function<void()> socket;  // has something, once

  int looks() const { return static_cast<int>(std::ranges::count(waits, std::optional{Duration::zero()})); }
  int sleeps() const { return static_cast<int>(waits.size()) - looks(); }
};

class NotingPoller final : public Poller {
 public:
  explicit NotingPoller(Seen& seen) : seen_(seen) {}
  void add(int, IoEvents, IoHandler&) override {}
  void change(int, IoEvents, IoHandler&) override {}
  void remove(int, IoHandler&) noexcept override {}
  bool wait(std::optional<Duration> timeout) override {
    seen_.waits.push_back(timeout);
    if (timeout != Duration::zero() && seen_.while_waiting) std::exchange(seen_.while_waiting, nullptr)();
    return seen_.socket != nullptr;
  }
  void dispatch() override { std::exchange(seen_.socket, nullptr)(); }
  void wake() noexcept override { ++seen_.wakes; }

 private:
  Seen& seen_;
};

struct Ball {};
/// Plays each ball to the other, if there is one.
class Player {
 public:
  explicit Player(Ref<Player> other = {}) : other_(other) {}
  void handle(Ball) {
    ++*balls;
    if (other_) other_.tell(Ball{});
  }
  static std::shared_ptr<int> balls;

 private:
  Ref<Player> other_;
};
std::shared_ptr<int> Player::balls = std::make_shared<int>(0);

class TwoCores final : public Environment {
 public:
  TwoCores() : system_({.cores = 2, .stall_limit = 0ms, .environment = this}) {}

  base::Clock& clock() override { return ticking; }
  std::unique_ptr<base::Random> random(int core) override {
    return std::make_unique<base::SeededRandom>(static_cast<std::uint64_t>(core));
  }
  std::unique_ptr<Poller> poller() override { return std::make_unique<NotingPoller>(seen[pollers_++]); }
  std::unique_ptr<Offload> offload() override { return thread_offload({}); }
  void adjust(CoreOptions& options) override { options.spin = 20us; }
  void wait_for(const std::function<bool()>& ready) override {
    while (!ready()) settle();
  }

  System& system() { return system_; }
  void turn(std::size_t core, bool may_wait = true) {
    const Core::Scope scope{system_.core(core)};
    system_.core(core).turn({}, may_wait);
  }

  /// Starts what was spawned; what is seen is seen from now on.
  void start() {
    for (int i = 0; i < 4; ++i) settle();
    for (auto& one : seen) one = {};
    *Player::balls = 0;
  }

  TickingClock ticking;
  Seen seen[2];

 private:
  void settle() {
    for (const std::size_t core : {0u, 1u}) turn(core, false);
  }

  std::size_t pollers_ = 0;
  System system_;
};

struct Burst {
  int count;
};
class Server {
 public:
  explicit Server(Ref<Player> other) : other_(other) {}
  void handle(Burst m) {
    for (int i = 0; i < m.count; ++i) other_.tell(Ball{});
  }

 private:
  Ref<Player> other_;
};

}  // namespace

TEST_CASE("who has told another core something finds its answer without a sleep") {
  TwoCores two;
  const auto here = two.system().spawn<Player>({.core = 0});
  const auto there = two.system().spawn<Player>({.core = 1}, here);
  const auto begins = two.system().spawn<Player>({.core = 0}, there);
  two.start();

  begins.tell(Ball{});
  two.ticking.at_look(15, [&] { two.turn(1, false); });  // the other core answers meanwhile
  two.turn(0);
  CHECK_EQ(two.seen[0].sleeps(), 0);
  two.turn(0, false);
  CHECK_EQ(*Player::balls, 3);
}

TEST_CASE("where no answer comes within that time the core sleeps, having looked at its sockets") {
  TwoCores two;
  const auto there = two.system().spawn<Player>({.core = 1});
  const auto begins = two.system().spawn<Player>({.core = 0}, there);
  two.start();

  begins.tell(Ball{});
  const Instant begin = two.ticking.reading();
  two.turn(0);
  CHECK_EQ(two.seen[0].sleeps(), 1);
  const Duration took = two.ticking.reading() - begin;
  CHECK_GE(took, 20us);
  CHECK_LE(took, 40us);
  two.turn(0);  // nothing has come since: it sleeps at once
  CHECK_EQ(two.seen[0].sleeps(), 2);
  CHECK_LE(two.ticking.reading() - begin - took, 10us);
}

TEST_CASE("who talks with no other core sleeps at once") {
  TwoCores two;
  const auto alone = two.system().spawn<Player>({.core = 0});
  two.start();

  alone.tell(Ball{});
  const Instant begin = two.ticking.reading();
  two.turn(0);
  CHECK_EQ(two.seen[0].sleeps(), 1);
  CHECK_LE(two.ticking.reading() - begin, 10us);
}

TEST_CASE("sockets are looked at as often as an answer is looked for") {
  TwoCores two;
  const auto here = two.system().spawn<Player>({.core = 0});
  const auto there = two.system().spawn<Player>({.core = 1}, here);
  const auto begins = two.system().spawn<Player>({.core = 0}, there);
  two.start();

  const Instant begin = two.ticking.reading();
  for (int i = 0; i < 50; ++i) {
    begins.tell(Ball{});
    two.ticking.at_look(8, [&] { two.turn(1, false); });
    two.turn(0);
  }
  CHECK_EQ(two.seen[0].sleeps(), 0);
  CHECK_GE(two.seen[0].looks(), (two.ticking.reading() - begin) / 60us);
}

TEST_CASE("a sleeping core is woken once, however much is sent to it, and again when it sleeps again") {
  TwoCores two;
  const auto there = two.system().spawn<Player>({.core = 1, .mailbox = {.overflow = Overflow::drop_newest}});
  const auto server = two.system().spawn<Server>({.core = 0}, there);
  two.start();

  for (int round = 1; round <= 3; ++round) {
    two.seen[1] = {};
    server.tell(Burst{600});  // nine batches, and what is left at the end of the turn
    two.seen[1].while_waiting = [&] { two.turn(0, false); };
    two.turn(1);
    CHECK_EQ(two.seen[1].sleeps(), 1);
    CHECK_EQ(two.seen[1].wakes, 1);
    two.turn(1, false);
    CHECK_EQ(*Player::balls, 600 * round);
  }
}

TEST_CASE("what a foreign thread sends wakes a sleeping core once") {
  TwoCores two;
  const auto there = two.system().spawn<Player>({.core = 1});
  two.start();

  two.seen[1].while_waiting = [&] {
    std::thread{[&] {
      for (int i = 0; i < 10; ++i) there.tell(Ball{});
    }}.join();
  };
  two.turn(1);
  CHECK_EQ(two.seen[1].wakes, 1);
  two.turn(1, false);
  CHECK_EQ(*Player::balls, 10);
}

TEST_CASE("what a socket has after a long sleep comes at the time at which it comes, by both clocks") {
  TwoCores two;
  two.start();
  Core& core = two.system().core(0);
  const auto before = std::pair{core.now(), core.wall()};
  std::pair<Instant, base::UnixTime> seen;
  two.seen[0].while_waiting = [&] { two.ticking.pass(1h); };
  two.seen[0].socket = [&] { seen = {core.now(), core.wall()}; };
  two.turn(0);
  CHECK_GE(seen.first, before.first + 1h);
  CHECK_GE(seen.second, before.second + 1h);
}
