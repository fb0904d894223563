// What a client may do to harm: floods, and what never ends. Each costs bounded memory, ends with a clear close code or
// is answered, and disturbs nobody.
#include <doctest/doctest.h>

#include <algorithm>

#include "troupe/realtime/testing/figures.h"
#include "troupe/realtime/testing/realtime_world.h"

// The sanitizers' runtime has it; without one it is null, and memory is judged by the service's own figures alone.
extern "C" [[gnu::weak]] std::size_t __sanitizer_get_current_allocated_bytes();

namespace troupe::realtime {
namespace {

using namespace std::chrono_literals;
using testing::field;
using testing::figures_of;
using testing::RealtimeWorld;
using testing::Socket;
using testing::types;

constexpr std::size_t KiB = 1024, MiB = 1024 * KiB;

std::size_t heap() {
  return __sanitizer_get_current_allocated_bytes == nullptr ? 0 : __sanitizer_get_current_allocated_bytes();
}

enum class Rates : std::uint8_t { usual, unlimited };

RealtimeOptions options_of(Rates rates) {
  RealtimeOptions options;
  options.router.topics.topics_max = 5'000;
  if (rates == Rates::usual) return options;
  const web::RateLimit any{.per_second = 1e9, .burst = 1e9};
  options.connection.frames = options.connection.bytes = any;
  options.connection.user = options.connection.address = {.frames = any, .bytes = any};
  return options;
}

/// Sends until the server takes no more or has closed.
void flood(RealtimeWorld& world, Socket& socket, int count, const std::function<std::string(int)>& bytes_of) {
  for (int i = 0; i < count; ++i) {
    socket->raw(bytes_of(i));
    if (i % 64 != 63 && !socket->is_stuck()) continue;
    world.world.run_until_idle();
    if (socket->is_stuck() || socket->close_code()) return;
  }
  world.world.run_until_idle();
}

std::string text(std::string_view json) { return wire::encode_masked_frame(wire::Opcode::text, json, {1, 2, 3, 4}); }

void subscribe_and_unsubscribe(RealtimeWorld& world, Socket& socket) {
  flood(world, socket, 20'000, [](int i) {
    return text(i % 2 == 0 ? R"({"type":"subscribe","topics":["a.*","b"]})"
                           : R"({"type":"unsubscribe","topics":["a.*","b"]})");
  });
}

struct Row {
  std::string_view name;
  Rates rates;
  void (*act)(RealtimeWorld& world, Socket& socket);
  std::string_view answer;          // the code of what it was told last, if that is an error
  std::string_view closed;          // by whom and with which code; empty: it stays, and is answered
  std::size_t bytes_max;            // of memory, while it does what it does
  std::size_t more_max = 64 * KiB;  // when it does it again
};

const Row rows[] = {
    {"subscribes and unsubscribes as fast as it can", Rates::usual, subscribe_and_unsubscribe, "rate_limited",
     "server 4008", 512 * KiB},
    {"the same, where that is no limit", Rates::unlimited, subscribe_and_unsubscribe, "", "", 2 * MiB},
    {"the same, and reads no answer", Rates::unlimited,
     [](auto& world, auto& socket) {
       socket->stop_reading();
       subscribe_and_unsubscribe(world, socket);
       CHECK(socket->is_stuck());
     },
     "", "server 4002", 640 * KiB},  // with two slabs of the core's pool, which stay for the next
    {"subscribes to 100 000 topics", Rates::unlimited,
     [](auto& world, auto& socket) {
       flood(world, socket, 1'000, [](int i) {
         std::string topics;
         for (int k = 0; k < 100; ++k) topics += fmt::format("{}\"s.{}.{}\"", k == 0 ? "" : ",", i, k);
         return text(fmt::format(R"({{"type":"subscribe","topics":[{}]}})", topics));
       });
       CHECK_EQ(figures_of(world, "troupe_realtime_subscriptions")["other"], 1'001);
     },
     "too_large", "", 4 * MiB},
    {"publishes to 100 000 topics", Rates::unlimited,
     [](auto& world, auto& socket) {
       flood(world, socket, 100'000,
             [](int i) { return text(fmt::format(R"({{"type":"publish","id":"p","topic":"p.{}","payload":1}})", i)); });
       CHECK_LE(figures_of(world, "troupe_realtime_topics")[""], 10'000);
     },
     "overloaded", "", 24 * MiB, 4 * MiB},  // as history has room
    {"nests a megabyte of JSON", Rates::unlimited,
     [](auto& world, auto& socket) {
       flood(world, socket, 5,
             [](int) { return text(R"({"type":"publish","topic":"a","payload":)" + std::string(MiB - 1000, '[')); });
     },
     "bad_request", "", 3 * MiB},
    {"begins a large frame and goes on no more", Rates::usual,
     [](auto& world, auto& socket) {
       socket->ignore_pings();
       flood(world, socket, 1, [](int) { return text(std::string(MiB - 1, ' ')).substr(0, 900 * KiB); });
     },
     "", "server 4002", 2 * MiB},
    {"sends empty fragments without end", Rates::usual,
     [](auto& world, auto& socket) {
       flood(world, socket, 50'000, [](int i) {
         const auto opcode = i == 0 ? wire::Opcode::text : wire::Opcode::continuation;
         return wire::encode_masked_frame(opcode, "", {1, 2, 3, 4}, wire::Fragment::more);
       });
       socket->raw(wire::encode_masked_frame(wire::Opcode::continuation, "x", {1, 2, 3, 4}));
     },
     "bad_request", "", 256 * KiB},
    {"pings without end and reads no pong", Rates::usual,
     [](auto& world, auto& socket) {
       socket->stop_reading();
       const auto ping = wire::encode_masked_frame(wire::Opcode::ping, std::string(125, 'x'), {1, 2, 3, 4});
       flood(world, socket, 50'000, [&](int) { return ping; });
     },
     "", "server 4002", 512 * KiB},
    {"is half open: it neither reads nor answers", Rates::usual,
     [](auto& world, auto& socket) {
       world.exchange(socket, R"({"type":"subscribe","topics":["all"]})");
       socket->stop_reading();
       auto writer = world.connect("writer", 1);
       for (int i = 0; i < 300; ++i) {
         world.exchange(writer, fmt::format(R"({{"type":"publish","topic":"all","payload":"{:x>10000}"}})", ""));
       }
     },
     "", "server 4002", 8 * MiB},  // what history keeps of it, too
};

/// What `act` adds to the memory that is held; `later`: when the time of batches and asks has passed.
enum class Held : std::uint8_t { now, later };
std::size_t held_by(RealtimeWorld& world, Held held, const std::function<void()>& act) {
  const auto before = heap();
  act();
  if (held == Held::later) world.world.advance(10s);
  return heap() - std::min(before, heap());
}

TEST_CASE("whatever a client floods, memory stays bounded, it is answered or closed, and nobody else is disturbed") {
  for (const auto& row : rows) {
    CAPTURE(row.name);
    RealtimeWorld world{options_of(row.rates), 1, {.buffer_bytes = 64 * 1024}};
    auto bystander = world.connect("bystander", 0);
    const auto publish = [&] {
      return types(world.exchange(bystander, R"({"type":"publish","id":"1","topic":"t","payload":1})"));
    };
    world.exchange(bystander, R"({"type":"subscribe","topics":["t"]})");
    CHECK_EQ(publish(), "message ack");
    auto socket = world.connect("hostile", 0);
    std::string last;
    socket->hear([&](std::string_view frame) { last = frame; });
    CHECK_LE(held_by(world, Held::now, [&] { row.act(world, socket); }), row.bytes_max);
    CHECK_EQ(publish(), "message ack");
    CHECK_EQ(field(last, "code"), row.answer);
    if (row.closed.empty()) {
      world.world.advance(10s);
      CHECK_LE(held_by(world, Held::later, [&] { row.act(world, socket); }), row.more_max);
      CHECK_EQ(publish(), "message ack");
      world.exchange(socket, R"({"type":"ping"})");
      CHECK_EQ(field(last, "type"), "pong");
    } else {
      world.world.advance(40s);  // longer than a heartbeat and its answer
    }
    auto closes = figures_of(world, "troupe_realtime_close_codes_total");
    for (const auto& [how, count] : closes) {
      CAPTURE(how);
      if (how.starts_with("server")) CHECK_EQ(count, how == row.closed ? 1 : 0);
    }
    socket->vanish();
    world.world.advance(10s);
    CHECK_EQ(figures_of(world, "troupe_realtime_connections")[""], 1);
    CHECK_EQ(figures_of(world, "troupe_realtime_subscriptions")["other"], 1);
    CHECK_EQ(figures_of(world, "troupe_realtime_waiting_bytes")[""], 0);
    CHECK_FALSE(bystander->close_code().has_value());
  }
}

TEST_CASE("who writes byte by byte is answered as anybody") {
  RealtimeWorld world;
  auto socket = world.connect("alice");
  std::string all = text(R"({"type":"subscribe","topics":["t"]})") +
                    text(R"({"type":"publish","topic":"t","payload":1})") + text(R"({"type":"ping"})");
  for (const char byte : all) {
    socket->raw({&byte, 1});
    world.world.run_until_idle();
  }
  CHECK_EQ(types(socket->take()), "subscription_confirmed message pong");
}

TEST_CASE("handshakes that drip, or never end, are given up after five seconds, and others come in meanwhile") {
  RealtimeWorld world;
  const std::string head = "GET /ws HTTP/1.1\r\nHost: test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nX: ";
  const auto before = heap();
  std::vector<std::unique_ptr<web::testing::TestClient>> slow;
  for (std::size_t i = 0; i < 200; ++i) {
    slow.push_back(std::make_unique<web::testing::TestClient>(world.networks[i % 2]->connect({{}, 80})));
    if (i % 4 == 0) slow.back()->send(head);  // and then nothing
  }
  for (std::size_t second = 0; second < 4; ++second) {
    for (std::size_t i = 0; i < slow.size(); ++i) {
      if (i % 4 == 1 || i % 4 == 2) slow[i]->send(head.substr(second, 1));
    }
    world.world.advance(1s);
    CHECK_EQ(world.connect("other")->status(), 101);
  }
  CHECK_LE(heap() - std::min(before, heap()), 4 * MiB);
  world.world.advance(3s);
  for (std::size_t i = 0; i < slow.size(); ++i) {
    CAPTURE(i % 4);
    CHECK_EQ(slow[i]->is_closed(), i % 4 != 3);  // who has said nothing is idle, for a while longer
  }
  world.world.advance(70s);
  CHECK(std::ranges::all_of(slow, [](const auto& one) { return one->is_closed(); }));
}

}  // namespace
}  // namespace troupe::realtime
