// `block` and `backpressure`: publishers feel a slow reader, each in its way; nobody else does.
#include <doctest/doctest.h>

#include "troupe/actor/inspect.h"
#include "troupe/realtime/connection/connection_supervisor.h"
#include "troupe/realtime/testing/figures.h"
#include "troupe/realtime/testing/realtime_world.h"
#include "troupe/realtime/testing/story.h"

namespace troupe::realtime {
namespace {

using namespace std::chrono_literals;
using testing::field;
using testing::Frames;
using testing::moved;
using testing::RealtimeWorld;
using testing::Socket;
using testing::story_of;
using testing::topic_at;
using testing::types;

/// Topics of "wait" have `block`, those of "push" `backpressure`.
RealtimeOptions small_options(base::Duration block_time = 5s) {
  RealtimeOptions options;
  options.connection.outbox.messages_max = 8;
  options.connection.frames = {.per_second = 1e6, .burst = 1e6};
  options.settings = std::make_shared<const RealtimeSettings>(
      NamespaceOptions{},
      RealtimeSettings::Namespaces{{"wait", {.overflow = Overflow::block, .block_time = block_time}},
                                   {"push", {.overflow = Overflow::backpressure}}});
  return options;
}

constexpr net::MemoryNetworkOptions narrow{.buffer_bytes = 1024};

void subscribe(RealtimeWorld& world, Socket& socket, std::string_view topic) {
  auto frames = world.exchange(socket, fmt::format(R"({{"type":"subscribe","topics":["{}"]}})", topic));
  REQUIRE_EQ(types(frames), "subscription_confirmed");
}

/// Publishes and gives the frames that came in answer by the time that nothing moves any more.
Frames publish(RealtimeWorld& world, Socket& socket, std::string_view topic, std::string_view more = R"(,"id":"1")") {
  return world.exchange(
      socket,
      fmt::format(R"({{"type":"publish","topic":"{}","payload":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"{}}})", topic, more));
}

/// Publishes until a publication is not answered; gives how many were before it.
int fill(RealtimeWorld& world, Socket& publisher, std::string_view topic) {
  for (int answered = 0; answered < 1000; ++answered) {
    if (publish(world, publisher, topic).empty()) return answered;
  }
  FAIL("it never waits");
  return 0;
}

Frames read_on(RealtimeWorld& world, Socket& socket) {
  socket->read_again();
  world.world.run_until_idle();
  return socket->take();
}

TEST_CASE("under block the ack waits until the slow subscriber has room, and counts it, wherever the topic lives") {
  for (std::size_t home : {0u, 1u}) {
    for (std::size_t core : {0u, 1u}) {
      CAPTURE(home);
      CAPTURE(core);
      RealtimeWorld world{small_options(), 1, narrow};
      auto alice = world.connect("alice", 0);
      auto slow = world.connect("slow", core);
      auto quick = world.connect("quick", core);
      const auto topic = topic_at(home, "wait.");
      subscribe(world, slow, topic);
      subscribe(world, quick, topic);
      slow->stop_reading();
      const int before = fill(world, alice, topic);
      CHECK_GE(before, 8);
      CHECK_EQ(story_of(quick->take(), topic), fmt::format("1-{}", before + 1));  // nobody else waits
      world.world.advance(3s);
      CHECK(alice->take().empty());
      CHECK_EQ(story_of(read_on(world, slow), topic), fmt::format("1-{}", before + 1));
      auto ack = alice->take();
      REQUIRE_EQ(types(ack), "ack");
      CHECK_EQ(field(ack[0], "delivered_to"), "2");
      CHECK_EQ(field(ack[0], "offset"), std::to_string(before + 1));
    }
  }
}

TEST_CASE("past the deadline the ack comes without the slow subscriber, which is told a gap where the message stood") {
  RealtimeWorld world{small_options(4s), 1, narrow};
  auto alice = world.connect("alice", 0);
  auto slow = world.connect("slow", 1);
  subscribe(world, slow, "wait.t");
  slow->stop_reading();
  const int before = fill(world, alice, "wait.t");
  world.world.advance(3900ms);
  CHECK(alice->take().empty());
  world.world.advance(200ms);
  auto ack = alice->take();
  REQUIRE_EQ(types(ack), "ack");
  CHECK_EQ(field(ack[0], "delivered_to"), "0");
  CHECK_EQ(field(ack[0], "offset"), std::to_string(before + 1));
  CHECK_EQ(story_of(read_on(world, slow), "wait.t"),
           fmt::format("1-{} gap {}-{} overflow", before, before + 1, before + 1));
  CHECK_EQ(field(publish(world, alice, "wait.t")[0], "delivered_to"), "1");
  CHECK_EQ(story_of(slow->take(), "wait.t"), std::to_string(before + 2));
}

TEST_CASE("who waits holds up neither other topics nor other publishers of them, nor the home") {
  RealtimeWorld world{small_options(), 1, narrow};
  auto alice = world.connect("alice", 0);
  auto bob = world.connect("bob", 0);
  auto slow = world.connect("slow", 1);
  const auto topic = topic_at(1, "wait.");
  subscribe(world, slow, topic);
  slow->stop_reading();
  fill(world, alice, topic);
  CHECK_EQ(types(publish(world, bob, topic_at(0, "wait."))), "ack");
  CHECK_EQ(types(publish(world, bob, topic_at(1, "other."))), "ack");
  CHECK_EQ(types(publish(world, bob, topic_at(1, "push."))), "ack");
}

TEST_CASE("a publisher does not wait for its own outbox: what finds no room there is told as a gap at once") {
  RealtimeWorld world{small_options(), 1, narrow};
  auto alice = world.connect("alice", 0);
  auto bob = world.connect("bob", 1);
  for (auto* socket : {&alice, &bob}) subscribe(world, *socket, "wait.t");
  alice->stop_reading();
  for (int i = 0; i < 60; ++i) {
    alice->say(R"({"type":"publish","topic":"wait.t","payload":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"})");
    world.world.run_until_idle();
  }
  CHECK_EQ(story_of(bob->take(), "wait.t"), "1-60");
  CHECK(story_of(read_on(world, alice), "wait.t").ends_with("-60 overflow"));
}

