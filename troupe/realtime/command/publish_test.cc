// publish: who gets a message, in which order, how it is counted, and what a repeat is answered.
#include "troupe/realtime/command/publish.h"

#include <doctest/doctest.h>

#include "troupe/actor/sim/explore.h"
#include "troupe/realtime/testing/realtime_world.h"

namespace troupe::realtime {
namespace {

using testing::field;
using testing::RealtimeWorld;
using testing::types;

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
  actor::test::explore({.schedules = 20}, [&](actor::test::Seed seed) {
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
  });
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

TEST_CASE("the same bytes as JSON and as binary are two payloads for an idempotency key") {
  RealtimeWorld world;
  auto alice = world.connect("alice");
  world.exchange(alice, R"({"type":"publish","id":"1","topic":"t","payload":1,"idempotency_key":"k"})");
  alice->send(wire::Opcode::binary, "{\"type\":\"publish\",\"id\":\"2\",\"topic\":\"t\",\"idempotency_key\":\"k\"}\n1");
  world.world.run_until_idle();
  CHECK_EQ(field(alice->take()[0], "code"), "bad_request");
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

}  // namespace
}  // namespace troupe::realtime
