// A delivery that fails half way, for want of memory: nobody misses anything for it without a word, no home loses what
// it keeps, and nobody has to connect anew.
#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include "troupe/realtime/testing/mine.h"
#include "troupe/realtime/testing/realtime_world.h"
#include "troupe/realtime/testing/story.h"

namespace troupe::realtime {
namespace {

using namespace std::chrono_literals;
using testing::field;
using testing::lay;
using testing::Mine;
using testing::RealtimeWorld;
using testing::router_of;
using testing::Socket;
using testing::story_of;
using testing::topic_at;
using testing::types;

void subscribe(RealtimeWorld& world, Socket& socket, std::string_view topic) {
  const auto frames = world.exchange(socket, fmt::format(R"({{"type":"subscribe","topics":["{}"]}})", topic));
  REQUIRE_EQ(types(frames), "subscription_confirmed");
}

TEST_CASE("a message whose delivery fails half way comes to everybody, once and in order, and so does what follows") {
  for (const std::size_t home : {0UL, 1UL}) {
    for (const std::size_t core : {0UL, 1UL}) {
      CAPTURE(home);
      CAPTURE(core);
      RealtimeWorld world;
      const auto topic = topic_at(home);
      auto alice = world.connect("alice", 0);
      std::vector<Socket> readers;
      const auto read = [&](std::size_t at, std::string_view wanted) {
        readers.push_back(world.connect(fmt::format("reader{}", readers.size()), at));
        subscribe(world, readers.back(), wanted);
      };
      read(core, topic);
      read(core, "*");
      const auto mine = lay(router_of(world, core), topic, world, Mine::Fault::out_of_memory);
      read(core, topic);
      read(core, "*");
      read(1 - core, topic);
      for (int i = 1; i <= 5; ++i) {
        alice->say(fmt::format(R"({{"type":"publish","topic":"{}","payload":{}}})", topic, i));
        world.world.run(3);
      }
      world.world.advance(1s);
      CHECK(mine->lost);
      for (int i = 6; i <= 9; ++i) {
        const auto ack =
            world.exchange(alice, fmt::format(R"({{"type":"publish","id":"p","topic":"{}","payload":{}}})", topic, i));
        REQUIRE_EQ(types(ack), "ack");
        CHECK_EQ(field(ack[0], "delivered_to"), "5");
      }
      for (auto& reader : readers) {
        const auto frames = reader->take();
        CHECK_EQ(story_of(frames, topic), "1-9");
        CHECK(std::ranges::none_of(frames, [](const auto& frame) { return field(frame, "type") == "restarted"; }));
        CHECK_FALSE(reader->close_code().has_value());
      }
    }
  }
}

TEST_CASE("where nothing is kept, those whom a message had not reached are told where their topic goes on") {
  RealtimeOptions options;
  options.settings = std::make_shared<const RealtimeSettings>(NamespaceOptions{.history = {.count_max = 0}});
  RealtimeWorld world{options};
  auto alice = world.connect("alice", 0);
  auto before = world.connect("before", 0);
  subscribe(world, before, "t");
  const auto mine = lay(router_of(world, 0), "t", world, Mine::Fault::out_of_memory);
  auto behind = world.connect("behind", 0);
  subscribe(world, behind, "t");
  alice->say(R"({"type":"publish","topic":"t","payload":1})");
  world.world.advance(1s);
  CHECK(mine->lost);
  CHECK_EQ(types(before->take()), "message");
  const auto told = behind->take();
  REQUIRE_EQ(types(told), "restarted");
  CHECK_EQ(field(told[0], "offset"), "1");
  alice->say(R"({"type":"publish","topic":"t","payload":2})");
  world.world.advance(1s);
  CHECK_EQ(story_of(before->take()), "2");
  CHECK_EQ(story_of(behind->take()), "2");
}

TEST_CASE("who is behind one that could not be told what its core has missed learns of it") {
  RealtimeOptions options;
  options.router.window_messages = 8;
  RealtimeWorld world{options};
  const auto topic = topic_at(0);
  auto alice = world.connect("alice", 0);
  const auto mine = lay(router_of(world, 1), topic, world, Mine::Fault::out_of_memory_for_missed);
  auto behind = world.connect("behind", 1);
  subscribe(world, behind, topic);
  for (int i = 1; i <= 200; ++i) {
    alice->say(fmt::format(R"({{"type":"publish","topic":"{}","payload":{}}})", topic, i));
  }
  world.world.advance(1s);
  CHECK(mine->lost);
  CHECK_EQ(story_of(behind->take(), topic), "1-200");  // by history
}

TEST_CASE("a direct message that could not be brought to one connection of its user comes to the others") {
  RealtimeWorld world;
  auto alice = world.connect("alice", 0);
  const auto mine = base::make_local<Mine>();
  mine->fault = Mine::Fault::out_of_memory;
  mine->name = UserId{"bob"};
  REQUIRE(world.world.block_on(router_of(world, 1).ask(Register{mine})).has_value());
  auto bob = world.connect("bob", 1);
  for (int i = 1; i <= 3; ++i) {
    alice->say(fmt::format(R"({{"type":"direct","user":"bob","payload":{}}})", i));
    world.world.advance(1s);
  }
  CHECK(mine->lost);
  const auto frames = bob->take();
  REQUIRE_EQ(types(frames), "direct direct direct");
  for (std::size_t i = 0; i < 3; ++i) CHECK_EQ(field(frames[i], "payload"), std::to_string(i + 1));
}

}  // namespace
}  // namespace troupe::realtime
