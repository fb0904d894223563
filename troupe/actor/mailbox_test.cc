// Mailboxes: exact bounds, and what each policy does at them.
#include <doctest/doctest.h>

#include "troupe/actor/sim/world.h"

using namespace troupe::actor;
using namespace std::chrono_literals;

namespace {

using Seen = std::shared_ptr<std::vector<int>>;

struct Put {
  int n;
};
struct Shed {
  static constexpr auto message_class = MessageClass::sheddable;
  int n;
};
struct Ask {
  int n;
  using reply = int;
};
struct Hold {
  Duration length;
};

class Sink {
 public:
  explicit Sink(Seen seen) : seen_(std::move(seen)) {}
  void handle(Put m) { seen_->push_back(m.n); }
  void handle(Shed m) { seen_->push_back(m.n); }
  int handle(Ask m) {
    seen_->push_back(m.n);
    return m.n;
  }
  Task<void> handle(Hold m) { co_await sleep(m.length); }

 private:
  Seen seen_;
};

struct Results {
  std::vector<Sent> sent;
};
struct Go {
  int count;
  bool shed = false;
  using reply = Results;
};
struct GoSending {
  int count;
  using reply = Results;
};
struct After {};

/// Holds the sink, then fills its mailbox from one handler, so that the sink cannot run in between.
class Filler {
 public:
  explicit Filler(Ref<Sink> sink, Seen own) : sink_(sink), own_(std::move(own)) {}
  Results handle(Go m) {
    Results out;
    for (int i = 0; i < m.count; ++i) out.sent.push_back(sink_.tell(Put{i}));
    return out;
  }
  Task<Results> handle(GoSending m) {
    Results out;
    for (int i = 0; i < m.count; ++i) {
      auto sent = co_await sink_.send(Put{i});
      out.sent.push_back(sent);
    }
    co_return out;
  }
  void handle(After) { own_->push_back(1); }

 private:
  Ref<Sink> sink_;
  Seen own_;
};

struct Fixture {
  Fixture(Overflow overflow, int sink_core = 0) : w(11) {
    sink = w.spawn<Sink>({.core = sink_core, .mailbox = {.capacity = 4, .overflow = overflow}}, seen);
    filler = w.spawn<Filler>({.core = 0}, sink, own);
    w.run_until_idle();
    sink.tell(Hold{1s});
    w.run_until_idle();
  }
  std::size_t count(const Results& r, Sent what) {
    return static_cast<std::size_t>(std::count(r.sent.begin(), r.sent.end(), what));
  }
  test::World w;
  Seen seen = std::make_shared<std::vector<int>>();
  Seen own = std::make_shared<std::vector<int>>();
  Ref<Sink> sink;
  Ref<Filler> filler;
};

using List = std::vector<int>;

}  // namespace

TEST_CASE("drop_oldest keeps the newest, up to the bound") {
  Fixture f{Overflow::drop_oldest};
  auto r = f.w.block_on(f.filler.ask(Go{10})).value();
  CHECK_EQ(f.count(r, Sent::sent), 10);
  f.w.advance(2s);
  CHECK_EQ(*f.seen, List{6, 7, 8, 9});
}

TEST_CASE("drop_oldest evicts what is sheddable first, and an evicted ask is told that it was not executed") {
  Fixture f{Overflow::drop_oldest};
  f.sink.tell(Put{1});
  f.sink.tell(Shed{2});
  f.sink.tell(Put{3});
  f.sink.tell(Put{4});
  f.sink.tell(Put{5});
  f.w.run_until_idle();
  auto evicted = f.w.block_on([](Ref<Sink> sink) -> Task<Outcome> {
    auto ask = sink.ask(Ask{99}, {.within = 500ms});  // evicts 1
    auto answer = co_await ask;
    co_return answer.error().outcome;
  }(f.sink));
  CHECK_EQ(evicted, Outcome::not_executed);
  f.w.advance(2s);
  CHECK_EQ(*f.seen, List{3, 4, 5});
}

TEST_CASE("drop_newest and backpressure refuse what finds the mailbox full, and say so") {
  for (const auto overflow : {Overflow::drop_newest, Overflow::backpressure}) {
    Fixture f{overflow};
    auto r = f.w.block_on(f.filler.ask(Go{10})).value();
    CHECK_EQ(f.count(r, Sent::sent), 4);
    CHECK_EQ(f.count(r, Sent::full), 6);
    f.w.advance(2s);
    CHECK_EQ(*f.seen, List{0, 1, 2, 3});
  }
}