TEST_CASE("an ack waits for each that has no room, whoever else takes up its subscription and has room meanwhile") {
  for (std::size_t steps = 0; steps < 20; ++steps) {
    CAPTURE(steps);
    RealtimeWorld world{small_options(), 1, narrow};
    auto alice = world.connect("alice", 0);
    auto slow = world.connect("slow", 0);
    auto again = world.connect("again", 0);
    for (auto* socket : {&slow, &again}) {
      subscribe(world, *socket, "wait.t");
      (*socket)->stop_reading();
    }
    const int before = fill(world, alice, "wait.t");
    world.world.advance(6s);  // of neither outbox anything is left over its limits
    REQUIRE_EQ(types(alice->take()), "ack");
    again->say(R"({"type":"subscribe","topics":["wait.t"]})");
    world.world.run(steps);
    CHECK(publish(world, alice, "wait.t").empty());
    read_on(world, again);
    world.world.advance(3s);
    CHECK(alice->take().empty());
    world.world.advance(3s);
    const auto ack = alice->take();
    REQUIRE_EQ(types(ack), "ack");
    CHECK_EQ(field(ack[0], "delivered_to"), "1");
    CHECK_EQ(story_of(read_on(world, slow), "wait.t"),
             fmt::format("1-{} gap {}-{} overflow", before, before + 1, before + 2));
  }
}

TEST_CASE("a connection that ends lets publishers go at once") {
  RealtimeWorld world{small_options(), 1, narrow};
  auto alice = world.connect("alice", 0);
  auto slow = world.connect("slow", 1);
  subscribe(world, slow, "wait.t");
  slow->stop_reading();
  fill(world, alice, "wait.t");
  slow->vanish();
  world.world.run_until_idle();
  auto ack = alice->take();
  REQUIRE_EQ(types(ack), "ack");
  CHECK_EQ(field(ack[0], "delivered_to"), "0");
}

