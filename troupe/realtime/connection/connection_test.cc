// How connections end: silence, abuse, revoked tokens, faults, drains; and that each ends alone.
#include <doctest/doctest.h>

#include "troupe/actor/sim/explore.h"
#include "troupe/realtime/connection/connection_supervisor.h"
#include "troupe/realtime/testing/figures.h"

namespace troupe::realtime {
namespace {

using namespace std::chrono_literals;
using testing::field;
using testing::Frames;
using testing::RealtimeWorld;
using testing::types;

TEST_CASE("a client that answers pings stays, one that does not is closed with 4002") {
  RealtimeWorld world;
  auto alive = world.connect("alice");
  auto dead = world.connect("bob");
  dead->ignore_pings();
  world.world.advance(25s);
  CHECK_EQ(alive->pings(), 1);
  CHECK_EQ(dead->pings(), 1);
  world.world.advance(11s);
  CHECK_EQ(dead->close_code(), 4002);
  world.world.advance(10min);
  CHECK_FALSE(alive->close_code().has_value());
  CHECK_GE(alive->pings(), 24);
  CHECK_EQ(field(world.exchange(alive, R"({"type":"info"})")[0], "rtt_ms"), "0");
}

TEST_CASE("a client that says nothing for as long as is allowed is closed with 4005, whatever it is told") {
  RealtimeOptions options;
  options.connection.idle_timeout = 60s;
  RealtimeWorld world{options};
  auto talks = world.connect("alice");
  auto listens = world.connect("bob");
  world.exchange(listens, R"({"type":"subscribe","topics":["t"]})");
  for (int i = 0; i < 3; ++i) {
    world.world.advance(19s);
    world.exchange(talks, R"({"type":"publish","topic":"t","payload":1})");
  }
  CHECK_FALSE(listens->close_code().has_value());
  world.world.advance(4s);
  CHECK_EQ(listens->close_code(), 4005);
  world.world.advance(30s);
  CHECK_FALSE(talks->close_code().has_value());
  world.world.advance(27s);
  CHECK_EQ(talks->close_code(), 4005);
}

TEST_CASE("revoking a token closes every connection that uses it at once, on all cores, and no other") {
  RealtimeWorld world;
  auto token = testing::token_of_user("alice");
  auto first = world.connect_token(token, 0);
  auto second = world.connect_token(token, 1);
  auto other = world.connect_token(token + ",more", 1);
  world.realtime->supervisor().tell(TokenRevoked{TokenId{token}});
  world.world.run_until_idle();
  CHECK_EQ(first->close_code(), 4001);
  CHECK_EQ(second->close_code(), 4001);
  CHECK_FALSE(other->close_code().has_value());
  // A connection that was verified just before is closed too.
  auto late = world.ask_for("/ws", fmt::format("Authorization: Bearer {}\r\n", token));
  CHECK_EQ(late->close_code(), 4001);
}

TEST_CASE("a token that expires is announced and then closes the connection with 4001") {
  RealtimeWorld world;
  auto in = [&](base::Duration wait) { return (world.world.manual_clock().wall() + wait).milliseconds; };
  auto socket = world.connect_token(fmt::format("alice,expires={}", in(200s)));
  world.world.advance(139s);
  CHECK_EQ(types(socket->take()), "");
  world.world.advance(2s);
  CHECK_EQ(types(socket->take()), "token_expiring");
  world.world.advance(60s);
  CHECK_EQ(socket->close_code(), 4001);

  auto refreshed = world.connect_token(fmt::format("alice,expires={}", in(100s)));
  world.exchange(refreshed, fmt::format(R"({{"type":"authenticate","token":"alice,expires={}"}})", in(1h)));
  world.world.advance(110s);
  CHECK_FALSE(refreshed->close_code().has_value());
}

TEST_CASE("a token that lives shortly is announced halfway, and once, however often it is shown") {
  RealtimeWorld world;
  const auto ends_in = [&](base::Duration wait) { return (world.world.manual_clock().wall() + wait).milliseconds; };
  const auto token = fmt::format("alice,expires={}", ends_in(12s));
  auto socket = world.connect_token(token);
  world.world.advance(5s);
  CHECK_EQ(types(socket->take()), "");
  world.world.advance(2s);
  CHECK_EQ(types(socket->take()), "token_expiring");
  for (int i = 0; i < 3; ++i) {
    world.exchange(socket, fmt::format(R"({{"type":"authenticate","token":"{}"}})", token));
    world.world.advance(1s);
    CHECK_FALSE(types(socket->take()).contains("token_expiring"));
  }
  world.exchange(socket, fmt::format(R"({{"type":"authenticate","token":"alice,expires={}"}})", ends_in(12s)));
  world.world.advance(7s);
  CHECK(types(socket->take()).contains("token_expiring"));
}

TEST_CASE("a frame over the limit closes with 1009") {
  RealtimeOptions options;
  options.connection.frame_bytes_max = 1000;
  RealtimeWorld world{options};
  auto socket = world.connect("alice");
  socket->say(std::string(1001, ' '));
  world.world.run_until_idle();
  CHECK_EQ(socket->close_code(), 1009);
}

TEST_CASE("more frames or bytes than the rate allows are answered with an error and 4008") {
  RealtimeOptions options;
  options.connection.frames = {.per_second = 10, .burst = 20};
  RealtimeWorld world{options};
  auto socket = world.connect("alice");
  for (int i = 0; i < 20; ++i) socket->say(R"({"type":"ping"})");
  world.world.run_until_idle();
  CHECK_EQ(socket->take().size(), 20);
  world.world.advance(1s);
  for (int i = 0; i < 11; ++i) socket->say(R"({"type":"ping"})");
  world.world.run_until_idle();
  auto frames = socket->take();
  CHECK_EQ(field(frames.back(), "code"), "rate_limited");
  CHECK_NE(field(frames.back(), "retry_after_ms"), "");
  CHECK_EQ(socket->close_code(), 4008);
}

TEST_CASE("a reader that leaves too many answers unread is closed with 4003") {
  RealtimeOptions options;
  options.connection.outbox.control_bytes_pause = SIZE_MAX / 4;
  options.connection.outbox.control_bytes_max = 1000;
  RealtimeWorld world{options, 1, {.buffer_bytes = 2048}};
  auto socket = world.connect("alice");
  socket->stop_reading();
  for (int i = 0; i < 60; ++i) {
    socket->say(R"({"type":"ping","timestamp":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"})");
    world.world.run_until_idle();
  }
  socket->read_again();
  world.world.advance(1s);
  CHECK_EQ(socket->close_code(), 4003);
}

TEST_CASE("reading pauses for a client that does not take its answers, and goes on when it does") {
  RealtimeOptions options;
  options.connection.outbox.control_bytes_pause = 500;
  RealtimeWorld world{options, 1, {.buffer_bytes = 8192}};
  auto socket = world.connect("alice");
  socket->stop_reading();
  std::string many;
  for (int i = 0; i < 200; ++i)
    many += wire::encode_masked_frame(wire::Opcode::text, R"({"type":"ping"})", {1, 2, 3, 4});
  socket->raw(many);
  world.world.run_until_idle();
  CHECK_FALSE(socket->close_code().has_value());
  socket->read_again();
  world.world.run_until_idle();
  CHECK_EQ(socket->take().size(), 200);
}

TEST_CASE("of large frames few wait for their turn, and none is lost") {
  RealtimeOptions options;
  options.connection.outbox.bytes_max = 500 * 1024;
  options.settings = std::make_shared<const RealtimeSettings>(
      NamespaceOptions{.overflow = Overflow::block, .block_time = 1s}, RealtimeSettings::Namespaces{});
  RealtimeWorld world{options};
  auto slow = world.connect("slow");
  world.exchange(slow, R"({"type":"subscribe","topics":["t"]})");
  slow->stop_reading();
  auto alice = world.connect("alice", 1);
  const auto received = [&] { return testing::figures_of(world, "troupe_realtime_received_bytes_total")[""]; };
  const auto before = received();
  constexpr int many = 20;
  constexpr std::size_t size = 200 * 1024;
  const std::string payload(size, 'x');
  for (int i = 0; i < many; ++i)
    alice->say(fmt::format(R"({{"type":"publish","id":"{}","topic":"t","payload":"{}"}})", i, payload));
  world.world.run_until_idle();
  CHECK_LE(received() - before, 1024 * 1024 + 4 * size);  // the third ack waits for the slow reader, and all others
  world.world.advance(1min);
  auto answers = alice->take();
  REQUIRE_EQ(answers.size(), many);
  for (std::size_t i = 0; i < answers.size(); ++i) CHECK_EQ(field(answers[i], "id"), std::to_string(i));
}

TEST_CASE("commands past the pause wait in order and none is lost") {
  RealtimeOptions options;
  options.connection.commands_pause = 4;
  RealtimeWorld world{options};
  auto alice = world.connect("alice", 0);
  std::string many;
  for (int i = 0; i < 100; ++i) {
    auto json = fmt::format(R"({{"type":"publish","id":"{}","topic":"t{}","payload":1}})", i, i);
    many += wire::encode_masked_frame(wire::Opcode::text, json, {1, 2, 3, 4});
  }
  alice->raw(many);
  world.world.run_until_idle();
  auto acks = alice->take();
  REQUIRE_EQ(acks.size(), 100);
  for (std::size_t i = 0; i < acks.size(); ++i) CHECK_EQ(field(acks[i], "id"), std::to_string(i));
}

TEST_CASE("whatever one connection sends, it is answered or closed, and the others go on") {
  struct Row {
    std::string_view name;
    std::string bytes;        // raw, after the handshake
    std::string_view answer;  // the code of the error frame, if any
    std::optional<std::uint16_t> closed;
  };
  auto text = [](std::string_view json) { return wire::encode_masked_frame(wire::Opcode::text, json, {1, 2, 3, 4}); };
  auto unmasked = [](std::string_view json) { return wire::encode_frame(wire::Opcode::text, json); };
  const Row rows[] = {
      {"no JSON", text("hello"), "bad_request", {}},
      {"an empty frame", text(""), "bad_request", {}},
      {"an array", text("[]"), "bad_request", {}},
      {"no type", text("{}"), "bad_request", {}},
      {"a type that is no command", text(R"({"type":"dance"})"), "bad_request", {}},
      {"a field given twice", text(R"({"type":"ping","type":"ping"})"), "bad_request", {}},
      {"a field of the wrong type", text(R"({"type":"publish","topic":5,"payload":1})"), "bad_request", {}},
      {"a payload that is cut", text(R"({"type":"publish","topic":"a","payload":{)"), "bad_request", {}},
      {"nested too deeply", text(std::string(1000, '[')), "bad_request", {}},
      {"a topic with an empty segment", text(R"({"type":"subscribe","topics":["a..b"]})"), "bad_request", {}},
      {"binary without a header",
       wire::encode_masked_frame(wire::Opcode::binary, "xyz", {1, 2, 3, 4}),
       "bad_request",
       {}},
      {"text that is not UTF-8", text("\xff\xfe"), "", 1007},
      {"a frame without a mask", unmasked("{}"), "", 1002},
      {"a reserved bit", std::string{"\xf1\x80\x01\x02\x03\x04", 6}, "", 1002},
      {"a reserved opcode", std::string{"\x83\x80\x01\x02\x03\x04", 6}, "", 1002},
      {"a ping of 126 bytes", wire::encode_masked_frame(wire::Opcode::ping, std::string(126, 'x'), {1, 2, 3, 4}), "",
       1002},
      {"a continuation of nothing", wire::encode_masked_frame(wire::Opcode::continuation, "x", {1, 2, 3, 4}), "", 1002},
  };
  RealtimeWorld world;
  auto bystander = world.connect("bob", 0);
  world.exchange(bystander, R"({"type":"subscribe","topics":["t"]})");
  for (const auto& row : rows) {
    CAPTURE(row.name);
    auto socket = world.connect("alice", 0);
    socket->raw(row.bytes);
    world.world.run_until_idle();
    auto frames = socket->take();
    CHECK_EQ(frames.empty() ? "" : field(frames[0], "code"), row.answer);
    CHECK_EQ(socket->close_code(), row.closed);
    if (!row.closed) CHECK_EQ(types(world.exchange(socket, R"({"type":"ping"})")), "pong");
    auto ack = world.exchange(bystander, R"({"type":"publish","id":"1","topic":"t","payload":1})");
    CHECK_EQ(types(ack), "message ack");
  }
}

/// One connection without its tree: a real link, and an actor that is played by the test.
struct Alone {
  explicit Alone(ConnectionOptions options = {}) : network(world.core(0)) {
    site->options = std::move(options);
    auto [client_end, server_end] = network.pair({}, {});
    auto link = web::open_websocket(world.core(0), std::move(server_end),
                                    base::make_local<web::ReceiveBudget>(1024 * 1024), "", "");
    connection = base::make_local<Connection>(world.core(0),
                                              ConnectionParts{.site = site, .number = 1, .link = std::move(link)});
    client = std::make_unique<testing::TestSocket>(std::move(client_end));
    connection->attach({});
    world.run_until_idle();
  }
  ~Alone() { connection->end(); }

