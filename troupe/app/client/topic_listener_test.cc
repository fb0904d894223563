// TopicListener on the service in memory: what it writes, and when it ends.
#include "troupe/app/client/topic_listener.h"

#include <doctest/doctest.h>

#include "troupe/realtime/testing/realtime_world.h"

using namespace troupe;
using namespace troupe::app;
using namespace std::chrono_literals;
using realtime::testing::RealtimeWorld;

namespace {

struct Terminal {
  std::string out, err, recording;
  std::optional<std::optional<std::string>> done;  // set: it has ended; why
  std::error_code fault{};                         // of each write

  bool ended_well() const { return done && !*done; }
};

actor::Ref<TopicListener> listen(RealtimeWorld& world, Terminal& terminal, std::uint64_t count = 0,
                                 std::string token = realtime::testing::token_of_user("bob")) {
  auto* network = world.networks[0].get();
  TopicListenerOptions options;
  options.subscriber = {.dial = [network](actor::Core&) { return network->connect({{}, 80}); },
                        .socket = {.host = "test", .target = "/ws", .token = realtime::AccessToken{std::move(token)}},
                        .topics = {"t"}};
  options.count = count;
  options.out = [&terminal](std::string_view text) {
    if (!terminal.fault) terminal.out += text;
    return terminal.fault;
  };
  options.err = [&terminal](std::string_view text) { terminal.err += text; };
  options.record = [&terminal](std::string_view line) { terminal.recording += line; };
  options.done = [&terminal](std::optional<std::string> why) { terminal.done = std::move(why); };
  auto listener = world.world.spawn<TopicListener>({.core = 0}, std::move(options));
  world.world.advance(10ms);
  return listener;
}

void publish(RealtimeWorld& world, int payload) {
  auto alice = world.connect("alice");
  world.exchange(alice, fmt::format(R"({{"type":"publish","topic":"t","payload":{}}})", payload));
}

}  // namespace

TEST_CASE("messages are lines on the output, and it ends well when there have been enough") {
  RealtimeWorld world;
  Terminal terminal;
  listen(world, terminal, 2);
  CHECK_EQ(terminal.err, "troupe: subscribed\n");
  publish(world, 1);
  CHECK_FALSE(terminal.done.has_value());
  publish(world, 2);
  publish(world, 3);
  world.world.advance(10ms);
  CHECK(terminal.ended_well());
  CHECK_EQ(std::ranges::count(terminal.out, '\n'), 2);
  CHECK(terminal.out.contains(R"("payload":1})"));
  CHECK_FALSE(terminal.out.contains(R"("payload":3})"));
  CHECK(terminal.recording.contains(R"({"observer":"subscriber","sent":{"type":"subscribe")"));
  CHECK(terminal.recording.ends_with("\"closed\":true}\n"));
}

TEST_CASE("it ends well when it is told to, and when nobody reads its output any more") {
  RealtimeWorld world;
  Terminal told, unread;
  const auto listener = listen(world, told);
  listen(world, unread);
  listener.tell(StopListening{});
  unread.fault = std::make_error_code(std::errc::broken_pipe);
  publish(world, 1);
  world.world.advance(10ms);
  CHECK(told.ended_well());
  CHECK(unread.ended_well());
}

TEST_CASE("it ends with the reason when messages cannot be written, also the last one that it waited for") {
  RealtimeWorld world;
  for (const std::uint64_t count : {0, 1}) {
    Terminal terminal;
    listen(world, terminal, count);
    terminal.fault = std::make_error_code(std::errc::no_space_on_device);
    publish(world, 1);
    world.world.advance(10ms);
    REQUIRE(terminal.done.has_value());
    CHECK_EQ(terminal.done->value_or("well"), "messages cannot be written: No space left on device");
  }
}

TEST_CASE("it ends with the reason when the server does not let it") {
  RealtimeWorld world;
  Terminal terminal;
  listen(world, terminal, 0, "bad");
  world.world.advance(10ms);
  REQUIRE(terminal.done.has_value());
  CHECK(terminal.done->value().contains("401"));
}
