// Delivery end to end in a simulated world: who gets what, in which order, how it is counted, recovered and told.
#include <doctest/doctest.h>

#include "troupe/realtime/testing/realtime_world.h"

namespace troupe::realtime {
namespace {

using namespace std::chrono_literals;
using testing::field;
using testing::Frames;
using testing::RealtimeWorld;
using testing::types;

TEST_CASE("a client is welcomed with its ids and limits") {
  RealtimeWorld world;
  auto socket = world.ask_for("/ws", "Authorization: Bearer alice\r\n");
  CHECK_EQ(socket->status(), 101);
  auto frames = socket->take();
  REQUIRE_EQ(types(frames), "welcome");
  CHECK_EQ(field(frames[0], "user"), "alice");
  CHECK_EQ(field(frames[0], "heartbeat_interval_ms"), "25000");
  CHECK_EQ(field(frames[0], "frame_bytes"), "1048576");
  CHECK_EQ(field(frames[0], "connection_id").size(), 32);
}

TEST_CASE("a publication reaches the subscribers of all cores and is acknowledged with their number") {
  RealtimeWorld world;
  auto alice = world.connect("alice", 0);
  auto bob = world.connect("bob", 1);
  auto carol = world.connect("carol", 1);
  for (auto* socket : {&alice, &bob}) {
    auto frames = world.exchange(*socket, R"({"type":"subscribe","id":"s","topics":["chat.general"]})");
    REQUIRE_EQ(types(frames), "subscription_confirmed");
    CHECK_EQ(field(frames[0], "offset"), "0");
    CHECK_EQ(field(frames[0], "active_subscriptions"), "1");
  }
  world.exchange(carol, R"({"type":"subscribe","topics":["chat.*"]})");
  auto frames = world.exchange(alice, R"({"type":"publish","id":"7","topic":"chat.general","payload":{"text": "hi"}})");
  REQUIRE_EQ(types(frames), "message ack");  // the publisher's own copy comes first
  CHECK_EQ(field(frames[1], "id"), "7");
  CHECK_EQ(field(frames[1], "delivered_to"), "3");
  CHECK_EQ(field(frames[1], "queued"), "0");
  CHECK_EQ(field(frames[1], "offset"), "1");
  auto at_bob = bob->take();
  REQUIRE_EQ(types(at_bob), "message");
  CHECK_EQ(at_bob[0], frames[0]);
  CHECK_NE(at_bob[0].find(R"("payload":{"text": "hi"}})"), std::string::npos);
  CHECK_EQ(field(at_bob[0], "sender"), "alice");
  auto at_carol = carol->take();
  REQUIRE_EQ(types(at_carol), "message");
  CHECK_EQ(field(at_carol[0], "seq"), "1");
}

TEST_CASE("a connection with overlapping subscriptions gets one copy") {
  RealtimeWorld world;
  auto alice = world.connect("alice");
  world.exchange(alice, R"({"type":"subscribe","topics":["a.b","a.*",">"]})");
  auto frames = world.exchange(alice, R"({"type":"publish","id":"1","topic":"a.b","payload":1})");
  CHECK_EQ(types(frames), "message ack");
  CHECK_EQ(field(frames[1], "delivered_to"), "1");
}

TEST_CASE("with exclude_self the publisher gets the acknowledgement alone") {
  RealtimeWorld world;
  auto alice = world.connect("alice", 0);
  auto bob = world.connect("bob", 0);
  for (auto* socket : {&alice, &bob}) world.exchange(*socket, R"({"type":"subscribe","topics":["a"]})");
  auto frames = world.exchange(alice, R"({"type":"publish","id":"1","topic":"a","payload":1,"exclude_self":true})");
  CHECK_EQ(types(frames), "ack");
  CHECK_EQ(field(frames[0], "delivered_to"), "1");
  CHECK_EQ(types(bob->take()), "message");
}

TEST_CASE("all subscribers see one order, and each publisher's own order in it") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    RealtimeWorld world{{}, seed};
    auto alice = world.connect("alice", 0);
    auto bob = world.connect("bob", 1);
    for (auto* socket : {&alice, &bob}) world.exchange(*socket, R"({"type":"subscribe","topics":["t"]})");
    for (int i = 0; i < 20; ++i) {
      alice->say(fmt::format(R"({{"type":"publish","topic":"t","payload":"a{}"}})", i));
      bob->say(fmt::format(R"({{"type":"publish","topic":"t","payload":"b{}"}})", i));
    }
    world.world.run_until_idle();
    auto at_alice = alice->take();
    auto at_bob = bob->take();
    REQUIRE_EQ(at_alice.size(), 40);
    CHECK_EQ(at_alice, at_bob);
    int next_a = 0, next_b = 0;
    for (std::size_t i = 0; i < at_alice.size(); ++i) {
      CHECK_EQ(field(at_alice[i], "offset"), std::to_string(i + 1));
      auto payload = field(at_alice[i], "payload");
      CHECK_EQ(payload, fmt::format("{}{}", payload[0], payload[0] == 'a' ? next_a++ : next_b++));
    }
  }
}