  actor::test::World world{1};
  net::MemoryNetwork network;
  std::shared_ptr<ConnectionSite> site = std::make_shared<ConnectionSite>();
  base::LocalRef<Connection> connection;
  std::unique_ptr<testing::TestSocket> client;
};

TEST_CASE("a command that failed is answered when its actor starts anew, and past the limit the connection closes") {
  Alone alone{{.failures_max = 2}};
  for (int i = 0; i < 2; ++i) {
    alone.connection->begin(std::make_unique<CommandRun>(ClientFrame{RequestId{"7"}, GetInfo{}}, 0));
    alone.connection->attach({});
    alone.world.run_until_idle();
    auto frames = alone.client->take();
    REQUIRE_EQ(types(frames), "error");
    CHECK_EQ(field(frames[0], "code"), "internal");
    CHECK_EQ(field(frames[0], "id"), "7");
  }
  alone.connection->begin();
  alone.connection->attach({});
  alone.world.run_until_idle();
  CHECK_EQ(alone.client->close_code(), 1011);
}

TEST_CASE("what a command that failed held back is let go") {
  Alone alone;
  alone.connection->begin();
  alone.connection->hold({TopicPattern::parse("t").value()});
  auto frame = FrameRef::message(finished(Pong{}, std::optional<RequestId>{}), "t", {Epoch{"e"}, 7});
  CHECK_EQ(alone.connection->deliver(frame, Overflow::drop_oldest), Delivery::accepted);
  alone.world.run_until_idle();
  CHECK(alone.client->take().empty());
  alone.connection->attach({});
  alone.world.run_until_idle();
  CHECK_EQ(types(alone.client->take()), "pong");
}

TEST_CASE("failures that lie far apart do not add up") {
  Alone alone{{.failures_max = 1}};
  for (int i = 0; i < 5; ++i) {
    alone.connection->begin();
    alone.connection->attach({});
    alone.world.advance(31s);
    alone.client->send(wire::Opcode::ping, "");  // so that the core takes a turn and looks at the clock
    alone.world.run_until_idle();
  }
  CHECK_EQ(alone.client->close_code(), std::nullopt);
}

TEST_CASE("a drain tells everybody at different times, closes with 1001 and lets nobody in") {
  RealtimeWorld world;
  std::vector<testing::Socket> sockets;
  for (std::size_t i = 0; i < 20; ++i) sockets.push_back(world.connect("user" + std::to_string(i), i % 2));
  world.realtime->supervisor().tell(DrainRealtime{10s});
  auto closed = [&] {
    return std::ranges::count_if(sockets, [](const auto& socket) { return socket->close_code() == 1001; });
  };
  world.world.advance(1s);
  CHECK_EQ(world.ask_for("/ws", "Authorization: Bearer late\r\n")->status(), 503);
  world.world.advance(4s);
  CHECK_GT(closed(), 2);
  CHECK_LT(closed(), 18);
  world.world.advance(6s);
  CHECK_EQ(closed(), 20);
  for (auto& socket : sockets) CHECK_EQ(types(socket->take()), "draining");
}

TEST_CASE("a drain writes what waits before it closes, and gives up on who does not read") {
  RealtimeOptions options;
  RealtimeWorld world{options, 1, {.buffer_bytes = 4096}};
  auto alice = world.connect("alice");
  auto stuck = world.connect("bob");
  for (auto* socket : {&alice, &stuck}) world.exchange(*socket, R"({"type":"subscribe","topics":["t"]})");
  alice->stop_reading();
  stuck->stop_reading();
  auto carol = world.connect("carol");
  for (int i = 0; i < 60; ++i)
    world.exchange(carol, R"({"type":"publish","topic":"t","payload":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"})");
  world.realtime->supervisor().tell(DrainRealtime{0s});
  world.world.advance(1s);
  CHECK_FALSE(alice->is_closed());
  alice->read_again();
  world.world.advance(1s);
  auto frames = alice->take();
  CHECK_EQ(frames.size(), 61);
  CHECK_EQ(field(frames.back(), "type"), "draining");
  CHECK_EQ(alice->close_code(), 1001);
  world.world.advance(15s);
  auto samples = world.world.block_on(world.realtime->metrics().ask(CollectMetrics{}));
  for (const auto& sample : samples->all()) {
    if (sample.name == "troupe_realtime_connections") CHECK_EQ(sample.value, 0);
  }
}