TEST_CASE("who vanishes while a drain lasts is told nothing more, though its command still waits") {
  RealtimeWorld world{small_options(20s), 1, narrow};
  auto slow = world.connect("slow", 1);
  subscribe(world, slow, "wait.*");
  slow->stop_reading();
  auto alice = world.connect("alice", 0);
  fill(world, alice, "wait.t");
  std::vector<Socket> others;
  for (int i = 0; i < 3; ++i) {
    others.push_back(world.connect("other", 0));
    REQUIRE(publish(world, others.back(), fmt::format("wait.{}", i)).empty());
  }
  world.realtime->supervisor().tell(DrainRealtime{4s});
  world.world.run_until_idle();  // each has its time by now
  for (auto& other : others) other->vanish();
  world.world.advance(10s);
  const auto closes = testing::figures_of(world, "troupe_realtime_close_codes_total");
  CHECK_EQ(closes.at("client 1006"), 3);
  CHECK_EQ(closes.at("server 1001"), 2);
}

TEST_CASE("publications that wait are bounded: past that they are refused before an offset is given") {
  RealtimeWorld world{small_options(), 1, narrow};
  auto slow = world.connect("slow", 1);
  const auto topic = topic_at(0, "wait.");
  subscribe(world, slow, topic);
  slow->stop_reading();
  auto first = world.connect("first", 0);
  const int before = fill(world, first, topic);
  std::vector<Socket> waiting;
  Frames refused;
  while (waiting.size() < 50 && refused.empty()) {
    waiting.push_back(world.connect("p", 0));
    refused = publish(world, waiting.back(), topic);
  }
  REQUIRE_EQ(types(refused), "error");
  CHECK_EQ(field(refused[0], "code"), "overloaded");
  CHECK_NE(field(refused[0], "retry_after_ms"), "");
  CHECK_EQ(waiting.size(), 5);  // half of the outbox, and this one; `first` waits as well
  auto frames = read_on(world, slow);
  CHECK_EQ(story_of(frames, topic), fmt::format("1-{}", before + 5));
  CHECK_EQ(types(publish(world, waiting.back(), topic)), "ack");
}

TEST_CASE("under backpressure a publication is refused before it gets an offset, until the reader has caught up") {
  for (std::size_t home : {0u, 1u}) {
    for (std::size_t core : {0u, 1u}) {
      for (const std::string more : {R"(,"id":"1")", ""}) {
        CAPTURE(home);
        CAPTURE(core);
        CAPTURE(more);
        RealtimeWorld world{small_options(), 1, narrow};
        auto alice = world.connect("alice", 0);
        auto slow = world.connect("slow", core);
        const auto topic = topic_at(home, "push.");
        subscribe(world, slow, topic);
        slow->stop_reading();
        int accepted = 0;
        Frames answer;
        while (accepted < 1000) {
          answer = publish(world, alice, topic, more);
          if (!answer.empty() && field(answer[0], "type") == "error") break;
          ++accepted;
        }
        REQUIRE_EQ(types(answer), "error");
        CHECK_EQ(field(answer[0], "code"), "overloaded");
        CHECK_EQ(field(answer[0], "retry_after_ms"), "1000");
        world.world.advance(10s);  // it is still so
        CHECK_EQ(types(publish(world, alice, topic, more)), "error");
        CHECK_EQ(types(publish(world, alice, topic_at(home, "push.") + "t")), "ack");  // of this topic alone
        CHECK_EQ(story_of(read_on(world, slow), topic), fmt::format("1-{}", accepted));
        auto ack = publish(world, alice, topic);
        REQUIRE_EQ(types(ack), "ack");
        CHECK_EQ(field(ack[0], "offset"), std::to_string(accepted + 1));
      }
    }
  }
}

