// Foreign threads and mailboxes that block: the thread really waits, for room or for its time to be over.
#include <doctest/doctest.h>

#include <thread>

#include "troupe/actor/actor.h"

using namespace troupe::actor;
namespace base = troupe::base;
using namespace std::chrono_literals;

namespace {

struct Put {
  int n;
};
struct Hold {};
struct Get {
  using reply = std::vector<int>;
};

/// Takes a while for each.
struct Slow {
  Task<void> handle(Put m) {
    co_await sleep(1ms);
    seen.push_back(m.n);
  }
  Task<void> handle(Hold) { co_await sleep(1h); }
  std::vector<int> handle(Get) { return seen; }
  std::vector<int> seen;
};

struct DoesAnyWait {
  using reply = bool;
};
/// Stands on the core of the mailbox and looks into it.
struct Watch {
  explicit Watch(Ref<Slow> its_slow) : slow(its_slow) {}
  bool handle(DoesAnyWait) {
    const Cell& cell = *slow.address().cell;
    return (cell.held & hold_waiters) != 0 && cell.in_flight > 0 && cell.depth > 0;
  }
  Ref<Slow> slow;
};

SystemOptions quiet(int cores) {
  return {.cores = cores, .report = [](const std::string&) {}};
}

}  // namespace

TEST_CASE("a thread that tells a full mailbox which blocks waits for room, and all is handled in its order") {
  for (const int cores : {1, 2}) {
    System system{quiet(cores)};
    auto slow = system.spawn<Slow>({.core = cores - 1, .mailbox = {.capacity = 2, .overflow = Overflow::block}});
    std::vector<int> told;
    for (int i = 0; i < 40; ++i) {
      CHECK_EQ(slow.tell(Put{i}), Sent::sent);
      told.push_back(i);
    }
    CHECK_EQ(system.block_on(slow.ask(Get{})).value(), told);
  }
}

TEST_CASE("several threads wait at once, each for its own place") {
  System system{quiet(2)};
  auto slow = system.spawn<Slow>({.core = 1, .mailbox = {.capacity = 3, .overflow = Overflow::block}});
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([slow, t] {
      for (int i = 0; i < 10; ++i) (void)slow.tell(Put{100 * t + i});
    });
  }
  for (auto& thread : threads) thread.join();
  const auto seen = system.block_on(slow.ask(Get{})).value();
  CHECK_EQ(seen.size(), 40);
  std::array<int, 4> next{};
  for (const int n : seen) CHECK_EQ(n % 100, next[static_cast<std::size_t>(n / 100)]++);
}

TEST_CASE("a thread waits no longer than it may") {
  System system{quiet(2)};
  auto slow = system.spawn<Slow>(
      {.core = 1, .mailbox = {.capacity = 1, .overflow = Overflow::block, .block_for = 50ms}, .shutdown = 10ms});
  slow.tell(Hold{});
  Sent last = Sent::sent;
  const auto start = base::system_clock().now();
  for (int i = 0; i < 3 && last == Sent::sent; ++i) last = slow.tell(Put{i});
  CHECK_EQ(last, Sent::full);
  CHECK_GE(base::system_clock().now() - start, 50ms);
}

TEST_CASE("a thread that waits is told when the actor is gone") {
  System system{quiet(2)};
  auto slow = system.spawn<Slow>(
      {.core = 1, .mailbox = {.capacity = 1, .overflow = Overflow::block, .block_for = 1h}, .shutdown = 10ms});
  auto watch = system.spawn<Watch>({.core = 1}, slow);
  Sent last = Sent::sent;
  std::thread waiting{[&] {
    slow.tell(Hold{});
    for (int i = 0; i < 3 && last == Sent::sent; ++i) last = slow.tell(Put{i});
  }};
  while (!system.block_on(watch.ask(DoesAnyWait{})).value()) {
  }
  lifecycle::request_stop(nullptr, slow.address());
  waiting.join();
  CHECK_EQ(last, Sent::dead);
}

namespace {

struct Parcel {
  std::size_t weight;
  std::size_t bytes() const noexcept { return weight; }
};
struct Pause {
  Duration length;
};
struct MostQueued {
  using reply = std::size_t;  // bytes
};

/// Notes how many bytes stand in its mailbox.
struct Scale {
  static constexpr MailboxOptions mailbox{
      .capacity = 64, .overflow = Overflow::block, .block_for = 2s, .bytes_max = 256 * 1024};
  void handle(const Parcel&, Context& ctx) { look(ctx); }
  Task<void> handle(Pause m) { co_await sleep(m.length); }
  std::size_t handle(MostQueued) { return most; }
  void look(Context& ctx) { most = std::max(most, cell_of(ctx).extras->ledger->bytes); }
  std::size_t most = 0;
};

}  // namespace

TEST_CASE("a thread whose message weighs more than there is room for waits until all of it has a place") {
  System system{quiet(1)};
  auto scale = system.spawn<Scale>({.mailbox = Scale::mailbox});
  scale.tell(Pause{100ms});
  for (int i = 0; i < 15; ++i) CHECK_EQ(scale.tell(Parcel{9'000}), Sent::sent);
  CHECK_EQ(scale.tell(Parcel{150'000}), Sent::sent);
  CHECK_LE(system.block_on(scale.ask(MostQueued{})).value(), Scale::mailbox.bytes_max);
}

TEST_CASE("a thread that gives up gives back the part of the room that it had got") {
  System system{quiet(1)};
  MailboxOptions mailbox = Scale::mailbox;
  mailbox.block_for = 20ms;
  auto scale = system.spawn<Scale>({.mailbox = mailbox, .shutdown = 10ms});
  scale.tell(Pause{1h});
  for (int i = 0; i < 15; ++i) CHECK_EQ(scale.tell(Parcel{9'000}), Sent::sent);
  CHECK_EQ(scale.tell(Parcel{150'000}), Sent::full);
  CHECK_EQ(scale.tell(Parcel{100'000}), Sent::sent);
}