TEST_CASE("a drain answers each command that it has read before it closes, and reads no further one") {
  RealtimeOptions options;
  options.connection.outbox.messages_max = 4;
  options.settings = std::make_shared<const RealtimeSettings>(NamespaceOptions{.overflow = Overflow::block});
  RealtimeWorld world{options, 1, {.buffer_bytes = 1024}};
  auto alice = world.connect("alice");
  auto slow = world.connect("slow", 1);
  world.exchange(slow, R"({"type":"subscribe","topics":["t"]})");
  slow->stop_reading();
  std::string last;
  for (int i = 0; i < 100 && last.empty(); ++i) {  // until one has to wait for the slow one
    const auto frames = world.exchange(
        alice, fmt::format(R"({{"type":"publish","id":"{}","topic":"t","payload":"xxxxxxxxxxxxxxxxxxxxxxxx"}})", i));
    if (frames.empty()) last = std::to_string(i);
  }
  REQUIRE_FALSE(last.empty());
  world.realtime->supervisor().tell(DrainRealtime{0s});
  world.world.advance(100ms);
  CHECK_EQ(types(alice->take()), "draining");
  CHECK_FALSE(alice->is_closed());
  alice->say(R"({"type":"publish","id":"late","topic":"t","payload":1})");
  slow->read_again();
  world.world.advance(1s);
  const auto frames = alice->take();
  REQUIRE_EQ(types(frames), "ack");
  CHECK_EQ(field(frames[0], "id"), last);
  CHECK_EQ(alice->close_code(), 1001);
}

