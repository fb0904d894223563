// history and cancel: pages on either side of a position, and a page that is called off, or not permitted any more.
#include "troupe/realtime/command/history.h"

#include <doctest/doctest.h>

#include "troupe/realtime/testing/realtime_world.h"

namespace troupe::realtime {
namespace {

using namespace std::chrono_literals;
using testing::field;
using testing::RealtimeWorld;
using testing::types;

/// Messages of 60 000 bytes on the topic `large`.
void publish_large(RealtimeWorld& world, testing::Socket& alice, int count) {
  for (int i = 0; i < count; ++i)
    world.exchange(alice, fmt::format(R"({{"type":"publish","topic":"large","payload":"{:x>60000}"}})", ""));
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

TEST_CASE("the histories of all clients of a core hold so many bytes at once, and small ones always come") {
  RealtimeOptions options;
  options.connection.histories_bytes_of_all_max = 300 * 1024;
  RealtimeWorld world{options, 1, {.buffer_bytes = 4096}};
  auto alice = world.connect("alice", 1);
  publish_large(world, alice, 3);
  world.exchange(alice, R"({"type":"publish","topic":"small","payload":1})");
  const auto wanted = [](std::string_view topic) {
    return fmt::format(R"({{"type":"history","id":"h","topic":"{}","limit":10}})", topic);
  };
  auto bob = world.connect("bob"), carol = world.connect("carol");
  for (const bool vanishes : {false, true}) {
    CAPTURE(vanishes);
    bob->stop_reading();
    bob->say(wanted("large"));
    world.world.run_until_idle();
    const auto refused = world.exchange(carol, wanted("large"));
    REQUIRE_EQ(types(refused), "error");
    CHECK_EQ(field(refused[0], "code"), "overloaded");
    CHECK_EQ(types(world.exchange(carol, wanted("small"))), "history_item history_end");
    vanishes ? bob->vanish() : bob->read_again();
    world.world.advance(1s);
    CHECK_EQ(types(world.exchange(carol, wanted("large"))), "history_item history_item history_item history_end");
  }
}

TEST_CASE("who has as much history under way as one user may is told to read it, and others are not") {
  RealtimeOptions options;
  options.connection.histories_bytes_of_user_max = 300 * 1024;
  RealtimeWorld world{options, 1, {.buffer_bytes = 4096}};
  auto alice = world.connect("alice", 1);
  publish_large(world, alice, 6);
  const auto wanted = R"({"type":"history","id":"h","topic":"large","limit":10})";
  auto phone = world.connect("bob"), laptop = world.connect("bob"), carol = world.connect("carol");
  phone->stop_reading();
  phone->say(wanted);  // more than his share, but all that he has
  world.world.run_until_idle();
  const auto refused = world.exchange(laptop, wanted);
  REQUIRE_EQ(types(refused), "error");
  CHECK_EQ(field(refused[0], "code"), "rate_limited");
  CHECK_EQ(world.exchange(carol, wanted).size(), 7);
  phone->read_again();
  world.world.run_until_idle();
  CHECK_EQ(phone->take().size(), 7);
  CHECK_EQ(world.exchange(laptop, wanted).size(), 7);
}

TEST_CASE("a history under way ends when the permission for its topic does, and is answered once") {
  RealtimeOptions options;
  options.connection.outbox.control_bytes_pause = 1024;
  RealtimeWorld world{options, 1, {.buffer_bytes = 4096}};
  auto alice = world.connect("alice");
  for (int i = 0; i < 100; ++i)
    world.exchange(alice, R"({"type":"publish","topic":"t","payload":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"})");
  alice->stop_reading();
  alice->say(R"({"type":"history","id":"h","topic":"t","limit":100})");
  world.world.run_until_idle();
  alice->say(R"({"type":"authenticate","id":"a","token":"alice,topic:other:subscribe"})");
  world.world.run_until_idle();
  alice->read_again();
  world.world.run_until_idle();
  auto frames = alice->take();
  CHECK_LT(frames.size(), 90);
  REQUIRE_GE(frames.size(), 2);
  CHECK_EQ(field(frames[frames.size() - 2], "type"), "authenticated");
  CHECK_EQ(field(frames.back(), "code"), "forbidden");
  CHECK_EQ(field(frames.back(), "id"), "h");
}

TEST_CASE("a page that was being read when the permission for it was taken back is not sent") {
  const auto settings_of = [](std::vector<Grant> grants) {
    return std::make_shared<const RealtimeSettings>(
        NamespaceOptions{.durability = Durability::disk, .default_grants = std::move(grants)});
  };
  RealtimeOptions options;
  options.settings = settings_of({*Grant::parse("topic:t:subscribe")});
  RealtimeWorld world{options};
  auto alice = world.connect_token("alice,topic:t:publish");
  alice->say(R"({"type":"publish","id":"p","topic":"t","payload":1})");
  world.world.advance(1s);
  REQUIRE_EQ(types(alice->take()), "ack");
  alice.reset();
  world.crash();  // so that the page comes from the disk
  world.world.faults().journal.delay_max = 100ms;
  alice = world.connect_token("alice");
  alice->say(R"({"type":"history","id":"h","topic":"t","limit":1})");
  world.world.run_until_idle();
  REQUIRE_EQ(types(alice->take()), "");
  for (auto core : world.world.block_on(world.realtime->supervisor().ask(GetDoors{}))->connections) {
    core.tell(UseSettings{settings_of({})});
  }
  world.world.advance(2s);
  const auto frames = alice->take();
  REQUIRE_EQ(types(frames), "error");
  CHECK_EQ(field(frames[0], "code"), "forbidden");
  CHECK_EQ(field(frames[0], "id"), "h");
}

}  // namespace
}  // namespace troupe::realtime
