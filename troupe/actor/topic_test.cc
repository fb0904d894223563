// Topics: who gets what, once and in order, on all cores, and who gets nothing any more.
#include "troupe/actor/topic.h"

#include <doctest/doctest.h>

#include <map>
#include <set>

#include "troupe/actor/sim/explore.h"

using namespace troupe::actor;
namespace base = troupe::base;
using namespace std::chrono_literals;

namespace {

struct Alert {
  int n = 0;
  std::uint64_t from = 0;
};
struct Sealed {  // cannot be copied
  std::unique_ptr<int> n;
};
struct Subscribe {
  std::string pattern = ">";
  using reply = void;
};
struct Unsubscribe {
  std::string pattern = ">";
  using reply = void;
};
struct Publish {
  std::string name;
  int first;
  int count;
};
struct Break {};
struct Hold {
  Duration time;
};

using Seen = std::shared_ptr<std::vector<std::string>>;

/// Writes down what it gets, under its own name.
class Listener {
 public:
  explicit Listener(std::string name, Seen seen) : name_(std::move(name)), seen_(std::move(seen)) {}
  void handle(Subscribe m, Reply<void> reply, Context& ctx) {
    Topic<Alert>{ctx, "alerts"}.subscribe(ctx, this, m.pattern);
    reply.set();
  }
  void handle(Unsubscribe m, Reply<void> reply, Context& ctx) {
    Topic<Alert>{ctx, "alerts"}.unsubscribe(ctx, m.pattern);
    reply.set();
  }
  void handle(Alert m) { seen_->push_back(name_ + std::to_string(m.n)); }
  Task<void> handle(Hold m) { co_await sleep(m.time); }
  void handle(Break) { throw std::runtime_error("broken"); }

