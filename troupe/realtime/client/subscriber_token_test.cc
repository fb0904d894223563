// Subscriber whose token ends: another one in its place keeps it going, and without one it ends with the reason.
#include <doctest/doctest.h>

#include <memory>

#include "troupe/realtime/client/subscriber.h"
#include "troupe/realtime/client/traffic_recorder.h"
#include "troupe/realtime/testing/realtime_world.h"

namespace troupe::realtime {
namespace {

using namespace std::chrono_literals;
using testing::RealtimeWorld;
using testing::Socket;
using testing::token_of_user;

/// A subscriber to "t" with a token in a place where others may be put.
struct Renewing final : SubscriberEvents {
  explicit Renewing(RealtimeWorld& its, std::string first, Reconnect reconnect = Reconnect::always)
      : world(its), token(std::move(first)) {
    auto* network = world.networks[1].get();
    SubscriberOptions options{.dial = [network](actor::Core&) { return network->connect({{}, 80}); },
                              .socket = {.host = "test", .target = "/ws", .token = AccessToken{token}},
                              .topics = {"t"},
                              .reconnect = reconnect,
                              .renew_token = [this](const AccessToken& last) -> std::optional<AccessToken> {
                                ++looks;
                                if (token == last.expose()) return std::nullopt;
                                return AccessToken{token};
                              },
                              .observer = &recorder};
    subscriber = std::make_unique<Subscriber>(world.world.core(1), std::move(options), *this);
    world.world.advance(10ms);
  }

  void on_message(const ServerFrame& message) override { payloads += std::string{message.payload} + " "; }
  void on_gap(const ServerFrame&) override { told += "gap; "; }
  void on_loss(const Loss&) override { told += "loss; "; }
  void on_live() override { ++live; }
  void on_interrupted(const std::string& why, base::Duration) override { interruptions += why + "; "; }
  void on_note(const std::string& words) override { told += words + "; "; }
  void on_over(const std::string& why) override { over = why; }

