// The poller on real descriptors: level-triggered, woken from any thread, never a call to a removed handler.
#include "troupe/actor/runtime/poller.h"

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <thread>

using namespace troupe::actor;
using namespace std::chrono_literals;

namespace {

struct Pair {
  Pair() { REQUIRE_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0); }
  ~Pair() {
    for (const int end : ends) {
      if (end >= 0) close(end);
    }
  }
  void put() const { REQUIRE_EQ(write(ends[1], "x", 1), 1); }
  int ends[2];
};

struct Noting : IoHandler {
  void on_io(IoEvents events) override {
    calls.push_back(events);
    if (then) then();
  }
  std::vector<IoEvents> calls;
  std::function<void()> then;
};

/// As a core does.
void look(Poller& poller, std::optional<troupe::base::Duration> timeout) {
  if (poller.wait(timeout)) poller.dispatch();
}

}  // namespace

TEST_CASE("a readable descriptor is told again until it is read, and no more when nothing is asked for") {
  auto poller = epoll_poller();
  Pair pair;
  Noting noting;
  poller->add(pair.ends[0], {.read = true}, noting);
  look(*poller, 0ms);
  CHECK(noting.calls.empty());
  pair.put();
  look(*poller, 1s);
  look(*poller, 1s);
  CHECK_EQ(noting.calls.size(), 2);
  CHECK(noting.calls[0].read);
  CHECK_FALSE(noting.calls[0].write);
  poller->change(pair.ends[0], {}, noting);
  look(*poller, 0ms);
  CHECK_EQ(noting.calls.size(), 2);
  poller->change(pair.ends[0], {.write = true}, noting);
  look(*poller, 0ms);
  REQUIRE_EQ(noting.calls.size(), 3);
  CHECK(noting.calls[2].write);
  close(std::exchange(pair.ends[1], -1));
  poller->change(pair.ends[0], {}, noting);
  look(*poller, 0ms);
  REQUIRE_EQ(noting.calls.size(), 4);
  CHECK(noting.calls[3].closed);
  poller->remove(pair.ends[0], noting);
}

TEST_CASE("of two that are ready, one that removes the other is the last one called") {
  auto poller = epoll_poller();
  Pair pairs[2];
  Noting noting[2];
  for (std::size_t i = 0; i < 2; ++i) {
    poller->add(pairs[i].ends[0], {.read = true}, noting[i]);
    pairs[i].put();
    noting[i].then = [&, other = 1 - i] { poller->remove(pairs[other].ends[0], noting[other]); };
  }
  look(*poller, 1s);
  CHECK_EQ(noting[0].calls.size() + noting[1].calls.size(), 1);
}

TEST_CASE("a wait ends when another thread wakes it, also when it did so before") {
  auto poller = epoll_poller();
  poller->wake();
  look(*poller, std::nullopt);
  std::thread other{[&] { poller->wake(); }};
  look(*poller, std::nullopt);
  other.join();
  look(*poller, 1ms);
}

TEST_CASE("a descriptor that the kernel refuses is an error, not a silence") {
  auto poller = epoll_poller();
  Noting noting;
  CHECK_THROWS_AS(poller->add(-1, {.read = true}, noting), std::system_error);
}