 private:
  std::string name_;
  Seen seen_;
};

/// Gets what is shared, with its name.
struct Archive {
  explicit Archive(Seen its_seen) : seen(std::move(its_seen)) {}
  void handle(Published<Alert> m) { seen->push_back(m.name().text() + "=" + std::to_string(m->n)); }
  void handle(Published<Sealed> m) { seen->push_back(m.name().text() + "=" + std::to_string(*m->n)); }
  Seen seen;
};

struct Publisher {
  void handle(Publish m, Context& ctx) {
    const Topic<Alert> alerts{ctx, "alerts"};
    for (int i = 0; i < m.count; ++i) alerts.publish(m.name, Alert{m.first + i, ctx.id().value});
  }
};

std::vector<std::string> sorted(Seen seen) {
  auto all = std::exchange(*seen, {});
  std::ranges::sort(all);
  return all;
}
using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("a publication reaches the matching subscribers of all cores, each once") {
  test::explore({.schedules = 10}, [&](test::Seed seed) {
    test::World w{seed, {.cores = 3}};
    Seen seen = std::make_shared<Lines>();
    auto all = w.spawn<Listener>({.core = 0}, std::string{"all"}, seen);
    auto disk = w.spawn<Listener>({.core = 1}, std::string{"disk"}, seen);
    auto both = w.spawn<Listener>({.core = 2}, std::string{"both"}, seen);
    CHECK(w.block_on(all.ask(Subscribe{})).has_value());
    CHECK(w.block_on(disk.ask(Subscribe{"disk.*"})).has_value());
    CHECK(w.block_on(both.ask(Subscribe{"disk.full"})).has_value());
    CHECK(w.block_on(both.ask(Subscribe{"*.full"})).has_value());
    const Topic<Alert> alerts{w.system(), "alerts"};
    CHECK_EQ(alerts.publish("disk.full", {1}), Sent::sent);
    w.run_until_idle();
    CHECK_EQ(sorted(seen), Lines{"all1", "both1", "disk1"});
    alerts.publish("disk.slow", {2});
    alerts.publish("disk.a.b", {3});
    alerts.publish({4});
    Topic<Alert>{w.system(), "others"}.publish({5});
    w.run_until_idle();
    CHECK_EQ(sorted(seen), Lines{"all2", "all3", "all4", "disk2"});
  });
}

TEST_CASE("nobody subscribes by a reference to nobody") {
  test::World w{1};
  Topic<Alert> alerts{w.system(), "alerts"};
  alerts.subscribe(Ref<Archive>{});
  w.run_until_idle();
  CHECK_EQ(alerts.publish("a", {1}), Sent::sent);
}

namespace {

struct Relay {
  explicit Relay(System& its_other, Ref<Archive> its_archive) : other(&its_other), archive(its_archive) {}
  void handle(Alert m) {
    Topic<Alert>{*other, "alerts"}.publish("a", m);
    archive.tell(Published<Alert>{base::TopicName::parse("b").value(), m});
  }
  System* other;
  Ref<Archive> archive;
};

}  // namespace

TEST_CASE("an actor tells and publishes to another system as any foreign thread does") {
  Seen seen = std::make_shared<std::vector<std::string>>();
  test::World there{1, {.cores = 2}};
  test::World here{2, {.cores = 3}};
  auto archive = there.spawn<Archive>({.core = 1}, seen);
  Topic<Alert>{there.system(), "alerts"}.subscribe(archive);
  there.run_until_idle();
  for (int core = 0; core < 3; ++core) {
    here.spawn<Relay>({.core = core}, std::ref(there.system()), archive).tell(Alert{core});
    here.run_until_idle();
    there.run_until_idle();
  }
  CHECK_EQ(*seen, std::vector<std::string>{"a=0", "b=0", "a=1", "b=1", "a=2", "b=2"});
}

TEST_CASE("a subscriber may share what is published, see its name, and be subscribed by somebody else") {
  test::World w{1};
  Seen seen = std::make_shared<Lines>();
  for (int core = 0; core < 2; ++core) {
    auto archive = w.spawn<Archive>({.core = core}, seen);
    Topic<Alert>{w.system(), "alerts"}.subscribe(archive);
    Topic<Sealed>{w.system(), "sealed"}.subscribe(Ref<Protocol<Published<Sealed>>>{archive}, "a.>");
  }
  w.run_until_idle();
  Topic<Alert>{w.system(), "alerts"}.publish({7});
  Topic<Sealed>{w.system(), "sealed"}.publish("a.b", Sealed{std::make_unique<int>(8)});
  w.run_until_idle();
  CHECK_EQ(sorted(seen), Lines{"_=7", "_=7", "a.b=8", "a.b=8"});
}

TEST_CASE("what is published by one is seen in its order by everybody") {
  test::explore({.schedules = 20}, [&](test::Seed seed) {
    test::World w{seed, {.cores = 3}};
    struct Checker {
      explicit Checker(std::shared_ptr<std::pair<int, int>> its_result) : result(std::move(its_result)) {}
      void handle(Alert m) {
        ++result->first;
        if (m.n != last[m.from]++) ++result->second;
      }
      std::shared_ptr<std::pair<int, int>> result;
      std::map<std::uint64_t, int> last;
    };
    auto result = std::make_shared<std::pair<int, int>>();
    for (int i = 0; i < 6; ++i) {
      Topic<Alert>{w.system(), "alerts"}.subscribe(
          w.spawn<Checker>({.core = i % 3, .mailbox = {.capacity = 10'000}}, result));
    }
    std::vector<Ref<Publisher>> publishers;
    for (int i = 0; i < 3; ++i) publishers.push_back(w.spawn<Publisher>({.core = i}));
    w.run_until_idle();
    for (int round = 0; round < 10; ++round) {
      for (auto publisher : publishers) publisher.tell(Publish{"x", round * 20, 20});
    }
    w.run_until_idle();
    CHECK_EQ(result->first, 6 * 3 * 200);
    CHECK_EQ(result->second, 0);
  });
}

TEST_CASE("a subscription ends when it is taken back and when its subscriber dies, and survives a restart") {
  test::World w{1, {.cores = 2}};
  Seen seen = std::make_shared<Lines>();
  const Topic<Alert> alerts{w.system(), "alerts"};
  for (int core = 0; core < 2; ++core) {
    auto one = w.spawn<Listener>({.core = core}, std::string{"one"}, seen);
    CHECK(w.block_on(one.ask(Subscribe{"a.*"})).has_value());
    CHECK(w.block_on(one.ask(Subscribe{"a.*"})).has_value());  // twice is once
    CHECK(w.block_on(one.ask(Subscribe{"b"})).has_value());
    CHECK(w.block_on(one.ask(Unsubscribe{"b"})).has_value());
    CHECK(w.block_on(one.ask(Unsubscribe{"never"})).has_value());
    one.tell(Break{});
    w.advance(1s);
    alerts.publish("a.b", {1});
    alerts.publish("b", {2});
    w.run_until_idle();
    CHECK_EQ(sorted(seen), Lines{"one1"});
    lifecycle::request_stop(nullptr, one.address());
    w.run_until_idle();
    for (std::size_t i = 0; i < 2; ++i) {
      auto& entry = w.system().topics().open("alerts", &detail::topic_type<Alert>);
      CHECK_FALSE(w.system().topics().reaches(entry, i));
    }
    alerts.publish("a.b", {3});
    auto successor = w.spawn<Listener>({.core = core}, std::string{"two"}, seen);
    w.run_until_idle();
    CHECK(sorted(seen).empty());
    lifecycle::request_stop(nullptr, successor.address());
  }
}

TEST_CASE("a slow subscriber's mailbox decides, each drop is counted, and the topic of dead letters says so") {
  struct Undertaker {
    explicit Undertaker(Seen its_seen) : seen(std::move(its_seen)) {}
    void handle(DeadLetter m) { seen->push_back(std::string{m.actor_type} + ": " + std::string{m.message}); }
    Seen seen;
  };
  for (int core = 0; core < 2; ++core) {
    test::World w{1, {.cores = 2}};
    Seen seen = std::make_shared<Lines>();
    Seen letters = std::make_shared<Lines>();
    Topic<DeadLetter>{w.system(), dead_letter_topic}.subscribe(w.spawn<Undertaker>({.core = 1}, letters));
    auto slow = w.spawn<Listener>({.core = core, .mailbox = {.capacity = 3, .overflow = Overflow::drop_oldest}},
                                  std::string{"slow"}, seen);
    CHECK(w.block_on(slow.ask(Subscribe{})).has_value());
    slow.tell(Hold{1s});
    w.run_until_idle();
    for (int i = 0; i < 5; ++i) Topic<Alert>{w.system(), "alerts"}.publish({i});
    w.run_until_idle();
    CHECK_EQ(*letters, Lines{"Listener: Alert", "Listener: Alert"});
    w.advance(2s);
    CHECK_EQ(*seen, Lines{"slow2", "slow3", "slow4"});
  }
}

TEST_CASE("a dead letter that is dropped itself has none of its own") {
  struct Overwhelmed {
    Task<void> handle(Hold m) { co_await sleep(m.time); }
    void handle(DeadLetter) {}
  };
  test::World w{1, {.cores = 2}};
  auto overwhelmed = w.spawn<Overwhelmed>({.core = 1, .mailbox = {.capacity = 2}});
  Topic<DeadLetter>{w.system(), dead_letter_topic}.subscribe(overwhelmed);
  w.run_until_idle();
  overwhelmed.tell(Hold{1h});
  auto gone = w.spawn<Publisher>({});
  w.run_until_idle();
  lifecycle::request_stop(nullptr, gone.address());
  w.run_until_idle();
  for (int i = 0; i < 100; ++i) gone.tell(Publish{"x", 0, 0});
  w.run_until_idle();  // and comes to rest
  CHECK_FALSE(w.core(1).has_work());
}

namespace {

class Member {
 public:
  explicit Member(std::shared_ptr<std::map<std::pair<int, int>, int>> got, int number)
      : got_(std::move(got)), number_(number) {}
  void handle(Subscribe m, Reply<void> reply, Context& ctx) {
    Topic<Alert>{ctx, "alerts"}.subscribe(ctx, this, m.pattern);
    reply.set();
  }
  void handle(Unsubscribe m, Reply<void> reply, Context& ctx) {
    Topic<Alert>{ctx, "alerts"}.unsubscribe(ctx, m.pattern);
    reply.set();
  }
  void handle(Alert m) { ++(*got_)[{number_, m.n}]; }

 private:
  std::shared_ptr<std::map<std::pair<int, int>, int>> got_;
  int number_;
};

}  // namespace

TEST_CASE("whoever comes, goes and dies, each publication reaches exactly those whose patterns match") {
  constexpr std::string_view patterns[] = {">", "a", "a.*", "*.b", "a.>", "*", "a.b", "c.>"};
  constexpr std::string_view names[] = {"a", "b", "a.b", "c.b", "a.b.c", "c.d"};
  test::explore({.schedules = 40}, [&](test::Seed seed) {
    test::World w{seed, {.cores = 3}};
    base::SeededRandom random{seed.number};
    auto got = std::make_shared<std::map<std::pair<int, int>, int>>();
    std::map<std::pair<int, int>, int> expected;
    struct Living {
      Ref<Member> who;
      int number;
      std::set<std::string_view> held;
    };
    std::vector<Living> living;
    int born = 0;
    for (int step = 0; step < 60; ++step) {
      const auto what = random.below(6);
      if (what == 0 || living.empty()) {
        living.push_back({w.spawn<Member>({.core = static_cast<int>(random.below(3))}, got, born), born, {}});
        ++born;
        continue;
      }
      auto& one = living[random.below(living.size())];
      const auto pattern = patterns[random.below(std::size(patterns))];
      if (what == 1 && random.below(3) == 0) {
        lifecycle::request_stop(nullptr, one.who.address());
        w.run_until_idle();
        std::erase_if(living, [&](const Living& each) { return each.number == one.number; });
      } else if (what == 1) {
        CHECK(w.block_on(one.who.ask(Unsubscribe{std::string{pattern}})).has_value());
        one.held.erase(pattern);
      } else if (what < 4) {
        CHECK(w.block_on(one.who.ask(Subscribe{std::string{pattern}})).has_value());
        one.held.insert(pattern);
      } else {
        const auto name = base::TopicName::parse(names[random.below(std::size(names))]).value();
        for (const auto& each : living) {
          const bool matches = std::ranges::any_of(
              each.held, [&](auto held) { return base::TopicPattern::parse(held).value().matches(name); });
          if (matches) ++expected[{each.number, step}];
        }
        Topic<Alert>{w.system(), "alerts"}.publish(name, {step});
        w.run_until_idle();
      }
    }
    CHECK(*got == expected);
  });
}

TEST_CASE("with real threads too, publications arrive in order and none is lost") {
  struct Count {
    using reply = std::pair<int, int>;
  };
  struct Counter {
    void handle(Subscribe m, Reply<void> reply, Context& ctx) {
      Topic<Alert>{ctx, "alerts"}.subscribe(ctx, this, m.pattern);
      reply.set();
    }
    void handle(const Alert& m) {
      ++counted;
      if (m.n != last[m.from]++) ++out_of_order;
    }
    std::pair<int, int> handle(Count) { return {counted, out_of_order}; }
    int counted = 0;
    int out_of_order = 0;
    std::map<std::uint64_t, int> last;
  };
  System system{{.cores = 2, .report = [](const std::string&) {}}};
  std::vector<Ref<Counter>> counters;
  std::vector<Ref<Publisher>> publishers;
  for (int core = 0; core < 2; ++core) {
    counters.push_back(system.spawn<Counter>({.core = core, .mailbox = {.capacity = 100'000}}));
    publishers.push_back(system.spawn<Publisher>({.core = core}));
    REQUIRE(system.block_on(counters.back().ask(Subscribe{})).has_value());
  }
  for (int i = 0; i < 2000; ++i) Topic<Alert>{system, "alerts"}.publish("x", {i});
  for (int i = 0; i < 20; ++i) {
    for (auto publisher : publishers) publisher.tell(Publish{"y", i * 100, 100});
  }
  for (auto counter : counters) {
    std::pair<int, int> seen{};
    for (int i = 0; i < 10'000 && seen.first < 6000; ++i) seen = system.block_on(counter.ask(Count{})).value();
    CHECK_EQ(seen, std::pair{6000, 0});
  }
  system.shutdown();
}
