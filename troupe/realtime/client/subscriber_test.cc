// Subscriber against the service in memory: nothing is lost or doubled over cut connections, and what is lost is told.
#include "troupe/realtime/client/subscriber.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>

#include "troupe/realtime/client/traffic_recorder.h"
#include "troupe/realtime/protocol/history_recording.h"
#include "troupe/realtime/testing/mine.h"
#include "troupe/realtime/testing/played_server.h"
#include "troupe/realtime/testing/realtime_world.h"

namespace troupe::realtime {
namespace {

using namespace std::chrono_literals;
using testing::PlayedServer;
using testing::RealtimeWorld;
using testing::Socket;
using testing::token_of_user;

/// Keeps what it is told, and records the traffic.
struct Listener final : SubscriberEvents {
  void on_message(const ServerFrame& message) override { payloads += std::string{message.payload} + " "; }
  void on_gap(const ServerFrame& gap) override { told += fmt::format("gap {}..{} ", gap.from, gap.to); }
  void on_loss(const Loss& loss) override { told += fmt::format("loss {} {}..{} ", loss.topic, loss.from, loss.to); }
  void on_live() override { ++live; }
  void on_interrupted(const std::string& why, base::Duration) override { interruptions.push_back(why); }
  void on_note(const std::string& words) override { told += words + " "; }
  void on_over(const std::string& why) override { over = why; }

