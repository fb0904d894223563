// What the service counts of itself: each counter moves for its reason, and for no other.
#include "troupe/realtime/service/metrics_collector.h"

#include <doctest/doctest.h>

#include "troupe/realtime/testing/figures.h"

namespace troupe::realtime {
namespace {

using namespace std::chrono_literals;
using testing::field;
using testing::figures_of;
using testing::Frames;
using testing::moved;
using testing::observed;
using testing::RealtimeWorld;
using testing::Socket;

constexpr net::MemoryNetworkOptions narrow{.buffer_bytes = 1024};

RealtimeOptions small_options() {
  RealtimeOptions options;
  options.connection.outbox.messages_max = 8;
  options.connection.frames = {.per_second = 100, .burst = 100};
  options.connection.frame_bytes_max = 1000;
  return options;
}

void subscribe(RealtimeWorld& world, Socket& socket, std::string_view topic, std::string_view overflow) {
  world.exchange(socket, fmt::format(R"({{"type":"subscribe","topics":["{}"],"overflow":"{}"}})", topic, overflow));
}

void publish(RealtimeWorld& world, Socket& socket, std::string_view topic, int count) {
  for (int i = 0; i < count; ++i) {
    socket->say(fmt::format(R"({{"type":"publish","topic":"{}","payload":"xxxxxxxxxxxxxxxxxxxxxxxx"}})", topic));
    world.world.run_until_idle();
  }
}

Frames read_on(RealtimeWorld& world, Socket& socket) {
  socket->read_again();
  world.world.advance(1s);
  return socket->take();
}

void close(Socket& socket, std::uint16_t code) {
  socket->send(wire::Opcode::close, std::string{static_cast<char>(code >> 8), static_cast<char>(code & 0xff)});
}

TEST_CASE("each connection that ends counts under its close code and under who ended it") {
  struct Row {
    std::string_view counted;
    void (*end)(RealtimeWorld& world, Socket& socket, Socket& other);
  };
  const Row rows[] = {
      {"client 1000=1", [](auto&, auto& socket, auto&) { close(socket, 1000); }},
      {"client 1001=1", [](auto&, auto& socket, auto&) { close(socket, 1001); }},
      {"client 1005=1", [](auto&, auto& socket, auto&) { socket->send(wire::Opcode::close, ""); }},
      {"client 1006=1", [](auto&, auto& socket, auto&) { socket->vanish(); }},
      {"client 1013=1", [](auto&, auto& socket, auto&) { close(socket, 1013); }},
      {"client 4003=1", [](auto&, auto& socket, auto&) { close(socket, 4003); }},
      {"client other=1", [](auto&, auto& socket, auto&) { close(socket, 4999); }},
      {"client other=2",
       [](auto&, auto& socket, auto& other) {
         close(socket, 4998);
         close(other, 3000);
       }},
      {"server 1002=1", [](auto&, auto& socket, auto&) { socket->raw(std::string(16, static_cast<char>(0xff))); }},
      {"server 1007=1", [](auto&, auto& socket, auto&) { socket->say("\xff"); }},
      {"server 1009=1", [](auto&, auto& socket, auto&) { socket->say(std::string(1001, ' ')); }},
      {"server 4001=1",
       [](auto& world, auto&, auto&) {
         world.realtime->supervisor().tell(TokenRevoked{TokenId{testing::token_of_user("alice")}});
       }},
      {"server 4002=1",
       [](auto& world, auto& socket, auto&) {
         socket->ignore_pings();
         world.world.advance(36s);
       }},
      {"server 4003=1",
       [](auto& world, auto& socket, auto& other) {
         subscribe(world, socket, "t", "disconnect");
         socket->stop_reading();
         publish(world, other, "t", 60);
         read_on(world, socket);
       }},
      {"server 4008=1",
       [](auto&, auto& socket, auto&) {
         for (int i = 0; i < 101; ++i) socket->say(R"({"type":"ping"})");
       }},
      {"server 1001=2", [](auto& world, auto&, auto&) { world.realtime->supervisor().tell(DrainRealtime{0s}); }},
  };
  for (const Row& row : rows) {
    CAPTURE(row.counted);
    RealtimeWorld world{small_options(), 1, narrow};
    auto socket = world.connect("alice", 0);
    auto other = world.connect("bob", 1);
    CHECK_EQ(moved(world, "troupe_realtime_close_codes_total"), "");
    row.end(world, socket, other);
    world.world.advance(1s);
    CHECK_EQ(moved(world, "troupe_realtime_close_codes_total"), row.counted);
  }
}

struct Told {
  int gaps = 0;
  int lost = 0;  // messages in them
};

Told told_in(const Frames& frames) {
  Told told;
  for (const auto& frame : frames) {
    if (field(frame, "type") != "gap") continue;
    ++told.gaps;
    told.lost += std::stoi(field(frame, "to")) - std::stoi(field(frame, "from")) + 1;
  }
  return told;
}

TEST_CASE("every message that was dropped counts under the policy that dropped it, every gap under its reason") {
  struct Row {
    const char *overflow, *reason;
  };
  for (const auto& [overflow, reason] :
       {Row{"drop_oldest", "overflow"}, {"drop_newest", "overflow"}, {"latest", "latest"}}) {
    CAPTURE(overflow);
    RealtimeWorld world{small_options(), 1, narrow};
    auto alice = world.connect("alice", 0);
    auto slow = world.connect("slow", 1);
    auto quick = world.connect("quick", 1);
    for (auto* socket : {&slow, &quick}) subscribe(world, *socket, "t", overflow);
    slow->stop_reading();
    publish(world, alice, "t", 60);
    const auto told = told_in(read_on(world, slow));
    REQUIRE_GT(told.lost, 0);
    CHECK_EQ(moved(world, "troupe_realtime_dropped_total"), fmt::format("other {}={}", overflow, told.lost));
    CHECK_EQ(moved(world, "troupe_realtime_gaps_told_total"), fmt::format("{}={}", reason, told.gaps));
    CHECK_EQ(told_in(quick->take()).gaps, 0);
  }
}

TEST_CASE("what spills is not dropped, and only what history has lost is told, as expired") {
  auto options = small_options();
  options.settings = std::make_shared<const RealtimeSettings>(NamespaceOptions{.history = {.count_max = 20}});
  RealtimeWorld world{options, 1, narrow};
  auto alice = world.connect("alice", 0);
  auto slow = world.connect("slow", 1);
  subscribe(world, slow, "t", "spill");
  slow->stop_reading();
  publish(world, alice, "t", 60);
  const auto told = told_in(read_on(world, slow));
  CHECK_EQ(told.gaps, 1);
  CHECK_EQ(moved(world, "troupe_realtime_dropped_total"), "");
  CHECK_EQ(moved(world, "troupe_realtime_gaps_told_total"), "expired=1");
}

TEST_CASE("what is for others is told as filtered, and is not dropped") {
  auto options = small_options();
  RoutingRule rule{.topic = TopicPattern::parse("t").value(), .sender = UserId{"boss"}};
  rule.target = std::make_shared<const std::string>("staff");
  options.settings = std::make_shared<const RealtimeSettings>(NamespaceOptions{}, RealtimeSettings::Namespaces{},
                                                              Anonymous::refused, std::vector{rule});
  RealtimeWorld world{options};
  auto boss = world.connect("boss", 0);
  auto reader = world.connect("reader", 1);
  subscribe(world, reader, "t", "drop_oldest");
  publish(world, boss, "t", 1);
  auto frames = reader->take();
  REQUIRE_EQ(told_in(frames).gaps, 1);
  CHECK_EQ(moved(world, "troupe_realtime_gaps_told_total"), "filtered=1");
  publish(world, boss, "t", 1);
  CHECK_EQ(moved(world, "troupe_realtime_gaps_told_total"), "filtered=2");
  CHECK_EQ(moved(world, "troupe_realtime_dropped_total"), "");
}

SettingsPtr settings_with(std::initializer_list<const char*> names) {
  RealtimeSettings::Namespaces namespaces;
  for (const auto* name : names) namespaces[name];
  return std::make_shared<const RealtimeSettings>(NamespaceOptions{}, std::move(namespaces));
}

TEST_CASE("what concerns a namespace counts under its name if the configuration says it, all else as other") {
  auto options = small_options();
  options.settings = settings_with({"chat", "other"});
  RealtimeWorld world{options};
  auto alice = world.connect("alice", 0);
  auto bob = world.connect("bob", 1);
  for (const auto* topic : {"chat.a", "chat.b", "news.*"}) subscribe(world, bob, topic, "drop_oldest");
  publish(world, alice, "chat.a", 2);
  publish(world, alice, "news.a", 1);
  publish(world, alice, "other.a", 1);
  for (int i = 0; i < 20; ++i) publish(world, alice, fmt::format("of-a-stranger-{}", i), 1);
  CHECK_EQ(moved(world, "troupe_realtime_published_total"), "chat=2 other=22");
  CHECK_EQ(moved(world, "troupe_realtime_delivered_total"), "chat=2 other=1");
  CHECK_EQ(moved(world, "troupe_realtime_subscriptions"), "chat=2 other=1");
  CHECK_EQ(moved(world, "troupe_realtime_spilled_total"), "");
  CHECK_EQ(figures_of(world, "troupe_realtime_published_total").size(), 2);
  auto bytes = figures_of(world, "troupe_realtime_history_bytes");
  CHECK_GT(bytes["chat"], 0);
  CHECK_GT(bytes["other"], bytes["chat"]);

  world.exchange(bob, R"({"type":"unsubscribe","topics":["chat.b"]})");
  CHECK_EQ(moved(world, "troupe_realtime_subscriptions"), "chat=1 other=1");
  bob->vanish();
  world.world.run_until_idle();
  CHECK_EQ(moved(world, "troupe_realtime_subscriptions"), "");
}

TEST_CASE("a namespace that gets a name takes what there is with it, one that loses its name keeps its figures") {
  auto options = small_options();
  RealtimeWorld world{options};
  auto alice = world.connect("alice", 0);
  auto bob = world.connect("bob", 1);
  for (const auto* topic : {"chat.a", "chat.>"}) subscribe(world, bob, topic, "drop_oldest");
  publish(world, alice, "chat.a", 1);
  const auto bytes = figures_of(world, "troupe_realtime_history_bytes")["other"];
  REQUIRE_GT(bytes, 0);

  options.settings = settings_with({"chat"});
  world.realtime->supervisor().tell(UseOptions{std::make_shared<const RealtimeOptions>(options)});
  world.world.run_until_idle();
  CHECK_EQ(moved(world, "troupe_realtime_subscriptions"), "chat=2");
  auto now = figures_of(world, "troupe_realtime_history_bytes");
  CHECK_EQ(now["chat"], bytes);
  CHECK_EQ(now["other"], 0);
  publish(world, alice, "chat.a", 1);
  CHECK_EQ(moved(world, "troupe_realtime_published_total"), "chat=1 other=1");

  options.settings = settings_with({});
  world.realtime->supervisor().tell(UseOptions{std::make_shared<const RealtimeOptions>(options)});
  world.world.run_until_idle();
  CHECK_EQ(moved(world, "troupe_realtime_published_total"), "chat=1 other=1");
}

TEST_CASE("drops and what spilled count under the namespace of their topic") {
  auto options = small_options();
  options.settings = settings_with({"chat", "quiet"});
  RealtimeWorld world{options, 1, narrow};
  auto alice = world.connect("alice", 0);
  auto slow = world.connect("slow", 1);
  subscribe(world, slow, "chat.a", "drop_oldest");
  slow->stop_reading();
  publish(world, alice, "chat.a", 60);
  const auto told = told_in(read_on(world, slow));
  REQUIRE_GT(told.lost, 0);
  CHECK_EQ(moved(world, "troupe_realtime_dropped_total"), fmt::format("chat drop_oldest={}", told.lost));

  auto spills = world.connect("spills", 1);
  subscribe(world, spills, "chat.b", "spill");
  spills->stop_reading();
  publish(world, alice, "chat.b", 60);
  auto spilled = figures_of(world, "troupe_realtime_spilled_total");
  CHECK_GT(spilled["chat"], 0);
  CHECK_EQ(spilled["quiet"], 0);
  CHECK_EQ(spilled["other"], 0);
  CHECK_EQ(moved(world, "troupe_realtime_dropped_total"), fmt::format("chat drop_oldest={}", told.lost));
}

TEST_CASE("one step in 64 is timed at each stage, on each core") {
  RealtimeWorld world;
  constexpr auto* stages = "troupe_realtime_stage_seconds";
  auto alice = world.connect("alice", 0);
  CHECK_EQ(observed(world, stages, "decode"), 0);
  for (int i = 0; i < 129; ++i) world.exchange(alice, R"({"type":"publish","topic":"t","payload":1})");
  CHECK_EQ(observed(world, stages, "decode"), 3);
  CHECK_EQ(observed(world, stages, "route"), 3);
  CHECK_EQ(observed(world, stages, "enqueue"), 0);  // nobody is there
  auto bob = world.connect("bob", 1);
  subscribe(world, bob, "t", "drop_oldest");
  CHECK_EQ(observed(world, stages, "decode"), 4);
  for (int i = 0; i < 64; ++i) world.exchange(alice, R"({"type":"publish","topic":"t","payload":1})");
  CHECK_EQ(observed(world, stages, "route"), 4);
  CHECK_EQ(observed(world, stages, "enqueue"), 1);
  const auto writes = static_cast<std::uint64_t>(figures_of(world, "troupe_realtime_writes_total")[""]);
  CHECK_GE(observed(world, stages, "write"), writes / 64);
  CHECK_LE(observed(world, stages, "write"), writes / 64 + 2);
  CHECK_GE(observed(world, "troupe_realtime_outbox_messages"), writes / 64);
  CHECK_EQ(observed(world, "troupe_realtime_outbox_messages", "", 3), 0);  // no more
}

TEST_CASE("what waits for a slow reader is seen in depth and time, and only there") {
  RealtimeOptions options;
  RealtimeWorld world{options, 1, narrow};
  auto alice = world.connect("alice", 0);
  auto slow = world.connect("slow", 1);
  subscribe(world, slow, "t", "drop_oldest");
  slow->stop_reading();
  publish(world, alice, "t", 900);
  CHECK_EQ(observed(world, "troupe_realtime_outbox_messages", "", 255), 0);  // it could not be written, so not seen
  CHECK_EQ(observed(world, "troupe_realtime_outbox_wait_seconds", "", 1), 0);
  world.world.advance(10s);
  (void)read_on(world, slow);
  CHECK_GT(observed(world, "troupe_realtime_outbox_messages", "", 255), 0);
  CHECK_GT(observed(world, "troupe_realtime_outbox_wait_seconds", "", 1), 0);
}

TEST_CASE("a drain shows how many were told, have gone and are left, who does not answer until it is given up") {
  RealtimeWorld world;
  std::vector<Socket> sockets;
  for (std::size_t i = 0; i < 8; ++i) sockets.push_back(world.connect("user" + std::to_string(i), i % 2));
  sockets[3]->stop_reading();
  CHECK_EQ(moved(world, "troupe_realtime_drain_connections"), "");
  world.realtime->supervisor().tell(DrainRealtime{10s});
  for (int second = 0; second < 10; ++second) {
    CAPTURE(second);
    world.world.advance(1s);
    const auto closed =
        static_cast<double>(std::ranges::count_if(sockets, [](const auto& one) { return one->is_closed(); }));
    auto figures = figures_of(world, "troupe_realtime_drain_connections");
    CHECK_GE(figures["gone"], closed);
    CHECK_EQ(figures["left"], 8 - figures["gone"]);
    CHECK_GE(figures["told"], figures["gone"]);
    CHECK_LE(figures["told"], 8);
  }
  world.world.advance(15s);
  CHECK_EQ(moved(world, "troupe_realtime_drain_connections"), "gone=8 told=8");
}

}  // namespace
}  // namespace troupe::realtime
