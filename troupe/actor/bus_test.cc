// Topics over a bus: what is published on one node reaches the subscribers of all, each once and in order, or is told
// to be missing.
#include "troupe/actor/runtime/bus.h"

#include <doctest/doctest.h>

#include "troupe/actor/runtime/memory_bus.h"
#include "troupe/actor/sim/explore.h"

using namespace troupe::actor;
using namespace std::chrono_literals;
using troupe::base::Bytes;
using troupe::base::TopicName;

namespace {

struct Alert {
  std::int64_t n = 0;
  std::string text{};
  static constexpr std::string_view bus_name = "alert/1";
};
struct Private {
  int n = 0;
};
/// Throws what no standard knows.
struct Rude {
  static constexpr std::string_view bus_name = "rude/1";
  static std::string encode(const Rude&) { return {}; }
  static Rude decode(std::string_view) { throw 7; }
};
struct Publish {
  std::int64_t first;
  int count;
  bool traced = false;
};

using Seen = std::shared_ptr<std::vector<std::string>>;

/// Writes down what it gets.
class Listener {
 public:
  explicit Listener(Seen seen) : seen_(std::move(seen)) {}
  void started(Context& ctx) {
    Topic<Alert>{ctx, "alerts"}.subscribe(ctx, this, "disk.*");
    Topic<Private>{ctx, "private"}.subscribe(ctx, this);
    Topic<BusGap>{ctx, bus_gap_topic}.subscribe(ctx, this);
  }
  void handle(const Published<Alert>& m, Context& ctx) {
    seen_->push_back(m.name().text() + "=" + std::to_string(m->n) + m->text);
    if (ctx.trace_context()) seen_->push_back("of trace " + std::to_string(ctx.trace_context()->trace_low));
  }
  void handle(Private m) { seen_->push_back("private " + std::to_string(m.n)); }
  void handle(BusGap m) { seen_->push_back("missed " + std::to_string(m.missed)); }

 private:
  Seen seen_;
};

class Publisher {
 public:
  Task<void> handle(Publish m, Context& ctx) {
    if (m.traced) ctx.trace({.trace_high = 1, .trace_low = 2, .span = 3, .sampled = true}, "publish");
    for (int i = 0; i < m.count; ++i) {
      last = Topic<Alert>{ctx, "alerts"}.publish("disk.full", Alert{m.first + i, "!"});
      Topic<Private>{ctx, "private"}.publish(Private{i});
    }
    co_return;
  }
  Sent last = Sent::sent;
};

struct Node {
  Node(test::Seed seed, MemoryBus& bus, int cores = 2) : w(seed, {.cores = cores, .bus = bus.node()}) {
    for (int core = 0; core < cores; ++core) w.spawn<Listener>({.core = core}, seen[core]);
    publisher = w.spawn<Publisher>({.core = cores - 1});
    w.run_until_idle();
  }
  void publish(std::int64_t first, int count) {
    publisher.tell(Publish{first, count});
    w.run_until_idle();
  }
  /// What both listeners have seen, if they agree.
  std::vector<std::string> take() {
    w.run_until_idle();
    CHECK_EQ(*seen[0], *seen[1]);
    seen[1]->clear();
    return std::exchange(*seen[0], {});
  }

  Seen seen[2] = {std::make_shared<std::vector<std::string>>(), std::make_shared<std::vector<std::string>>()};
  test::World w;
  Ref<Publisher> publisher;
};

}  // namespace

TEST_CASE("what one node publishes reaches the subscribers of the others once and in order, and its own once") {
  MemoryBus bus;
  Node one{1, bus};
  Node two{2, bus};
  Node three{3, bus};
  one.publish(10, 3);
  const std::vector<std::string> beyond{"disk.full=10!", "disk.full=11!", "disk.full=12!"};
  CHECK_EQ(two.take(), beyond);
  CHECK_EQ(three.take(), beyond);
  const auto own = one.take();
  CHECK_EQ(own.size(), 6);  // with what has no name for the bus, and stays
  CHECK_EQ(std::ranges::count(own, "disk.full=11!"), 1);
  CHECK_EQ(two.take(), std::vector<std::string>{});
}

TEST_CASE("a publication that nobody's pattern meets, or whose topic nobody has named, is nobody's") {
  MemoryBus bus;
  Node one{1, bus};
  Node two{2, bus};
  Topic<Alert>{one.w.system(), "alerts"}.publish("net.down", Alert{1});
  Topic<Alert>{one.w.system(), "other"}.publish("disk.full", Alert{2});
  CHECK_EQ(two.take(), std::vector<std::string>{});
}

TEST_CASE(
    "a node that takes too slowly misses what does not fit, the publisher learns it, and it is told before the rest") {
  MemoryBus bus{{.waiting_max = 3}};
  Node one{1, bus};
  Node two{2, bus};
  const Topic<Alert> alerts{one.w.system(), "alerts"};
  for (int i = 1; i <= 5; ++i) CHECK_EQ(alerts.publish("disk.full", Alert{i}), i <= 3 ? Sent::sent : Sent::full);
  CHECK_EQ(two.take(), std::vector<std::string>{"disk.full=1", "disk.full=2", "disk.full=3", "missed 2"});
  for (int i = 1; i <= 3; ++i) CHECK_EQ(alerts.publish("disk.full", Alert{i}), Sent::sent);
  CHECK_EQ(alerts.publish("disk.full", Alert{4}), Sent::full);
  CHECK_EQ(two.take().back(), "missed 1");
}

