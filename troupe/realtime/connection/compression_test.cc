// Compression of connections: what is compressed once, what not at all, and that subscribers
// with and without it see the same.
#include "troupe/realtime/connection/compression.h"

#include <doctest/doctest.h>

#include "troupe/realtime/connection/outbox.h"
#include "troupe/realtime/testing/realtime_world.h"

namespace troupe::realtime::testing {
namespace {

constexpr std::string_view offer = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n";

std::string authorized(std::string_view user, std::string_view more = offer) {
  return fmt::format("Authorization: Bearer {}\r\n{}", token_of_user(user), more);
}

RealtimeOptions options_with(Deflate deflate) {
  RealtimeOptions options;
  options.echo = true;
  options.connection.compression.deflate = deflate;
  return options;
}

Socket open(RealtimeWorld& world, std::string_view user, std::string_view more = offer, std::size_t core = 0) {
  auto socket = world.ask_for("/ws", authorized(user, more), core);
  CHECK_EQ(socket->status(), 101);
  socket->take();
  return socket;
}

std::string long_payload(std::string_view kind = "x") {
  std::string text = "{\"text\":\"";
  for (int i = 0; i < 100; ++i) text += fmt::format("{} says hello number {}, ", kind, i);
  return text + "\"}";
}

std::string publication(std::string_view payload) {
  return fmt::format(R"({{"type":"publish","id":"p","topic":"room","payload":{}}})", payload);
}

std::string deflated(std::string_view message) {
  wire::Deflater deflater{{.window_bits = 9}};  // within whatever was agreed on
  std::string out;
  deflater.deflate(message, out);
  return out;
}

CompressionFigures figures(RealtimeWorld& world) {
  auto samples = world.world.block_on(world.realtime->metrics().ask(CollectMetrics{}));
  REQUIRE(samples.has_value());
  auto value = [&](std::string_view name) {
    std::uint64_t sum = 0;
    for (const auto& sample : samples->all()) {
      if (sample.name == name) sum += static_cast<std::uint64_t>(sample.value);
    }
    return sum;
  };
  return {value("troupe_realtime_deflate_runs_total"), value("troupe_realtime_deflated_frames_total"),
          value("troupe_realtime_deflate_saved_bytes_total")};
}

TEST_CASE("a publication is compressed once for all of a core that speak it, and the others see the same") {
  RealtimeWorld world{options_with(Deflate::shared)};
  std::vector<Socket> subscribers;
  for (int i = 0; i < 5; ++i) subscribers.push_back(open(world, "alice"));
  subscribers.push_back(open(world, "bob", ""));
  for (auto& socket : subscribers) world.exchange(socket, R"({"type":"subscribe","topics":["room"]})");
  auto publisher = open(world, "carol", "");
  const auto before = figures(world);
  std::vector<std::size_t> bytes_before;
  for (auto& socket : subscribers) bytes_before.push_back(socket->bytes_received());
  world.exchange(publisher, publication(long_payload()));
  const auto after = figures(world);
  CHECK_EQ(after.runs - before.runs, 1);
  CHECK_EQ(after.frames - before.frames, 5);

  std::optional<std::string> message;
  for (std::size_t i = 0; i < subscribers.size(); ++i) {
    auto frames = subscribers[i]->take();
    REQUIRE_EQ(types(frames), "message");
    CHECK(frames[0].contains(long_payload()));
    if (message) CHECK_EQ(frames[0], *message);
    message = frames[0];
    auto bytes = subscribers[i]->bytes_received() - bytes_before[i];
    CHECK_EQ(bytes < message->size() / 3, i < 5);
  }
  CHECK_GT(after.bytes_saved - before.bytes_saved, 5 * message->size() / 2);
}

TEST_CASE("small messages leave as they are") {
  RealtimeWorld world{options_with(Deflate::shared)};
  auto socket = open(world, "alice");
  world.exchange(socket, R"({"type":"ping","id":"1"})");
  const auto before = figures(world);
  CHECK_EQ(types(world.exchange(socket, R"({"type":"ping","id":"1"})")), "pong");
  CHECK_EQ(figures(world).runs, before.runs);
}

TEST_CASE("commands may come compressed, and in either configuration") {
  for (auto deflate : {Deflate::shared, Deflate::own}) {
    RealtimeWorld world{options_with(deflate)};
    auto socket = open(world, "alice");
    for (int i = 0; i < 3; ++i) {
      socket->send_deflated(wire::Opcode::text, deflated(R"({"type":"ping","id":"1"})"));
      world.world.run_until_idle();
      CHECK_EQ(types(socket->take()), "pong");
    }
    CHECK_EQ(types(world.exchange(socket, R"({"type":"ping","id":"2"})")), "pong");
  }
}

TEST_CASE("what is agreed on follows the configuration, at /ws and at /echo") {
  struct Row {
    Deflate deflate;
    std::string_view response;
  };
  constexpr Row rows[] = {
      {Deflate::off, ""},
      {Deflate::shared, "permessage-deflate; server_no_context_takeover; client_no_context_takeover"},
      {Deflate::own, "permessage-deflate; server_max_window_bits=12; client_max_window_bits=12"},
  };
  for (const Row& row : rows) {
    RealtimeWorld world{options_with(row.deflate)};
    for (std::string_view path : {"/ws", "/echo"}) {
      auto socket = world.ask_for(path, authorized("alice"));
      CAPTURE(socket->head());
      CHECK_EQ(socket->head().contains("Extensions"), !row.response.empty());
      if (!row.response.empty()) {
        CHECK(socket->head().contains(fmt::format("Sec-WebSocket-Extensions: {}\r\n", row.response)));
      }
    }
    auto declined = world.ask_for("/ws", authorized("a", "Sec-WebSocket-Extensions: permessage-deflate; mux\r\n"));
    CHECK_FALSE(declined->head().contains("Extensions"));
    CHECK_EQ(declined->status(), 101);
    auto broken = world.ask_for("/ws", authorized("a", "Sec-WebSocket-Extensions: permessage deflate\r\n"));
    CHECK_EQ(broken->status(), 400);
  }
}

TEST_CASE("what must not come compressed ends the connection with the right code") {
  auto options = options_with(Deflate::shared);
  options.connection.frame_bytes_max = 10'000;
  struct Row {
    std::string_view what;
    std::string payload;
    std::uint16_t code;
  };
  const Row rows[] = {
      {"a bomb", deflated(std::string(50'000'000, ' ')), 1009},
      {"no DEFLATE data", "\xff\xff\xff", 1007},
      {"text that is not UTF-8", deflated("{\"type\":\"\xff\"}"), 1007},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    RealtimeWorld world{options};
    auto socket = open(world, "alice"), other = open(world, "bob");
    socket->send_deflated(wire::Opcode::text, row.payload);
    world.world.run_until_idle();
    CHECK_EQ(socket->close_code(), row.code);
    other->send_deflated(wire::Opcode::text, deflated(R"({"type":"ping","id":"1"})"));
    world.world.run_until_idle();
    CHECK_EQ(types(other->take()), "pong");
  }
  RealtimeWorld world{options};
  auto plain = open(world, "alice", "");
  plain->send_deflated(wire::Opcode::text, deflated(R"({"type":"ping"})"));
  world.world.run_until_idle();
  CHECK_EQ(plain->close_code(), 1002);
}

TEST_CASE("inflated bytes count for the rate limit") {
  auto options = options_with(Deflate::shared);
  options.connection.bytes = {.per_second = 1000, .burst = 100'000};
  RealtimeWorld world{options};
  auto socket = open(world, "alice");
  for (int i = 0; i < 5; ++i) {
    socket->send_deflated(wire::Opcode::text, deflated("{\"type\":\"ping\"" + std::string(30'000, ' ') + "}"));
  }
  world.world.run_until_idle();
  CHECK_EQ(socket->close_code(), 4008);
}

TEST_CASE("messages of every size come back from /echo, whatever was agreed on") {
  constexpr std::string_view offers[] = {
      "permessage-deflate",
      "permessage-deflate; client_max_window_bits",
      "permessage-deflate; server_max_window_bits=9",
      "permessage-deflate; server_max_window_bits=8; client_max_window_bits=9",
      "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
      "permessage-deflate; server_no_context_takeover; server_max_window_bits=9, permessage-deflate",
  };
  for (auto deflate : {Deflate::shared, Deflate::own}) {
    RealtimeWorld world{options_with(deflate), 1, {.buffer_bytes = 4 << 20}};
    for (auto text : offers) {
      auto socket = world.ask_for("/echo", fmt::format("Sec-WebSocket-Extensions: {}\r\n", text));
      CAPTURE(socket->head());
      std::vector<std::string> sent;
      for (std::size_t size : {0, 16, 64, 256, 1024, 4096, 8192, 16384, 32768, 65536, 131072, 300'000}) {
        std::string message;
        while (message.size() < size) message += long_payload(std::to_string(message.size()));
        message.resize(size);
        sent.push_back(message);
        socket->send_deflated(wire::Opcode::text, deflated(message));
      }
      world.world.run_until_idle();
      CHECK(socket->take() == sent);
    }
  }
}

TEST_CASE("a reader that is too slow is told of gaps, and reads whole compressed messages") {
  auto options = options_with(Deflate::own);
  options.connection.outbox.messages_max = 3;
  RealtimeWorld world{options, 1, {.buffer_bytes = 2000}};
  auto socket = open(world, "alice");
  world.exchange(socket, R"({"type":"subscribe","topics":["room"]})");
  socket->stop_reading();
  auto publisher = open(world, "bob", "", 1);
  for (int i = 0; i < 200; ++i) world.exchange(publisher, publication(long_payload(std::to_string(i * 7919))));
  socket->read_again();
  world.world.run_until_idle();
  auto frames = socket->take();
  CHECK(types(frames).contains("gap"));
  CHECK(frames.back().contains("1575881 says hello"));
}

TEST_CASE("the limits of an outbox count what is sent before it is compressed") {
  CoreCompression core;
  ConnectionCompression compression{core, {}};
  OutboxLimits limits{.bytes_max = 5000};
  Outbox outbox{limits};
  outbox.code_with(&compression);
  const base::Bytes frame{wire::encode_frame(wire::Opcode::text, long_payload())};
  for (Offset i = 1; i <= 3; ++i) {
    (void)outbox.push(FrameRef::message(frame, "t", {Epoch{"e"}, i}), Overflow::drop_newest);
  }
  CHECK_EQ(outbox.messages(), 5000 / frame.size());
  std::array<iovec, 8> parts;
  std::size_t bytes = 0;
  auto used = outbox.gather(parts);
  for (const auto& part : std::span{parts}.first(used)) bytes += part.iov_len;
  CHECK_LT(bytes, frame.size());
  outbox.written(bytes);
  CHECK(outbox.empty());
  CHECK_EQ(outbox.bytes(), 0);
}

}  // namespace
}  // namespace troupe::realtime::testing