  std::string payloads, told;
  int live = 0;
  std::vector<std::string> interruptions;
  std::optional<std::string> over;
  std::string recording;
  TrafficRecorder recorder{"bob", [this](std::string_view line) { recording += line; }};
  std::unique_ptr<Subscriber> subscriber;
};

std::unique_ptr<Listener> listen(RealtimeWorld& world, std::vector<std::string> topics,
                                 std::string token = token_of_user("bob"), Reconnect reconnect = Reconnect::always) {
  auto listener = std::make_unique<Listener>();
  auto* network = world.networks[1].get();
  SubscriberOptions options{.dial = [network](actor::Core&) { return network->connect({{}, 80}); },
                            .socket = {.host = "test", .target = "/ws", .token = AccessToken{std::move(token)}},
                            .topics = std::move(topics),
                            .reconnect = reconnect,
                            .observer = &listener->recorder};
  listener->subscriber = std::make_unique<Subscriber>(world.world.core(1), std::move(options), *listener);
  world.world.advance(10ms);
  return listener;
}

void publish(RealtimeWorld& world, Socket& socket, std::string_view topic, int payload) {
  world.exchange(socket, fmt::format(R"({{"type":"publish","topic":"{}","payload":{}}})", topic, payload));
}

HistoryFigures judged(const Listener& listener) {
  HistoryChecker checker;
  HistoryRecording recording{checker};
  std::string_view rest = listener.recording;
  while (!rest.empty()) {
    CHECK(recording.line(rest.substr(0, rest.find('\n'))).has_value());
    rest.remove_prefix(rest.find('\n') + 1);
  }
  checker.finish(true);
  return checker.figures();
}

TEST_CASE("over cut connections each message comes once and in order, and the recording shows it") {
  RealtimeWorld world;
  auto alice = world.connect("alice");
  auto bob = listen(world, {"t", "u"});
  REQUIRE_EQ(bob->live, 1);
  std::string expected;
  for (int i = 0; i < 20; ++i) {
    if (i % 4 == 1) bob->subscriber->cut();
    publish(world, alice, i % 3 == 0 ? "u" : "t", i);
    if (i % 4 == 2) world.world.advance(2s);
    expected += std::to_string(i) + " ";
  }
  world.world.advance(20s);
  CHECK_EQ(bob->live, 6);
  CHECK_EQ(bob->payloads.size(), expected.size());
  CHECK_EQ(bob->told, "");
  auto figures = judged(*bob);
  CHECK_EQ(figures.violations, 0);
  CHECK_EQ(figures.deliveries, 20);
  CHECK_GT(figures.recoveries, 0);
}

TEST_CASE("what is no longer kept when it comes back is told as a loss, with its offsets") {
  RealtimeOptions options;
  options.settings = std::make_shared<const RealtimeSettings>(NamespaceOptions{.history = {.count_max = 2}});
  RealtimeWorld world{options};
  auto alice = world.connect("alice");
  auto bob = listen(world, {"t"});
  publish(world, alice, "t", 1);
  bob->subscriber->cut();
  for (int i = 2; i <= 9; ++i) publish(world, alice, "t", i);
  world.world.advance(2s);
  publish(world, alice, "t", 10);
  CHECK_EQ(bob->payloads, "1 10 ");
  CHECK_EQ(bob->told, "loss t 2..9 ");
  CHECK_EQ(judged(*bob).violations, 0);
}

TEST_CASE("a server that refuses the subscription or the token ends it with a sentence, and is not asked again") {
  RealtimeWorld world;
  auto forbidden = listen(world, {"secret"}, "bob,topic:t:subscribe");
  world.world.advance(10s);
  REQUIRE(forbidden->over.has_value());
  CHECK(forbidden->over->contains("forbidden"));
  CHECK(forbidden->interruptions.empty());
  auto stranger = listen(world, {"t"}, "bad");
  REQUIRE(stranger->over.has_value());
  CHECK(stranger->over->contains("401"));
}

TEST_CASE("a token that is taken back ends it, and a connection that is lost does where it shall not come back") {
  RealtimeWorld world;
  auto bob = listen(world, {"t"}, token_of_user("bob"), Reconnect::never);
  world.realtime->supervisor().tell(TokenRevoked{TokenId{token_of_user("bob")}});
  world.world.advance(1s);
  REQUIRE(bob->over.has_value());
  CHECK(bob->over->contains("4001"));
}

TEST_CASE("it waits longer each time for a server that is not there, and goes on when it is back") {
  RealtimeWorld world;
  bool reachable = false;
  int tries = 0;
  auto listener = std::make_unique<Listener>();
  auto* network = world.networks[1].get();
  SubscriberOptions options{.dial =
                                [&, network](actor::Core&) {
                                  ++tries;
                                  if (!reachable)
                                    throw std::system_error(ECONNREFUSED, std::generic_category(), "connect");
                                  return network->connect({{}, 80});
                                },
                            .socket = {.host = "test", .target = "/ws", .token = AccessToken{token_of_user("bob")}},
                            .topics = {"t"}};
  listener->subscriber = std::make_unique<Subscriber>(world.world.core(1), std::move(options), *listener);
  world.world.advance(1min);
  CHECK_GE(tries, 8);
  CHECK_LE(tries, 20);
  CHECK_EQ(static_cast<int>(listener->interruptions.size()), tries);
  reachable = true;
  world.world.advance(11s);
  CHECK_EQ(listener->live, 1);
  listener->subscriber->close();
  world.world.advance(1s);
  CHECK_EQ(listener->over, "closed");
}

TEST_CASE("an address that has a query goes on, too") {
  RealtimeWorld world;
  auto alice = world.connect("alice");
  auto listener = std::make_unique<Listener>();
  auto* network = world.networks[1].get();
  SubscriberOptions options{.dial = [network](actor::Core&) { return network->connect({{}, 80}); },
                            .socket = {.host = "test", .target = "/ws?access_token=" + token_of_user("bob")},
                            .topics = {"t"},
                            .observer = &listener->recorder};
  listener->subscriber = std::make_unique<Subscriber>(world.world.core(1), std::move(options), *listener);
  world.world.advance(10ms);
  publish(world, alice, "t", 1);
  listener->subscriber->cut();
  publish(world, alice, "t", 2);
  world.world.advance(20s);
  CHECK_EQ(listener->payloads, "1 2 ");
  CHECK_FALSE(listener->over.has_value());
}

TEST_CASE("a pattern goes on where it was, over cut connections") {
  RealtimeWorld world;
  auto alice = world.connect("alice");
  auto bob = listen(world, {"news.*", "other.>"});
  std::string expected;
  for (int i = 1; i <= 12; ++i) {
    if (i % 4 == 2) bob->subscriber->cut();
    publish(world, alice, i % 2 == 0 ? "news.a" : "other.b", i);
    if (i % 4 == 0) world.world.advance(3s);
    expected += std::to_string(i) + " ";
  }
  world.world.advance(20s);
  CHECK_EQ(bob->payloads.size(), expected.size());
  CHECK_EQ(bob->told, "");
  CHECK_EQ(judged(*bob).violations, 0);
}

TEST_CASE("a pattern whose messages are no longer kept goes on from now, and says so") {
  RealtimeOptions options;
  options.settings = std::make_shared<const RealtimeSettings>(NamespaceOptions{.history = {.count_max = 2}});
  RealtimeWorld world{options};
  auto alice = world.connect("alice");
  auto bob = listen(world, {"news.*"});
  publish(world, alice, "news.a", 1);
  bob->subscriber->cut();
  for (int i = 2; i <= 9; ++i) publish(world, alice, "news.a", i);
  world.world.advance(2s);
  publish(world, alice, "news.b", 10);
  CHECK_EQ(bob->payloads, "1 10 ");
  CHECK_EQ(bob->told, "loss news.* 0..0 ");
}

TEST_CASE("a slow reader is told its gaps") {
  RealtimeOptions options;
  options.connection.outbox.messages_max = 4;
  RealtimeWorld world{options, 1, {.buffer_bytes = 2048}};
  auto alice = world.connect("alice");
  auto bob = listen(world, {"t"});
  bob->subscriber->pause_reading();
  for (int i = 1; i <= 60; ++i) publish(world, alice, "t", i);
  bob->subscriber->resume_reading();
  world.world.advance(1s);
  CHECK(bob->told.starts_with("gap "));
  CHECK(bob->payloads.ends_with("60 "));
  auto figures = judged(*bob);
  CHECK_EQ(figures.violations, 0);
  CHECK_EQ(figures.deliveries + figures.missed, 60);
}

TEST_CASE("a payload that is written over several lines stands in one line of a recording") {
  RealtimeWorld world;
  auto alice = world.connect("alice");
  auto bob = listen(world, {"t"});
  world.exchange(alice, "{\"type\":\"publish\",\"topic\":\"t\",\"payload\":[1,\r\n2]}");
  CHECK_EQ(bob->payloads, "[1,\r\n2] ");
  CHECK_EQ(judged(*bob).deliveries, 1);
}

TEST_CASE("the bytes of a binary message stand in a recording as a text") {
  RealtimeWorld world;
  auto alice = world.connect("alice");
  auto bob = listen(world, {"t"});
  alice->send(wire::Opcode::binary, "{\"type\":\"publish\",\"topic\":\"t\"}\n\x01\x02");
  world.world.run_until_idle();
  CHECK(bob->recording.contains(R"("content":"AQI=")"));
  CHECK_EQ(judged(*bob).deliveries, 1);
}

TEST_CASE("what the server loses while the connection stays is told, and all goes on") {
  RealtimeWorld world;
  auto alice = world.connect("alice", 1);
  const auto goes = testing::topic_at(0, "news."), stays = testing::topic_at(1, "more.");
  auto bob = listen(world, {goes, stays, "news.*"});
  publish(world, alice, goes, 1);
  publish(world, alice, stays, 2);
  testing::corrupt(world, 0, alice);
  CHECK(bob->told.contains(fmt::format("loss {} 0..0 ", goes)));
  CHECK(bob->told.contains("loss news.* 0..0 "));
  CHECK_FALSE(bob->told.contains(stays));
  publish(world, alice, goes, 3);
  publish(world, alice, stays, 4);
  bob->subscriber->cut();
  publish(world, alice, goes, 5);
  world.world.advance(2s);
  CHECK_EQ(bob->payloads, "1 2 3 4 5 ");
  CHECK_EQ(judged(*bob).violations, 0);
}

/// A subscriber whose server is played by the test, and has welcomed it.
struct Played {
  explicit Played(std::string topic) {
    SubscriberOptions options{.dial = [this](actor::Core&) { return PlayedServer::accept(network, server); },
                              .socket = {.host = "test", .target = "/ws"},
                              .topics = {std::move(topic)},
                              .observer = &listener.recorder};
    listener.subscriber = std::make_unique<Subscriber>(world.core(0), std::move(options), listener);
    world.advance(1ms);
    server->welcome();
    world.run_until_idle();
    CHECK_EQ(server->take().size(), 1);  // subscribe
  }
  ~Played() {
    listener.subscriber.reset();
    server.reset();
    world.shutdown();
  }
  /// Says frames, with ' for ".
  void say(const std::vector<std::string_view>& frames) {
    for (std::string frame : std::vector<std::string>{frames.begin(), frames.end()}) {
      std::ranges::replace(frame, '\'', '"');
      server->say_frame(frame);
    }
    world.run_until_idle();
  }