TEST_CASE("a client that vanishes in the middle of its handshake leaves nothing behind") {
  actor::test::explore({.schedules = 50}, [&](actor::test::Seed seed) {
    RealtimeWorld world{{}, seed};
    for (std::size_t i = 0; i < 6; ++i) {
      auto headers = fmt::format("Authorization: Bearer {}\r\n", testing::token_of_user("alice"));
      testing::TestSocket socket{world.networks[i % 2]->connect({{}, 80}), "/ws", headers};
      world.world.advance(std::chrono::microseconds{seed.number % 50 * 7});
    }
    world.world.advance(10s);
    auto samples = world.world.block_on(world.realtime->metrics().ask(CollectMetrics{}));
    for (const auto& sample : samples->all()) {
      if (sample.name == "troupe_realtime_connections") CHECK_EQ(sample.value, 0);
      if (sample.name == "troupe_realtime_inboxes") CHECK_EQ(sample.value, 0);
    }
  });
}

TEST_CASE("whoever vanishes leaves nothing behind") {
  RealtimeWorld world;
  for (int round = 0; round < 3; ++round) {
    std::vector<testing::Socket> sockets;
    for (std::size_t i = 0; i < 10; ++i) {
      sockets.push_back(world.connect("user" + std::to_string(i), i % 2));
      world.exchange(sockets.back(), R"({"type":"subscribe","topics":["t","a.*",">"]})");
    }
    for (auto& socket : sockets) socket->vanish();
    world.world.run_until_idle();
    auto samples = world.world.block_on(world.realtime->metrics().ask(CollectMetrics{}));
    for (const auto& sample : samples->all()) {
      if (sample.name == "troupe_realtime_connections") CHECK_EQ(sample.value, 0);
      if (sample.name == "troupe_realtime_subscriptions") CHECK_EQ(sample.value, 0);
      if (sample.name == "troupe_realtime_inboxes") CHECK_EQ(sample.value, 0);
    }
  }
}

}  // namespace
}  // namespace troupe::realtime
