// LoadActor against the service in memory and in virtual time: the rate holds, and what is late or missing is seen.
#include "troupe/realtime/load/load_actor.h"

#include <doctest/doctest.h>

#include <numeric>

#include "troupe/realtime/testing/realtime_world.h"

namespace troupe::realtime {
namespace {

using namespace std::chrono_literals;
using testing::RealtimeWorld;
using testing::token_of_user;

/// A load of two cores on a service.
struct Bench {
  Bench(RealtimeWorld& its, LoadOptions load, std::string token = token_of_user("load")) : world(its) {
    for (std::uint64_t core = 0; core < 2; ++core) {
      auto* network = world.networks[core].get();
      LoadActorOptions options{.load = load,
                               .index = core,
                               .cores = 2,
                               .dial = [network](actor::Core&) { return network->connect({{}, 80}); },
                               .socket = {.host = "test", .target = "/ws"},
                               .alarm = AlarmKind::wheel};
      options.tokens.emplace_back(token);
      actors.push_back(world.world.spawn<LoadActor>({.core = static_cast<int>(core)}, std::move(options)));
    }
  }

  std::uint64_t settled() {
    std::uint64_t sum = 0;
    for (auto& each : actors) sum += world.world.block_on(each.ask(GetSettled{})).value();
    return sum;
  }
  std::vector<std::uint32_t> subscribers() {
    std::vector<std::uint32_t> sum;
    for (auto& each : actors) {
      auto counts = world.world.block_on(each.ask(CountSubscribers{})).value();
      sum.resize(counts.size());
      for (std::size_t i = 0; i < counts.size(); ++i) sum[i] += counts[i];
    }
    return sum;
  }
  void publish_for(base::Duration duration) {
    auto counts = std::make_shared<const std::vector<std::uint32_t>>(subscribers());
    const auto now = world.world.manual_clock().now();
    for (auto& each : actors) each.tell(BeginPublishing{now, now + duration, counts});
    world.world.advance(duration + 10ms);
  }
  LoadFigures figures() {
    LoadFigures sum;
    for (auto& each : actors) sum.add(world.world.block_on(each.ask(GetLoadFigures{})).value());
    return sum;
  }

  RealtimeWorld& world;
  std::vector<actor::Ref<LoadActor>> actors;
};

TEST_CASE("connections come at their rate, and each topic has its subscribers") {
  RealtimeWorld world;
  Bench bench{world, {.connections = 25, .topics = 4, .subscribers_per_topic = 10, .connections_per_second = 10}};
  world.world.advance(1s);
  CHECK_GE(bench.settled(), 9);
  CHECK_LE(bench.settled(), 13);
  world.world.advance(2s);
  CHECK_EQ(bench.settled(), 25);
  CHECK_EQ(bench.subscribers(), std::vector<std::uint32_t>{10, 10, 10, 10});
}

TEST_CASE("publications leave at their moments, and each delivery is counted from there") {
  RealtimeWorld world;
  Bench bench{world, {.connections = 6, .topics = 3, .subscribers_per_topic = 4, .publications_per_second = 50}};
  world.world.advance(1s);
  bench.publish_for(10s);
  const auto figures = bench.figures();
  CHECK_EQ(figures.published, 500);
  CHECK_EQ(figures.expected, figures.published * 4);
  CHECK_EQ(figures.delivered, figures.expected);
  CHECK_EQ(figures.missing(), 0);
  CHECK_EQ(figures.errors, 0);
  CHECK_LE(figures.latency.longest(), 5ms);
}

TEST_CASE("a server that stands still makes all that was due meanwhile late, not fewer") {
  RealtimeWorld world{{}, 1, {.faults = {.delay_max = {}}}};
  Bench bench{world, {.connections = 2, .topics = 1, .subscribers_per_topic = 1, .publications_per_second = 100}};
  world.world.advance(1s);
  auto counts = std::make_shared<const std::vector<std::uint32_t>>(bench.subscribers());
  const auto now = world.world.manual_clock().now();
  for (auto& each : bench.actors) each.tell(BeginPublishing{now, now + 4s, counts});
  world.world.advance(1s);
  world.world.manual_clock().advance(2s);  // nobody ran for two seconds
  world.world.advance(1100ms);
  const auto figures = bench.figures();
  CHECK_EQ(figures.published, 400);
  CHECK_EQ(figures.delivered, figures.expected);
  CHECK_GE(figures.latency.longest(), 1900ms);
  CHECK_GE(figures.latency.at_share(0.75), 900ms);  // half of all were due while nobody ran
  CHECK_GE(figures.lateness.longest(), 1900ms);
}

TEST_CASE("what the server refuses, drops or loses is counted and told in words") {
  RealtimeWorld world;
  Bench strangers{world, {.connections = 3}, "bad"};
  world.world.advance(1s);
  CHECK_EQ(strangers.figures().connections_failed, 3);
  CHECK(strangers.figures().faults.begin()->first.contains("401"));

  Bench forbidden{world, {.connections = 2, .topics = 1, .subscribers_per_topic = 2}, "x,topic:other:subscribe"};
  world.world.advance(1s);
  CHECK_EQ(forbidden.figures().connections_failed, 2);
  CHECK_EQ(forbidden.figures().errors, 2);

  Bench revoked{world, {.connections = 2, .topics = 1, .subscribers_per_topic = 2}, token_of_user("gone")};
  world.world.advance(1s);
  world.realtime->supervisor().tell(TokenRevoked{TokenId{token_of_user("gone")}});
  world.world.advance(1s);
  CHECK_EQ(revoked.figures().connections_lost, 2);
  revoked.publish_for(100ms);
  CHECK_GT(revoked.figures().errors, 0);
}

TEST_CASE("messages of others on its topics are no deliveries") {
  RealtimeWorld world;
  Bench bench{world, {.connections = 2, .topics = 1, .subscribers_per_topic = 2}};
  world.world.advance(1s);
  auto stranger = world.connect("mallory");
  world.exchange(stranger, R"({"type":"publish","topic":"load.0","payload":{"text":1}})");
  CHECK_EQ(bench.figures().delivered, 0);
  CHECK_EQ(bench.figures().errors, 2);
}

TEST_CASE("a payload has the size that was asked for, and connections close in order") {
  RealtimeWorld world;
  Bench bench{
      world,
      {.connections = 2, .topics = 1, .subscribers_per_topic = 1, .publications_per_second = 10, .payload_bytes = 500}};
  world.world.advance(1s);
  auto watcher = world.connect("bob");
  world.exchange(watcher, R"({"type":"subscribe","topics":["load.0"]})");
  bench.publish_for(1s);
  auto frames = watcher->take();
  REQUIRE_FALSE(frames.empty());
  const auto at = frames.front().find("\"payload\":") + 10;
  CHECK_EQ(frames.front().size() - at - 1, 500);
  for (auto& each : bench.actors) each.tell(CloseSockets{});
  world.world.advance(1s);
  for (auto& each : bench.actors) CHECK_EQ(world.world.block_on(each.ask(CountSockets{})).value(), 0);
}

}  // namespace
}  // namespace troupe::realtime
