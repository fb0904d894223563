// What an entity takes along when its shard moves, beside its state and its queue: topics, watchers, what it has put
// aside, and that it is measured.
#include <doctest/doctest.h>

#include <map>

#include "troupe/actor/sim/explore.h"
#include "troupe/actor/topic.h"

using namespace troupe::actor;
namespace base = troupe::base;
using namespace std::chrono_literals;

namespace {

struct Alert {
  int from = 0;
  int n = 0;
};
struct Subscribe {
  std::string topic;
  std::string pattern = ">";
  using reply = void;
};
struct Unsubscribe {
  std::string topic;
  std::string pattern = ">";
  using reply = void;
};
struct Hold {
  Duration time;
};
struct Self {
  using reply = Ref<Protocol<Alert, Hold>>;
};
struct Measure {
  using reply = bool;  // whether it was measured before
};
struct PutAside {
  int n = 0;
};

using Heard = std::shared_ptr<std::map<int, std::vector<int>>>;  // by publisher

class Listener {
 public:
  static constexpr bool migrates = true;
  explicit Listener(Heard heard) : heard_(std::move(heard)) {}
  void handle(Subscribe m, Reply<void> reply, Context& ctx) {
    Topic<Alert>{ctx, m.topic}.subscribe(ctx, this, m.pattern);
    reply.set();
  }
  void handle(Unsubscribe m, Reply<void> reply, Context& ctx) {
    Topic<Alert>{ctx, m.topic}.unsubscribe(ctx, m.pattern);
    reply.set();
  }
  void handle(Alert m) { (*heard_)[m.from].push_back(m.n); }
  Task<void> handle(Hold m) { co_await sleep(m.time); }
  Ref<Protocol<Alert, Hold>> handle(Self, Context& ctx) { return ctx.self(this); }
  bool handle(Measure, Context& ctx) {
    const bool before = cell_of(ctx).extras != nullptr && cell_of(ctx).extras->handling_time != nullptr;
    ctx.measure();
    return before;
  }
  void handle(PutAside m, Context& ctx) { CHECK(ctx.stash(this, std::move(m))); }

 private:
  Heard heard_;
};

struct Fixture {
  explicit Fixture(test::Seed seed = 3, ShardOptions options = {.count = 1})
      : w(seed, {.cores = 3}), listeners(w, std::move(options), heard) {}
  template <class M>
  auto ask(M message) {
    return w.block_on(listeners.ref("one").ask(std::move(message)));
  }
  int where() { return w.block_on(listeners.locate(0)).value(); }
  bool move(int core) { return w.block_on(listeners.move(0, core)).has_value(); }
  bool move_on() { return move((where() + 1) % 3); }
  std::vector<int> take(int from = 0) { return std::exchange((*heard)[from], {}); }
  bool is_reached(std::string_view topic) {
    auto& entry = w.system().topics().open(topic, &detail::topic_type<Alert>);
    bool reached = false;
    for (std::size_t i = 0; i < 3; ++i) reached |= w.system().topics().reaches(entry, i);
    return reached;
  }