TEST_CASE("all slow readers have to catch up, or leave, or unsubscribe") {
  RealtimeWorld world{small_options(), 1, narrow};
  auto alice = world.connect("alice", 0);
  std::vector<Socket> slow;
  for (std::size_t i = 0; i < 4; ++i) {
    slow.push_back(world.connect("slow", i % 2));
    subscribe(world, slow.back(), "push.t");
    slow.back()->stop_reading();
  }
  while (types(publish(world, alice, "push.t")) == "ack") {
  }
  (void)read_on(world, slow[0]);
  (void)read_on(world, slow[1]);
  CHECK_EQ(types(publish(world, alice, "push.t")), "error");
  slow[2]->vanish();
  world.world.run_until_idle();
  CHECK_EQ(types(publish(world, alice, "push.t")), "error");
  slow[3]->say(R"({"type":"unsubscribe","topics":["push.t"]})");
  world.world.run_until_idle();
  CHECK_EQ(types(publish(world, alice, "push.t")), "ack");
}

TEST_CASE("much in one turn is no slow reader") {
  RealtimeWorld world{small_options()};
  auto alice = world.connect("alice", 0);
  auto quick = world.connect("quick", 1);
  for (const auto* topic : {"push.t", "wait.t"}) {
    subscribe(world, quick, topic);
    for (int i = 0; i < 200; ++i) {
      alice->say(fmt::format(R"({{"type":"publish","topic":"{}","payload":"x"}})", topic));
    }
    world.world.run_until_idle();
    CHECK(alice->take().empty());
    CHECK_EQ(story_of(quick->take(), topic), "1-200");
  }
}

TEST_CASE("nor is it under the policies that publishers do not feel") {
  RealtimeWorld world{small_options()};
  auto alice = world.connect("alice", 0);
  auto quick = world.connect("quick", 1);
  for (const auto* policy : {"drop_oldest", "drop_newest", "disconnect", "spill"}) {
    const auto frames =
        world.exchange(quick, fmt::format(R"({{"type":"subscribe","topics":["t.{0}"],"overflow":"{0}"}})", policy));
    REQUIRE_EQ(types(frames), "subscription_confirmed");
    for (int i = 0; i < 200; ++i) {
      alice->say(fmt::format(R"({{"type":"publish","topic":"t.{}","payload":"x"}})", policy));
    }
    world.world.run_until_idle();
    CHECK_EQ(story_of(quick->take(), fmt::format("t.{}", policy)), "1-200");
  }
  CHECK_FALSE(quick->close_code().has_value());
}

TEST_CASE("the namespace of the topic decides, whatever a pattern that reaches into it was given") {
  auto options = small_options();
  options.settings = std::make_shared<const RealtimeSettings>(
      NamespaceOptions{.overflow = Overflow::backpressure},
      RealtimeSettings::Namespaces{{"free", {.overflow = Overflow::drop_oldest}}});
  RealtimeWorld world{options, 1, narrow};
  auto alice = world.connect("alice", 0);
  auto slow = world.connect("slow", 1);
  subscribe(world, slow, ">");
  slow->stop_reading();
  for (int i = 0; i < 60; ++i) REQUIRE_EQ(types(publish(world, alice, "free.t")), "ack");
  CHECK(story_of(read_on(world, slow), "free.t").contains("overflow"));
}

TEST_CASE("a client may not ask for what publishers feel") {
  RealtimeWorld world{small_options()};
  auto alice = world.connect("alice");
  for (const auto* overflow : {"block", "backpressure"}) {
    auto frames = world.exchange(
        alice, fmt::format(R"({{"type":"subscribe","id":"1","topics":["wait.t"],"overflow":"{}"}})", overflow));
    REQUIRE_EQ(types(frames), "error");
    CHECK_EQ(field(frames[0], "code"), "bad_request");
    CHECK(field(frames[0], "message").contains("only the configuration of a namespace"));
  }
}