  RealtimeWorld& world;
  std::string token;
  std::string payloads, told, interruptions, recording;
  std::optional<std::string> over;
  int live = 0, looks = 0;
  TrafficRecorder recorder{"bob", [this](std::string_view line) { recording += line; }};
  std::unique_ptr<Subscriber> subscriber;
};

/// Everything for bob, until so long from now.
std::string token_for(RealtimeWorld& world, base::Duration life) {
  const auto end = world.world.core(0).wall().milliseconds + life / 1ms;
  return fmt::format("{},expires={}", token_of_user("bob"), end);
}

void publish(RealtimeWorld& world, Socket& socket, int payload) {
  world.exchange(socket, fmt::format(R"({{"type":"publish","topic":"t","payload":{}}})", payload));
}

TEST_CASE("a token that is renewed before it expires keeps the connection, and no recording has it") {
  RealtimeWorld world;
  auto alice = world.connect("alice");
  Renewing bob{world, token_for(world, 10min)};
  world.world.advance(9min + 20s);  // the server has told that it expires
  CHECK(bob.told.contains("expires within a minute"));
  publish(world, alice, 1);
  bob.token = token_for(world, 10min);
  world.world.advance(6s);
  CHECK(bob.told.contains("the server has taken another token"));
  world.world.advance(5min);
  publish(world, alice, 2);
  CHECK_EQ(bob.payloads, "1 2 ");
  CHECK_EQ(bob.live, 1);
  CHECK_EQ(bob.interruptions, "");
  CHECK_FALSE(bob.recording.contains("expires="));

  world.world.advance(3min + 50s);  // and again, and then it comes back with the one that it has shown last
  bob.token = token_for(world, 10min);
  world.world.advance(2min);
  CHECK_EQ(bob.interruptions, "");
  bob.subscriber->cut();
  publish(world, alice, 3);
  world.world.advance(2s);
  CHECK_EQ(bob.payloads, "1 2 3 ");
  CHECK_EQ(bob.live, 2);
}

TEST_CASE("a token that comes a little after the end of the last one brings it back, without loss") {
  RealtimeWorld world;
  auto alice = world.connect("alice");
  Renewing bob{world, token_for(world, 2min)};
  publish(world, alice, 1);
  world.world.advance(2min + 1s);
  CHECK(bob.interruptions.contains("4001"));
  publish(world, alice, 2);
  world.world.advance(1min);
  CHECK_FALSE(bob.over.has_value());
  CHECK(bob.told.contains("there is no other token yet"));
  bob.token = token_for(world, 10min);
  world.world.advance(6s);
  publish(world, alice, 3);
  CHECK_EQ(bob.payloads, "1 2 3 ");
  CHECK_EQ(bob.live, 2);
  CHECK_FALSE(bob.told.contains("loss"));
}

TEST_CASE("where no other token comes it is over in time, with the reason, and the server is asked no more") {
  RealtimeWorld world;
  int shown = 0;
  Renewing bob{world, token_for(world, 2min)};
  world.verifying = [&](std::string_view) { ++shown; };
  world.world.advance(3min + 50s);
  CHECK_FALSE(bob.over.has_value());
  world.world.advance(30s);
  REQUIRE(bob.over.has_value());
  CHECK(bob.over->contains("4001"));
  CHECK(bob.over->contains("there is no other one"));
  CHECK_EQ(shown, 0);
}

TEST_CASE("a token that is not accepted when it comes back waits for one that is") {
  RealtimeWorld world;
  Renewing bob{world, token_of_user("bob")};
  REQUIRE_EQ(bob.live, 1);
  bob.token = "bad";
  bob.subscriber->cut();
  world.world.advance(20s);
  CHECK(bob.interruptions.contains("401"));
  CHECK_FALSE(bob.over.has_value());
  bob.token = token_of_user("bob") + ",more";
  world.world.advance(6s);
  CHECK_EQ(bob.live, 2);

  Renewing stranger{world, "bad"};  // it never was any good
  REQUIRE(stranger.over.has_value());
  CHECK(stranger.over->contains("401"));
}

TEST_CASE("another token that the open connection refuses is told, and the next one is tried") {
  RealtimeWorld world;
  Renewing bob{world, token_for(world, 2min)};
  bob.token = token_of_user("mallory");
  world.world.advance(70s);
  CHECK(bob.told.contains("refuses another token: the token is another user's (forbidden)"));
  const auto told = bob.told.size();
  world.world.advance(20s);
  CHECK_EQ(bob.told.size(), told);  // it is shown once
  bob.token = "later";              // it cannot be verified now
  world.world.advance(12s);
  CHECK(bob.told.substr(told).find("overloaded") != bob.told.substr(told).rfind("overloaded"));
  bob.token = token_for(world, 10min);
  world.world.advance(1min);
  CHECK_EQ(bob.live, 1);
  CHECK_EQ(bob.interruptions, "");
}

TEST_CASE("what shall not come back shows another token all the same, and ends with the last one") {
  RealtimeWorld world;
  Renewing bob{world, token_for(world, 2min), Reconnect::never};
  bob.token = token_for(world, 5min);
  world.world.advance(4min);
  CHECK_FALSE(bob.over.has_value());
  world.world.advance(2min);
  REQUIRE(bob.over.has_value());
  CHECK(bob.over->contains("4001"));
}

TEST_CASE("it can be closed while it waits for a token") {
  RealtimeWorld world;
  Renewing bob{world, token_for(world, 2min)};
  world.world.advance(2min + 10s);
  const auto looks = bob.looks;
  bob.subscriber->close();
  world.world.advance(1min);
  CHECK_EQ(bob.over, "closed");
  CHECK_EQ(bob.looks, looks);
}

}  // namespace
}  // namespace troupe::realtime