TEST_CASE("after unsubscribing nothing comes any more") {
  RealtimeWorld world;
  auto alice = world.connect("alice");
  world.exchange(alice, R"({"type":"subscribe","topics":["a","b"]})");
  auto frames = world.exchange(alice, R"({"type":"unsubscribe","id":"u","topics":["a","never"]})");
  REQUIRE_EQ(types(frames), "unsubscription_confirmed");
  CHECK_EQ(field(frames[0], "active_subscriptions"), "1");
  frames = world.exchange(alice, R"({"type":"publish","id":"1","topic":"a","payload":1})");
  CHECK_EQ(types(frames), "ack");
  CHECK_EQ(field(frames[0], "delivered_to"), "0");
}

TEST_CASE("who comes back gets exactly what was missed, then what is live") {
  RealtimeWorld world;
  auto alice = world.connect("alice", 0);
  auto bob = world.connect("bob", 1);
  world.exchange(bob, R"({"type":"subscribe","topics":["t"]})");
  auto first = world.exchange(alice, R"({"type":"publish","id":"1","topic":"t","payload":1})");
  auto epoch = field(first[0], "epoch");
  bob->vanish();
  world.world.run_until_idle();
  for (int i = 2; i <= 4; ++i)
    world.exchange(alice, fmt::format(R"({{"type":"publish","topic":"t","payload":{}}})", i));
  bob = world.connect("bob", 1);
  auto frames = world.exchange(
      bob,
      fmt::format(R"({{"type":"subscribe","id":"s","topics":["t"],"recover":{{"t":{{"epoch":"{}","offset":1}}}}}})",
                  epoch));
  REQUIRE_EQ(types(frames), "subscription_confirmed message message message");
  CHECK_EQ(field(frames[0], "recovered"), "true");
  CHECK_EQ(field(frames[0], "offset"), "4");
  for (std::size_t i = 1; i <= 3; ++i) CHECK_EQ(field(frames[i], "payload"), std::to_string(i + 1));
  world.exchange(alice, R"({"type":"publish","topic":"t","payload":5})");
  CHECK_EQ(field(bob->take()[0], "offset"), "5");
}

TEST_CASE("recovery that cannot be complete is refused") {
  RealtimeOptions options;
  options.router.topics.history.count_max = 2;
  RealtimeWorld world{options};
  auto alice = world.connect("alice");
  auto epoch = field(world.exchange(alice, R"({"type":"publish","id":"1","topic":"t","payload":1})")[0], "epoch");
  for (int i = 0; i < 4; ++i) world.exchange(alice, R"({"type":"publish","topic":"t","payload":1})");
  auto recover = [&](std::string_view from_epoch, int offset) {
    auto frames = world.exchange(
        alice, fmt::format(R"({{"type":"subscribe","topics":["t"],"recover":{{"t":{{"epoch":"{}","offset":{}}}}}}})",
                           from_epoch, offset));
    return field(frames[0], "recovered") + " " + std::to_string(frames.size() - 1);
  };
  CHECK_EQ(recover(epoch, 5), "true 0");
  CHECK_EQ(recover(epoch, 3), "true 2");
  CHECK_EQ(recover(epoch, 2), "false 0");
  CHECK_EQ(recover(epoch, 6), "false 0");
  CHECK_EQ(recover("other", 5), "false 0");
}

TEST_CASE("recovery under live publications has neither hole nor double") {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    CAPTURE(seed);
    RealtimeWorld world{{}, seed};
    auto alice = world.connect("alice", seed % 2);
    auto bob = world.connect("bob", 1);
    auto carol = world.connect("carol", 1);
    world.exchange(carol, R"({"type":"subscribe","topics":["t"]})");  // so that bob's core gets them all the time
    auto epoch = field(world.exchange(alice, R"({"type":"publish","id":"1","topic":"t","payload":1})")[0], "epoch");
    for (int i = 2; i <= 30; ++i) {
      alice->say(R"({"type":"publish","topic":"t","payload":1})");
      if (i == 15) {
        bob->say(fmt::format(R"({{"type":"subscribe","topics":["t"],"recover":{{"t":{{"epoch":"{}","offset":1}}}}}})",
                             epoch));
      }
      if (i % 5 == 0) world.world.advance(1ms);
    }
    world.world.run_until_idle();
    auto frames = bob->take();
    REQUIRE_EQ(field(frames[0], "type"), "subscription_confirmed");
    REQUIRE_EQ(frames.size(), 30);
    for (std::size_t i = 1; i < frames.size(); ++i) CHECK_EQ(field(frames[i], "offset"), std::to_string(i + 1));
  }
}