  Heard heard = std::make_shared<Heard::element_type>();
  test::World w;
  Shards<Listener> listeners;
};

using Numbers = std::vector<int>;

struct Publish {
  int rounds;
};
/// Publishes numbers, over many turns.
class Publisher {
 public:
  explicit Publisher(int number) : number_(number) {}
  void handle(Publish m, Context& ctx) {
    const Topic<Alert> alerts{ctx, "alerts"};
    for (int i = 0; i < 3; ++i) alerts.publish(Alert{number_, ++sent_});
    if (m.rounds > 0)
      ctx.after(this, Duration{100'000} * static_cast<std::int64_t>(ctx.random().below(20)), Publish{m.rounds - 1});
  }

 private:
  int number_;
  int sent_ = 0;
};

struct Watch {
  Ref<Protocol<Alert, Hold>> who;
};
class Watcher {
 public:
  explicit Watcher(std::shared_ptr<std::vector<Terminated>> told) : told_(std::move(told)) {}
  void handle(Watch m, Context& ctx) { ctx.watch(this, m.who); }
  void handle(Terminated m) { told_->push_back(m); }

 private:
  std::shared_ptr<std::vector<Terminated>> told_;
};

}  // namespace

TEST_CASE("a subscriber that moves keeps its topics, and they end with it") {
  Fixture f{3, {.count = 1, .passivate_after = 1min}};
  const Topic<Alert> alerts{f.w.system(), "alerts"};
  CHECK(f.ask(Subscribe{"alerts", "a.*"}).has_value());
  CHECK(f.ask(Subscribe{"others"}).has_value());
  int n = 0;
  for (int round = 0; round < 5; ++round) {  // also back to where it was
    REQUIRE(f.move_on());
    alerts.publish("a.b", {0, ++n});
    alerts.publish("b", {0, 1000});
    Topic<Alert>{f.w.system(), "others"}.publish({1, n});
    f.w.run_until_idle();
    CHECK_EQ(f.take(), Numbers{n});
    CHECK_EQ(f.take(1), Numbers{n});
  }
  CHECK(f.is_reached("alerts"));
  f.w.advance(3min);
  CHECK_FALSE(f.is_reached("alerts"));
  CHECK_FALSE(f.is_reached("others"));
  CHECK(f.ask(Subscribe{"alerts", "a.*"}).has_value());
  alerts.publish("a.b", {0, 7});
  f.w.run_until_idle();
  CHECK_EQ(f.take(), Numbers{7});
}

TEST_CASE("a subscriber that has moved subscribes and takes back as before, by old references too") {
  Fixture f;
  const Topic<Alert> alerts{f.w.system(), "alerts"};
  const auto before = f.ask(Self{}).value();
  CHECK(f.ask(Subscribe{"alerts", "a"}).has_value());
  REQUIRE(f.move_on());
  CHECK(f.ask(Subscribe{"alerts", "b"}).has_value());
  CHECK(f.ask(Subscribe{"alerts", "*"}).has_value());
  CHECK(f.ask(Subscribe{"others"}).has_value());
  f.w.run_until_idle();
  for (int round = 0; round < 2; ++round) {
    alerts.publish("a", {0, 1});
    alerts.publish("b", {0, 2});
    Topic<Alert>{f.w.system(), "others"}.publish({0, 3});
    f.w.run_until_idle();
    auto heard = f.take();
    std::ranges::sort(heard);
    CHECK_EQ(heard, Numbers{1, 2, 3});  // each once, however many patterns match
    REQUIRE(f.move_on());
  }
  CHECK(f.ask(Unsubscribe{"alerts", "*"}).has_value());
  CHECK(f.ask(Unsubscribe{"alerts", "a"}).has_value());
  f.w.run_until_idle();
  alerts.publish("a", {0, 1});
  alerts.publish("b", {0, 2});
  f.w.run_until_idle();
  CHECK_EQ(f.take(), Numbers{2});
  Topic<Alert>{f.w.system(), "third"}.subscribe(before);
  f.w.run_until_idle();
  Topic<Alert>{f.w.system(), "third"}.publish({0, 5});
  f.w.run_until_idle();
  CHECK_EQ(f.take(), Numbers{5});
}

TEST_CASE("whenever a subscriber moves, it hears each publication once, in the order of its publisher") {
  int moves = 0;
  test::explore(
      {.schedules = 80},
      [&](test::Seed seed) {
        const MailboxOptions mailbox{.capacity = seed.number % 3 == 0 ? 2u : 10'000u,
                                     .overflow = seed.number % 3 == 0 ? Overflow::block : Overflow::backpressure};
        Fixture f{seed, {.count = 1, .entity = {.mailbox = mailbox}}};
        CHECK(f.ask(Subscribe{"alerts"}).has_value());
        constexpr int rounds = 30;
        for (int i = 0; i < 3; ++i) f.w.spawn<Publisher>({.core = i}, i).tell(Publish{rounds});
        f.w.system().run_as_guest([](Shards<Listener> all, int* moved, base::Random* random) -> Task<void> {
          for (int i = 0; i < 25; ++i) {
            auto done = co_await all.move(0, static_cast<int>(random->below(3)));
            *moved += done.has_value();
            if (random->below(3) == 0) co_await sleep(1ms);
          }
        }(f.listeners, &moves, &f.w.random()));
        for (int i = 0; i < 40; ++i) {  // a foreign thread publishes too
          Topic<Alert>{f.w.system(), "alerts"}.publish({3, i + 1});
          f.w.run(f.w.random().below(30));
        }
        f.w.advance(10s);
        for (int from = 0; from < 4; ++from) {
          Numbers expected;
          for (int i = 1; i <= (from < 3 ? 3 * (rounds + 1) : 40); ++i) expected.push_back(i);
          const Numbers heard = f.take(from);
          CHECK_EQ(heard.size(), expected.size());
          const auto wrong = std::ranges::mismatch(heard, expected).in1 - heard.begin();
          CHECK_EQ(wrong, static_cast<std::ptrdiff_t>(heard.size()));
        }
      },
      [&] { CHECK_GT(moves, 500); });
}

TEST_CASE("who watches an actor is told of its end under the reference by which it knows it") {
  Fixture f;
  auto told = std::make_shared<std::vector<Terminated>>();
  const auto first = f.ask(Self{}).value();
  const int home = f.where();
  f.w.spawn<Watcher>({.core = (home + 1) % 3}, told).tell(Watch{first});
  f.w.run_until_idle();
  REQUIRE(f.move_on());
  const auto second = f.ask(Self{}).value();
  CHECK_FALSE(first == second);
  f.w.spawn<Watcher>({.core = home}, told).tell(Watch{second});
  f.w.spawn<Watcher>({.core = home}, told).tell(Watch{first});  // by the old one, after the move
  f.w.run_until_idle();
  REQUIRE(f.move_on());
  f.w.system().stop(second);
  f.w.run_until_idle();
  REQUIRE_EQ(told->size(), 3);
  int by_first = 0;
  for (const Terminated& one : *told) {
    CHECK_EQ(one.id, lifecycle::id_of(one.who));
    CHECK((one.who == first.address() || one.who == second.address()));
    by_first += one.who == first.address();
  }
  CHECK_EQ(by_first, 2);
}

TEST_CASE("an actor that is measured still is when it has moved") {
  Fixture f;
  CHECK_FALSE(f.ask(Measure{}).value());
  REQUIRE(f.move_on());
  CHECK(f.ask(Measure{}).value());
}

TEST_CASE("what a moved actor has put aside is lost under the name that it has now") {
  struct Undertaker {
    void handle(DeadLetter m) { letters->push_back(m); }
    std::shared_ptr<std::vector<DeadLetter>> letters;
  };
  Fixture f;
  auto letters = std::make_shared<std::vector<DeadLetter>>();
  Topic<DeadLetter>{f.w.system(), dead_letter_topic}.subscribe(f.w.spawn<Undertaker>({}, letters));
  f.listeners.ref("one").tell(PutAside{1});
  f.w.run_until_idle();
  REQUIRE(f.move_on());
  const auto now = f.ask(Self{}).value();
  f.w.system().stop(now);
  f.w.run_until_idle();
  REQUIRE_EQ(letters->size(), 1);
  CHECK_EQ(letters->front().target, lifecycle::id_of(now.address()));
}

namespace {

struct Quit {};
struct Brief {
  static constexpr bool migrates = true;
  void handle(Quit, Context& ctx) { ctx.stop(); }
};
struct Ping {
  using reply = int;
};
struct Child {
  int handle(Ping) { return 1; }
};
struct SpawnSome {
  using reply = int;  // how many of them answered
};
struct Spawner {
  Task<int> handle(SpawnSome, Context& ctx) {
    int answered = 0;
    for (int i = 0; i < 12; ++i) {
      auto answer = co_await ctx.spawn<Child>({}).ask(Ping{}, {.within = 2s});
      answered += answer.value_or(0);
    }
    co_return answered;
  }
};

}  // namespace

TEST_CASE("an entity that has just ended when its shard goes is left alone, and so is whoever has its cell by then") {
  int moves = 0;
  test::explore(
      {.schedules = 80},
      [&](test::World& w) {
        const Shards<Brief> all{w, {.count = 1}};
        const Ref<Spawner> spawners[] = {w.spawn<Spawner>({.core = 0}), w.spawn<Spawner>({.core = 1})};
        w.run_until_idle();
        for (int round = 0; round < 6; ++round) {
          for (int key = 0; key < 6; ++key) all.ref("key-" + std::to_string(key)).tell(Quit{});
          w.system().run_as_guest([](Shards<Brief> shards, int to, int* moved) -> Task<void> {
            const auto done = co_await shards.move(0, to);
            *moved += done.has_value();
          }(all, (round + 1) % 2, &moves));
          for (const auto& spawner : spawners) {
            CHECK_EQ(w.block_on(spawner.ask(SpawnSome{}, {.within = 1min})).value_or(-1), 12);
          }
          w.advance(2s);
        }
      },
      [&] { CHECK_GT(moves, 100); });
}