TEST_CASE("a message that waited in vain counts as dropped under block; who is refused has lost nothing") {
  RealtimeWorld world{small_options(2s), 1, narrow};
  auto alice = world.connect("alice", 0);
  auto slow = world.connect("slow", 1);
  subscribe(world, slow, "wait.t");
  slow->stop_reading();
  fill(world, alice, "wait.t");
  CHECK_EQ(moved(world, "troupe_realtime_dropped_total"), "");  // it still waits
  world.world.advance(3s);
  CHECK_EQ(types(alice->take()), "ack");
  CHECK_EQ(moved(world, "troupe_realtime_dropped_total"), "wait block=1");
  auto told = read_on(world, slow);
  CHECK_EQ(moved(world, "troupe_realtime_gaps_told_total"), "overflow=1");
  CHECK_EQ(moved(world, "troupe_realtime_pushed_back_total"), "");
}

TEST_CASE("what comes to a full outbox before its publishers are refused counts as dropped under backpressure") {
  RealtimeWorld world{small_options(), 1, narrow};
  auto slow = world.connect("slow", 1);
  subscribe(world, slow, "push.t");
  slow->stop_reading();
  std::vector<Socket> publishers;
  for (std::size_t i = 0; i < 60; ++i) publishers.push_back(world.connect("publisher", 0));
  for (auto& one : publishers) {  // all at once, so that the home has taken them before it is told
    one->say(R"({"type":"publish","id":"1","topic":"push.t","payload":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"})");
  }
  world.world.run_until_idle();
  int taken = 0, refused = 0;
  for (auto& one : publishers) {
    const auto frames = one->take();
    REQUIRE_EQ(frames.size(), 1);
    ++(field(frames[0], "code") == "overloaded" ? refused : taken);
  }
  int told = 0, came = 0;
  for (const auto& frame : read_on(world, slow)) {
    if (field(frame, "type") == "message") ++came;
    if (field(frame, "type") == "gap") told += std::stoi(field(frame, "to")) - std::stoi(field(frame, "from")) + 1;
  }
  CHECK_GT(told, 0);
  CHECK_EQ(came + told, taken);
  CHECK_EQ(moved(world, "troupe_realtime_dropped_total"), fmt::format("push backpressure={}", told));
  CHECK_EQ(moved(world, "troupe_realtime_pushed_back_total"), refused == 0 ? "" : fmt::format("={}", refused));
}

/// How many messages the supervisors of connections have handled.
std::uint64_t looked_after(RealtimeWorld& world) {
  for (const auto& figures : actor::figures_of(world.world.system())) {
    if (figures.type == ConnectionSupervisor::actor_type) return figures.handled;
  }
  return 0;
}

TEST_CASE("as long as somebody is behind, homes hear of it again, and where nobody is, nothing is done for it") {
  auto options = small_options();
  options.connection.heartbeat.interval = 10min;  // pings are not what is looked at
  RealtimeWorld world{options, 1, narrow};
  world.world.advance(1s);
  const auto before = looked_after(world);
  world.world.advance(1min);
  CHECK_EQ(looked_after(world), before);
  auto alice = world.connect("alice", 0);
  auto slow = world.connect("slow", 1);
  const auto topic = topic_at(0, "push.");
  for (int round = 0; round < 2; ++round) {  // it begins anew as it began
    subscribe(world, slow, topic);
    slow->stop_reading();
    for (int i = 0; i < 60; ++i) publish(world, alice, topic);
    for (int second = 0; second < 10; ++second) {
      CHECK_EQ(field(publish(world, alice, topic)[0], "code"), "overloaded");
      world.world.advance(900ms);
    }
    read_on(world, slow);
    CHECK_EQ(types(publish(world, alice, topic)), "ack");
    world.world.advance(2s);
    slow->take(), alice->take();
    const auto after = looked_after(world);
    world.world.advance(2s);
    CHECK_EQ(looked_after(world), after);
  }
}

}  // namespace
}  // namespace troupe::realtime
