// TopicPublisher against the service in memory: what is acknowledged, what is refused, and what becomes of the rest.
#include "troupe/realtime/client/topic_publisher.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "troupe/realtime/testing/played_server.h"
#include "troupe/realtime/testing/realtime_world.h"

namespace troupe::realtime {
namespace {

using namespace std::chrono_literals;
using testing::field;
using testing::PlayedServer;
using testing::RealtimeWorld;
using testing::token_of_user;
using testing::types;
using Outcome = PublishFailure::Outcome;

actor::Ref<TopicPublisher> publisher_of(RealtimeWorld& world, std::string token) {
  auto* network = world.networks[0].get();
  return world.world.spawn<TopicPublisher>(
      {.core = 0}, TopicPublisherOptions{[network](actor::Core&) { return network->connect({{}, 80}); },
                                         {.host = "test", .target = "/ws", .token = AccessToken{std::move(token)}}});
}

TEST_CASE("each publication is answered with its acknowledgement, and reaches who is subscribed") {
  RealtimeWorld world;
  auto bob = world.connect("bob");
  world.exchange(bob, R"({"type":"subscribe","topics":["t"]})");
  auto publisher = publisher_of(world, token_of_user("alice"));
  for (int i = 1; i <= 3; ++i) {
    auto ack = world.world.block_on(publisher.ask(PublishPayload{"t", std::to_string(i)}));
    REQUIRE(ack.has_value());
    CHECK_EQ(field(*ack, "offset"), std::to_string(i));
    CHECK_EQ(field(*ack, "delivered_to"), "1");
  }
  world.world.run_until_idle();
  CHECK_EQ(types(bob->take()), "message message message");
  CHECK(world.world.block_on(publisher.ask(FinishPublishing{})).has_value());
  auto late = world.world.block_on(publisher.ask(PublishPayload{"t", "4"}));
  REQUIRE_FALSE(late.has_value());
  CHECK_EQ(late.error().domain->outcome, Outcome::unsent);
}

TEST_CASE("what the server refuses is told in its words, and so is a connection that does not open") {
  RealtimeWorld world;
  auto reader = publisher_of(world, "carol,topic:t:subscribe");
  auto refused = world.world.block_on(reader.ask(PublishPayload{"t", "1"}));
  REQUIRE_FALSE(refused.has_value());
  CHECK_EQ(refused.error().domain->outcome, Outcome::refused);
  CHECK(refused.error().domain->why.contains("forbidden"));

  auto nobody = publisher_of(world, "bad");
  auto unsent = world.world.block_on(nobody.ask(PublishPayload{"t", "1"}));
  REQUIRE_FALSE(unsent.has_value());
  CHECK_EQ(unsent.error().domain->outcome, Outcome::unsent);
  CHECK(unsent.error().domain->why.contains("401"));
}

TEST_CASE("what was sent when the connection ended may have happened, and is told so") {
  actor::test::World world{1};
  net::MemoryNetwork network{world.core(0)};
  std::unique_ptr<PlayedServer> server;
  auto publisher = world.spawn<TopicPublisher>(
      {.core = 0}, TopicPublisherOptions{[&](actor::Core&) { return PlayedServer::accept(network, server); },
                                         {.host = "test", .target = "/ws"}});
  world.run_until_idle();
  server->welcome();
  world.run_until_idle();
  server->heard.clear();
  bool lost = false;
  auto watch = [](actor::test::World& w, PlayedServer& played, bool& done) {
    return w.run_until([&] { return done || !played.heard.empty(); }, 1s);
  };
  world.system().run_as_guest([](actor::Ref<TopicPublisher> asked, bool& done) -> actor::Task<void> {
    auto answer = co_await asked.ask(PublishPayload{"t", "1"});
    done = !answer && answer.error().domain->outcome == Outcome::unknown;
  }(publisher, lost));
  CHECK(watch(world, *server, lost));
  server->stream.reset();
  CHECK(world.run_until([&] { return lost; }, 1s));
  world.shutdown();
}

TEST_CASE("another token is shown when there is one, and once more where one was refused") {
  actor::test::World world{1};
  net::MemoryNetwork network{world.core(0)};
  std::unique_ptr<PlayedServer> server;
  std::string next = "first";
  world.spawn<TopicPublisher>(
      {.core = 0}, TopicPublisherOptions{[&](actor::Core&) { return PlayedServer::accept(network, server); },
                                         {.host = "test", .target = "/ws", .token = AccessToken{"first"}},
                                         [&](const AccessToken& last) {
                                           return last.expose() == next ? std::nullopt
                                                                        : std::optional{AccessToken{std::string{next}}};
                                         }});
  world.run_until_idle();
  server->welcome();
  world.run_until_idle();
  CHECK(server->take().empty());
  server->say_frame(R"({"type":"token_expiring","expires_in_ms":20000})");
  world.advance(6s);
  CHECK(server->take().empty());  // there is no other one yet
  next = "second";
  world.advance(6s);
  const auto shown = server->take();
  REQUIRE_EQ(types(shown), "authenticate");
  CHECK_EQ(field(shown[0], "token"), "second");
  server->say_frame(R"({"type":"error","id":"token","code":"unauthorized","message":"no"})");
  world.advance(6s);
  CHECK(server->take().empty());
  next = "third";
  world.advance(6s);
  const auto again = server->take();
  REQUIRE_EQ(types(again), "authenticate");
  CHECK_EQ(field(again[0], "token"), "third");
  server->say_frame(R"({"type":"error","id":"token","code":"overloaded","message":"not now"})");
  world.advance(6s);
  const auto once_more = server->take();
  REQUIRE_EQ(types(once_more), "authenticate");
  CHECK_EQ(field(once_more[0], "token"), "third");
  server->say_frame(R"({"type":"authenticated","id":"token","user":"alice"})");
  world.advance(20s);
  CHECK(server->take().empty());
  server.reset();
  world.shutdown();
}

TEST_CASE("what is no publication is refused before it leaves") {
  RealtimeWorld world;
  auto publisher = publisher_of(world, token_of_user("alice"));
  struct Row {
    std::string topic, payload;
    std::string_view why;
  };
  const Row rows[] = {
      {"a.*", "1", "topic"},
      {"", "1", "topic"},
      {"t", "hello", "JSON"},
      {"t", "", "JSON"},
      {"t", "1,2", "JSON"},
      {"t", R"(1,"exclude_self":true)", "one JSON value"},
      {"t", R"(1,"other":2)", "one JSON value"},
      {"t", R"(1},{)", "JSON"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.payload);
    auto answer = world.world.block_on(publisher.ask(PublishPayload{row.topic, row.payload}));
    REQUIRE_FALSE(answer.has_value());
    REQUIRE(answer.error().domain.has_value());
    CHECK_MESSAGE(answer.error().domain->why.contains(row.why), answer.error().domain->why);
  }
  CHECK(world.world.block_on(publisher.ask(PublishPayload{"t", " {\"a\": [1, 2]}\n"})).has_value());
}

TEST_CASE("a publication that is larger than the server takes is refused alone, and those around it are published") {
  RealtimeOptions options;
  options.connection.frame_bytes_max = 1024;
  RealtimeWorld world{options};
  auto publisher = publisher_of(world, token_of_user("alice"));
  const auto publish = [&](std::size_t bytes) {
    return world.world.block_on(publisher.ask(PublishPayload{"t", fmt::format("\"{}\"", std::string(bytes, 'x'))}));
  };
  CHECK(publish(10).has_value());
  const auto refused = publish(1024);
  REQUIRE_FALSE(refused.has_value());
  REQUIRE(refused.error().domain.has_value());
  CHECK_EQ(refused.error().domain->outcome, Outcome::refused);
  CHECK_MESSAGE(refused.error().domain->why.ends_with("the server takes 1024 (too_large)"),
                refused.error().domain->why);
  auto after = publish(900);
  REQUIRE(after.has_value());
  CHECK_EQ(field(*after, "offset"), "2");
  CHECK(world.world.block_on(publisher.ask(FinishPublishing{})).has_value());
}

TEST_CASE("it keeps to the rate that the server names") {
  RealtimeOptions options;
  options.connection.frames = {.per_second = 10, .burst = 20};
  RealtimeWorld world{options};
  auto publisher = publisher_of(world, token_of_user("alice"));
  const auto begin = world.world.manual_clock().now();
  for (int i = 0; i < 50; ++i) {
    auto ack = world.world.block_on(publisher.ask(PublishPayload{"t", "1"}, {.within = 1min}));
    REQUIRE_MESSAGE(ack.has_value(), ack.error().text());
  }
  CHECK_GE(world.world.manual_clock().now() - begin, 3s);
  CHECK_LE(world.world.manual_clock().now() - begin, 6s);
}

}  // namespace
}  // namespace troupe::realtime