TEST_CASE("what cannot be read here is reported once a topic, and the rest goes on") {
  MemoryBus bus;
  Node node{1, bus};
  auto other = bus.node();
  other->join([] {});
  const auto publish = [&](std::string type, std::string_view bytes) {
    other->publish({"alerts", std::move(type), *TopicName::parse("disk.full"), Bytes{bytes}, {}});
  };
  const std::size_t before = node.w.reports().size();
  publish("alert/1", "three bytes too few");
  publish("alert/2", encode(Alert{1}));
  publish("alert/1", encode(Alert{2, "?"}));
  CHECK_EQ(node.take(), std::vector<std::string>{"disk.full=2?"});
  CHECK_EQ(node.w.reports().size(), before + 1);
  CHECK(node.w.reports().back().starts_with("topic alerts: what another node publishes cannot be read here: "));
}

TEST_CASE("a value that throws whatever it likes when it is read is one that cannot be read here") {
  MemoryBus bus;
  Node one{1, bus};
  Node two{2, bus};
  const Topic<Rude> here{two.w.system(), "rude"};
  Topic<Rude>{one.w.system(), "rude"}.publish(Rude{});
  Topic<Alert>{one.w.system(), "alerts"}.publish("disk.full", Alert{1, "!"});
  CHECK_EQ(two.take(), std::vector<std::string>{"disk.full=1!"});
  CHECK_EQ(two.w.reports().back(), "topic rude: what another node publishes cannot be read here: it is malformed");
}

TEST_CASE("a publication bears its trace to other nodes") {
  MemoryBus bus;
  Node one{1, bus};
  Node two{2, bus};
  one.publisher.tell(Publish{1, 1, true});
  one.w.run_until_idle();
  CHECK_EQ(two.take(), std::vector<std::string>{"disk.full=1!", "of trace 2"});
}

TEST_CASE("a node that has gone is missed by nobody, and one that comes back begins with what follows") {
  MemoryBus bus;
  Node one{1, bus};
  {
    Node two{2, bus};
    one.publish(1, 1);
  }
  one.publish(2, 1);
  Node three{3, bus};
  three.w.crash();
  CHECK_EQ(Topic<Alert>(one.w.system(), "alerts").publish("disk.full", Alert{3}), Sent::sent);
  Seen seen = std::make_shared<std::vector<std::string>>();
  three.w.spawn<Listener>({}, seen);
  three.w.run_until_idle();
  one.publish(4, 1);
  three.w.run_until_idle();
  CHECK_EQ(seen->back(), "disk.full=4!");
}

TEST_CASE("however publishers and nodes take turns, each node sees each other's publications in order, each once") {
  test::explore({.schedules = 40}, [](test::Seed seed) {
    MemoryBus bus;
    Node one{seed, bus};
    Node two{test::Seed{seed.number + 1000}, bus};
    std::int64_t sent[2] = {0, 0};
    troupe::base::SeededRandom random{seed.number};
    for (int round = 0; round < 30; ++round) {
      const std::size_t who = random.below(2);
      Node& node = who == 0 ? one : two;
      const int count = static_cast<int>(random.below(8));
      node.publisher.tell(Publish{static_cast<std::int64_t>(who) * 1'000'000 + sent[who], count});
      sent[who] += count;
      (random.below(2) == 0 ? one : two).w.run(random.below(20));
    }
    for (int i = 0; i < 3; ++i) {
      one.w.run_until_idle();
      two.w.run_until_idle();
    }
    for (const auto* node : {&one, &two}) {
      for (const auto& seen : node->seen) {
        std::int64_t next[2] = {0, 0};
        for (const std::string& line : *seen) {
          if (!line.starts_with("disk.full=")) continue;
          const std::int64_t n = std::stoll(line.substr(10));
          CHECK_EQ(n % 1'000'000, next[n / 1'000'000]++);
        }
        for (const int who : {0, 1}) CHECK_EQ(next[who], sent[who]);
      }
    }
  });
}

namespace {

struct Count {
  using reply = std::int64_t;
};
class Counter {
 public:
  void started(Context& ctx) {
    Topic<Alert>{ctx, "alerts"}.subscribe(ctx, this);
    Topic<BusGap>{ctx, bus_gap_topic}.subscribe(ctx, this);
  }
  void handle(Alert) { ++n_; }
  void handle(BusGap m) { n_ += static_cast<std::int64_t>(m.missed); }
  std::int64_t handle(Count) { return n_; }

 private:
  std::int64_t n_ = 0;
};

}  // namespace

TEST_CASE("between systems of threads nothing is lost untold, while both publish from every core") {
  MemoryBus bus;
  constexpr int publications = 2000;
  System one{{.cores = 2, .report = [](const std::string&) {}, .bus = bus.node()}};
  System two{{.cores = 2, .report = [](const std::string&) {}, .bus = bus.node()}};
  std::vector<Ref<Counter>> counters;
  for (System* system : {&one, &two}) {
    counters.push_back(system->spawn<Counter>({.core = 1, .mailbox = {.capacity = 100'000}}));
    system->block_on(counters.back().ask(Count{})).value();
  }
  for (int i = 0; i < publications / 20; ++i) {
    for (System* system : {&one, &two}) {
      for (const int core : {0, 1}) {
        system->core(static_cast<std::size_t>(core)).post_remotely([system](Core&) {
          for (int k = 0; k < 5; ++k) Topic<Alert>{*system, "alerts"}.publish("disk.full", Alert{k});
        });
      }
    }
  }
  System* systems[] = {&one, &two};
  for (std::size_t i = 0; i < 2; ++i) {
    std::int64_t counted = 0;
    for (int tries = 0; tries < 10'000 && counted < publications; ++tries) {
      counted = systems[i]->block_on(counters[i].ask(Count{}, {.within = 1min})).value();
    }
    CHECK_EQ(counted, publications);
  }
}