TEST_CASE("a slow reader is told exactly what it missed, and nobody else is disturbed") {
  RealtimeOptions options;
  options.connection.outbox.messages_max = 10;
  options.connection.frames = {.per_second = 1e6, .burst = 1e6};
  RealtimeWorld world{options, 1, {.buffer_bytes = 4096}};
  auto alice = world.connect("alice", 0);
  auto slow = world.connect("slow", 1);
  auto quick = world.connect("quick", 1);
  for (auto* socket : {&slow, &quick}) world.exchange(*socket, R"({"type":"subscribe","topics":["t"]})");
  slow->stop_reading();
  for (int i = 0; i < 200; ++i) {
    auto ack = world.exchange(
        alice, R"({"type":"publish","id":"1","topic":"t","payload":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"})");
    REQUIRE_EQ(types(ack), "ack");
    CHECK_EQ(field(ack[0], "delivered_to"), "2");
    CHECK_EQ(quick->take().size(), 1);
  }
  slow->read_again();
  world.world.run_until_idle();
  auto frames = slow->take();
  int next = 1, gaps = 0;
  for (const auto& frame : frames) {
    if (field(frame, "type") == "gap") {
      CHECK_EQ(field(frame, "from"), std::to_string(next));
      next = std::stoi(field(frame, "to")) + 1;
      ++gaps;
    } else {
      CHECK_EQ(field(frame, "offset"), std::to_string(next++));
    }
  }
  CHECK_EQ(next, 201);
  CHECK_EQ(gaps, 1);
}

TEST_CASE("history is read newest first by count, and from either side of a position") {
  RealtimeWorld world;
  auto alice = world.connect("alice", 0);
  auto bob = world.connect("bob", 1);
  std::string epoch;
  for (int i = 1; i <= 5; ++i) {
    auto ack = world.exchange(alice, fmt::format(R"({{"type":"publish","id":"1","topic":"t","payload":{}}})", i));
    epoch = field(ack[0], "epoch");
  }
  auto read = [&](const std::string& rest) {
    auto frames = world.exchange(bob, R"({"type":"history","id":"h","topic":"t",)" + rest + "}");
    std::string text;
    for (const auto& frame : frames) {
      CHECK_EQ(field(frame, "id"), "h");
      text += field(frame, "type") == "history_item" ? field(frame, "payload") + " " : field(frame, "complete");
    }
    return text;
  };
  CHECK_EQ(read(R"("limit":2)"), "4 5 true");
  CHECK_EQ(read(R"("limit":9)"), "1 2 3 4 5 true");
  CHECK_EQ(read(fmt::format(R"("limit":2,"since":{{"epoch":"{}","offset":2}})", epoch)), "3 4 true");
  CHECK_EQ(read(fmt::format(R"("limit":2,"before":{{"epoch":"{}","offset":2}})", epoch)), "1 true");
  CHECK_EQ(read(R"("limit":1,"since":{"epoch":"other","offset":2})"), "1 false");
}

TEST_CASE("a history under way is called off by its id") {
  RealtimeOptions options;
  options.connection.outbox.control_bytes_pause = 1024;
  RealtimeWorld world{options, 1, {.buffer_bytes = 4096}};
  auto alice = world.connect("alice");
  for (int i = 0; i < 100; ++i)
    world.exchange(alice, R"({"type":"publish","topic":"t","payload":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"})");
  alice->stop_reading();
  alice->say(R"({"type":"history","id":"h","topic":"t","limit":100})");
  world.world.run_until_idle();
  alice->say(R"({"type":"cancel","id":"c","target":"h"})");
  world.world.run_until_idle();
  alice->read_again();
  world.world.run_until_idle();
  auto frames = alice->take();
  CHECK_LT(frames.size(), 90);
  REQUIRE_GE(frames.size(), 2);
  CHECK_EQ(field(frames[frames.size() - 2], "cancelled"), "true");
  CHECK_EQ(field(frames.back(), "type"), "ack");
  CHECK_EQ(types(world.exchange(alice, R"({"type":"cancel","id":"c","target":"h"})")), "error");
}

