// direct and received: all connections of a user, and an inbox that waits.
#include "troupe/realtime/command/direct.h"

#include <doctest/doctest.h>

#include "troupe/realtime/testing/realtime_world.h"

namespace troupe::realtime {
namespace {

using testing::field;
using testing::RealtimeWorld;
using testing::types;

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
  const auto say = [&](std::string_view epoch, int offset) {
    const auto frame = fmt::format(R"({{"type":"received","id":"r","epoch":"{}","offset":{}}})", epoch, offset);
    CHECK_EQ(types(world.exchange(back, frame)), "ack");
  };
  say("of an inbox before a restart", 3);  // changes nothing
  say(field(frames[2], "epoch"), 2);
  back->vanish();
  world.world.run_until_idle();
  auto later = world.ask_for("/ws", "Authorization: Bearer " + testing::token_of_user("bob") + "\r\n", 0);
  frames = later->take();
  REQUIRE_EQ(types(frames), "welcome direct");
  CHECK_EQ(field(frames[1], "payload"), "while away");
}

TEST_CASE("what was received is acknowledged once its home has noted it, and else it is told that it has not") {
  RealtimeWorld world{{}, 1, {}, {.lane_messages_max = 30}};
  auto& faults = world.world.faults();
  const std::size_t home = home_of(inbox_topic(UserId{"bob"}), 2);
  auto bob = world.connect("bob", 1 - home);
  world.exchange(bob, R"({"type":"direct","user":"bob","payload":"note"})");
  faults.ring_full = {1};
  bob->say(R"({"type":"received","id":"r","offset":1})");
  world.world.run(100);
  CHECK(bob->take().empty());
  faults.ring_full = {};
  world.world.run_until_idle();
  CHECK_EQ(types(bob->take()), "ack");
  faults.ring_full = {1};
  for (std::size_t i = 0; i < faults.lane_messages_max; ++i) bob->say(R"({"type":"received","offset":1})");
  world.world.run(100);
  CHECK(bob->take().empty());
  for (const std::string_view id : {"", R"("id":"r",)"}) {
    bob->say(fmt::format(R"({{"type":"received",{}"offset":1}})", id));
    world.world.run(100);
    const auto told = bob->take();
    REQUIRE_EQ(types(told), "error");
    CHECK_EQ(field(told[0], "code"), "overloaded");
  }
  faults.ring_full = {};
}

TEST_CASE("a user whose mail nobody receives is told to wait, and others are not") {
  RealtimeOptions options;
  options.router.inboxes.bytes_by_sender_max = 1000;
  RealtimeWorld world{options};
  auto alice = world.connect("alice", 0);
  auto carol = world.connect("carol", 0);
  const auto direct = fmt::format(R"({{"type":"direct","id":"1","user":"bob","payload":"{}"}})", std::string(600, 'x'));
  CHECK_EQ(types(world.exchange(alice, direct)), "ack");
  auto refused = world.exchange(alice, direct);
  REQUIRE_EQ(types(refused), "error");
  CHECK_EQ(field(refused[0], "code"), "rate_limited");
  CHECK_NE(field(refused[0], "message").find("mail waits"), std::string::npos);
  CHECK_EQ(types(world.exchange(carol, direct)), "ack");
  auto bob = world.connect("bob", 1);
  world.exchange(bob, R"({"type":"received","offset":2})");
  CHECK_EQ(types(world.exchange(alice, direct)), "ack");
}

}  // namespace
}  // namespace troupe::realtime