TEST_CASE("send waits for room, on its own core and across cores, and nothing is lost or reordered") {
  for (int core = 0; core < 2; ++core) {
    Fixture f{Overflow::backpressure, core};
    auto r = f.w.block_on(f.filler.ask(GoSending{20})).value();
    CHECK_EQ(f.count(r, Sent::sent), 20);
    f.w.advance(2s);
    List expected;
    for (int i = 0; i < 20; ++i) expected.push_back(i);
    CHECK_EQ(*f.seen, expected);
  }
}

TEST_CASE("send gives up after five seconds, and sending to the dead says so") {
  Fixture f{Overflow::backpressure};
  f.sink.tell(Hold{1h});
  f.w.run_until_idle();
  f.w.advance(2s);
  auto r = f.w.block_on(f.filler.ask(GoSending{5}, {.within = 20s})).value();
  CHECK_EQ(r.sent.back(), Sent::full);
  lifecycle::request_stop(nullptr, f.sink.address());
  f.w.run_until_idle();
  auto dead = f.w.block_on(f.filler.ask(GoSending{1})).value();
  CHECK_EQ(dead.sent[0], Sent::dead);
}

TEST_CASE("block parks what one handler told, in order, and holds the sender's next message until it is through") {
  Fixture f{Overflow::block};
  auto r = f.w.block_on(f.filler.ask(Go{10})).value();
  CHECK_EQ(f.count(r, Sent::sent), 10);
  f.filler.tell(After{});
  f.w.run_until_idle();
  CHECK(f.own->empty());
  f.w.advance(2s);
  CHECK_EQ(*f.seen, List{0, 1, 2, 3, 4, 5, 6, 7, 8, 9});
  CHECK_EQ(f.own->size(), 1);
}

TEST_CASE("what block has parked too long is dropped and counted, and the sender goes on") {
  Fixture f{Overflow::block};
  f.sink.tell(Hold{1h});
  f.w.run_until_idle();
  f.w.block_on(f.filler.ask(Go{10})).value();
  f.filler.tell(After{});
  f.w.advance(7s);
  CHECK_EQ(f.own->size(), 1);
  std::uint64_t expired = 0;
  for (const auto& figures : figures_of(f.w.system())) {
    if (figures.type == "Sink") expired = figures.dropped[static_cast<std::size_t>(Drop::park_expired)];
  }
  CHECK(expired >= 6);
}

namespace {

struct Tick {
  int n;
};
struct Start {
  std::string mode;
};
class Ticker {
 public:
  explicit Ticker(Seen seen) : seen_(std::move(seen)) {}
  void handle(Start m, Context& ctx) {
    if (m.mode == "every") ctx.every(this, "t", 10ms, Tick{1});
    if (m.mode == "after") ctx.after(this, "t", 10ms, Tick{2});
    if (m.mode == "cancel") ctx.cancel("t");
    if (m.mode == "two") {
      ctx.after(this, 5ms, Tick{3});
      ctx.after(this, 5ms, Tick{4});
    }
  }
  void handle(Tick m) { seen_->push_back(m.n); }

 private:
  Seen seen_;
};

}  // namespace

TEST_CASE("timers: every repeats, after comes once, a key replaces, cancel means never") {
  test::World w{1};
  Seen seen = std::make_shared<List>();
  auto ticker = w.spawn<Ticker>({}, seen);
  ticker.tell(Start{"every"});
  w.advance(105ms);
  CHECK_EQ(seen->size(), 10);
  ticker.tell(Start{"after"});
  w.advance(100ms);
  CHECK_EQ(seen->size(), 11);
  ticker.tell(Start{"every"});
  w.run_until_idle();
  ticker.tell(Start{"cancel"});
  w.advance(1s);
  CHECK_EQ(seen->size(), 11);
  ticker.tell(Start{"two"});
  w.advance(1s);
  CHECK_EQ(seen->size(), 13);
}

TEST_CASE("the same seed gives the same run") {
  auto run = [](std::uint64_t seed) {
    test::World w{seed};
    Seen seen = std::make_shared<List>();
    auto a = w.spawn<Sink>({.core = 0}, seen);
    auto b = w.spawn<Sink>({.core = 1}, seen);
    for (int i = 0; i < 50; ++i) {
      a.tell(Put{i});
      b.tell(Put{1000 + i});
    }
    w.run_until_idle();
    return *seen;
  };
  CHECK_EQ(run(1), run(1));
  CHECK_NE(run(1), run(2));
}