TEST_CASE("a direct message reaches all connections of its user and waits until it is received") {
  RealtimeWorld world;
  auto alice = world.connect("alice", 0);
  auto phone = world.connect("bob", 0);
  auto laptop = world.connect("bob", 1);
  auto ack = world.exchange(alice, R"({"type":"direct","id":"1","user":"bob","payload":"psst"})");
  REQUIRE_EQ(types(ack), "ack");
  CHECK_EQ(field(ack[0], "message_id").size(), 28);
  auto at_phone = phone->take();
  REQUIRE_EQ(types(at_phone), "direct");
  CHECK_EQ(field(at_phone[0], "from"), "alice");
  CHECK_EQ(at_phone, laptop->take());
  world.exchange(alice, R"({"type":"direct","user":"bob","payload":"again"})");
  phone->vanish();
  laptop->vanish();
  world.world.run_until_idle();
  world.exchange(alice, R"({"type":"direct","user":"bob","payload":"while away"})");

  auto back = world.ask_for("/ws", "Authorization: Bearer " + testing::token_of_user("bob") + "\r\n", 1);
  auto frames = back->take();
  REQUIRE_EQ(types(frames), "welcome direct direct direct");
  CHECK_EQ(field(frames[3], "payload"), "while away");
  CHECK_EQ(types(world.exchange(back, R"({"type":"received","id":"r","offset":2})")), "ack");
  back->vanish();
  world.world.run_until_idle();
  auto later = world.ask_for("/ws", "Authorization: Bearer " + testing::token_of_user("bob") + "\r\n", 0);
  frames = later->take();
  REQUIRE_EQ(types(frames), "welcome direct");
  CHECK_EQ(field(frames[1], "payload"), "while away");
}

TEST_CASE("a repeated idempotency key is answered and not published again") {
  RealtimeWorld world;
  auto alice = world.connect("alice", 0);
  auto bob = world.connect("bob", 1);
  for (auto* socket : {&alice, &bob}) world.exchange(*socket, R"({"type":"subscribe","topics":["t"]})");
  auto publish = R"({"type":"publish","id":"1","topic":"t","payload":1,"idempotency_key":"k"})";
  auto first = world.exchange(alice, publish);
  auto second = world.exchange(alice, publish);
  CHECK_EQ(types(second), "ack");
  CHECK_EQ(second[0], first[1]);
  auto other = world.exchange(alice, R"({"type":"publish","id":"1","topic":"t","payload":2,"idempotency_key":"k"})");
  CHECK_EQ(field(other[0], "code"), "bad_request");
  CHECK_EQ(bob->take().size(), 1);
  CHECK_EQ(types(world.exchange(bob, publish)), "message ack");  // a key belongs to its user
}

TEST_CASE("a binary publication is delivered as binary") {
  RealtimeWorld world;
  auto alice = world.connect("alice");
  world.exchange(alice, R"({"type":"subscribe","topics":["t"]})");
  alice->send(wire::Opcode::binary, std::string{"{\"type\":\"publish\",\"topic\":\"t\"}\n\x00\xff", 33});
  world.world.run_until_idle();
  auto frames = alice->take();
  REQUIRE_EQ(frames.size(), 1);
  CHECK(frames[0].ends_with(std::string{"}\n\x00\xff", 4}));
}

TEST_CASE("info and ping answer for the connection itself") {
  RealtimeWorld world;
  auto alice = world.connect("alice");
  world.exchange(alice, R"({"type":"subscribe","topics":["a","b"]})");
  auto info = world.exchange(alice, R"({"type":"info","id":"i"})");
  REQUIRE_EQ(types(info), "info");
  CHECK_EQ(field(info[0], "subscriptions"), "2");
  CHECK_EQ(field(info[0], "user"), "alice");
  CHECK_EQ(world.exchange(alice, R"({"type":"ping","id":"p","timestamp":12.5})")[0],
           R"({"type":"pong","id":"p","timestamp":12.5})");
}

TEST_CASE("what all cores have done is collected") {
  RealtimeWorld world;
  auto alice = world.connect("alice", 0);
  auto bob = world.connect("bob", 1);
  world.exchange(bob, R"({"type":"subscribe","topics":["t"]})");
  world.exchange(alice, R"({"type":"publish","topic":"t","payload":1})");
  auto samples = world.world.block_on(world.realtime->metrics().ask(CollectMetrics{}));
  REQUIRE(samples.has_value());
  double connections = 0, delivered = 0;
  for (const auto& sample : samples->all()) {
    if (sample.name == "troupe_realtime_connections") connections = sample.value;
    if (sample.name == "troupe_realtime_delivered_total") delivered = sample.value;
  }
  CHECK_EQ(connections, 2);
  CHECK_EQ(delivered, 1);
}

}  // namespace
}  // namespace troupe::realtime