  actor::test::World world{1};
  net::MemoryNetwork network{world.core(0)};
  std::unique_ptr<PlayedServer> server;
  Listener listener;
};

TEST_CASE("where a topic goes on after the server has lost something of it") {
  struct Row {
    std::string_view name, topic, confirmed, restarted, message, told;
  };
  const Row rows[] = {
      {"a new epoch, from its beginning", "t", "'epoch':'e','offset':5", "'epoch':'f','offset':0",
       "'topic':'t','epoch':'f','offset':1", "loss t 0..0 "},
      {"a new epoch that has forgotten its beginning", "t", "'epoch':'e','offset':5", "'epoch':'f','offset':7",
       "'topic':'t','epoch':'f','offset':8", "loss t 0..0 "},
      {"a new epoch of one shard", "t.*", "'shards':{'0':{'epoch':'p','seq':9}}",
       "'shards':{'0':{'epoch':'q','seq':0}}", "'topic':'t.x','epoch':'f','offset':1,'shard':'0','seq':1",
       "loss t.* 0..0 "},
      {"an inbox", "t", "'epoch':'e','offset':5", "", "'topic':'t','epoch':'e','offset':6", "loss $user.u 0..0 "},
  };
  for (const auto& row : rows) {
    CAPTURE(row.name);
    Played played{std::string{row.topic}};
    played.say(
        {fmt::format("{{'type':'subscription_confirmed','id':'s','topics':[{{'topic':'{}',{},'recovered':false}}]}}",
                     row.topic, row.confirmed)});
    const std::string_view lost = row.restarted.empty() ? "$user.u" : row.topic;
    played.say({fmt::format("{{'type':'restarted','topics':[{{'topic':'{}',{},'recovered':false}}]}}", lost,
                            row.restarted.empty() ? "'epoch':'z','offset':0" : row.restarted),
                fmt::format("{{'type':'message',{},'payload':1}}", row.message)});
    CHECK_EQ(played.listener.told, row.told);
    CHECK_EQ(played.listener.payloads, "1 ");
    CHECK_EQ(played.listener.live, 1);
    CHECK(played.server->take().empty());
    CHECK_EQ(judged(played.listener).violations, 0);
  }
}

TEST_CASE("what the server passed over in the same epoch is asked for, and is a loss only if it is not kept") {
  constexpr std::string_view confirmed =
      "{'type':'subscription_confirmed','id':'s','topics':[{'topic':'t','epoch':'e','offset':5,'recovered':false}]}";
  constexpr std::string_view restarted =
      "{'type':'restarted','topics':[{'topic':'t','epoch':'e','offset':8,'recovered':false}]}";
  auto message = [](int offset) {
    return fmt::format("{{'type':'message','topic':'t','epoch':'e','offset':{0},'payload':{0}}}", offset);
  };
  for (const bool kept : {true, false}) {
    CAPTURE(kept);
    Played played{"t"};
    played.say({confirmed, restarted, restarted, message(9)});
    const auto asked = played.server->take();
    REQUIRE_EQ(asked.size(), 1);
    CHECK(asked[0].contains(R"("type":"subscribe","id":"s","topics":["t"],"recover":{"t":{"epoch":"e","offset":5}})"));
    CHECK_EQ(played.listener.payloads, "");
    played.say({fmt::format(
        "{{'type':'subscription_confirmed','id':'s','topics':[{{'topic':'t','epoch':'e','offset':9,'recovered':{}}}]}}",
        kept)});
    for (int offset = kept ? 6 : 10; offset <= 10; ++offset) played.say({message(offset)});
    CHECK_EQ(played.listener.payloads, kept ? "6 7 8 9 10 " : "10 ");
    CHECK_EQ(played.listener.told, kept ? "" : "loss t 6..9 ");
    CHECK_EQ(played.listener.live, 1);
    CHECK_EQ(played.listener.subscriber->position("t")->offset, 10);
    CHECK_EQ(judged(played.listener).violations, 0);
  }
}

}  // namespace
}  // namespace troupe::realtime
