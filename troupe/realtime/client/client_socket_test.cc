// ClientSocket against the real service in memory, and against servers that do what they should not.
#include "troupe/realtime/client/client_socket.h"

#include <doctest/doctest.h>

#include <memory>
#include <vector>

#include "troupe/realtime/testing/realtime_world.h"
#include "troupe/web/testing/test_client.h"

namespace troupe::realtime {
namespace {

using namespace std::chrono_literals;
using testing::RealtimeWorld;
using testing::token_of_user;
using Cause = SocketEnd::Cause;

/// Keeps what it is told.
struct Owner final : ClientSocketEvents {
  void on_open() override { open = true; }
  void on_frame(wire::Opcode, std::string_view message) override { frames.emplace_back(message); }
  void on_end(const SocketEnd& how) override {
    end = how;
    if (destroys) socket.reset();
  }

  std::unique_ptr<ClientSocket> socket;
  std::vector<std::string> frames;
  std::optional<SocketEnd> end;
  bool open = false;
  bool destroys = false;
};

/// A socket of the service in memory.
std::unique_ptr<Owner> connect(RealtimeWorld& world, std::string token) {
  auto owner = std::make_unique<Owner>();
  auto stream = world.networks[0]->connect({{}, 80});
  actor::Core::Scope scope{world.world.core(0)};
  owner->socket = std::make_unique<ClientSocket>(
      world.world.core(0), std::move(stream),
      ClientSocketOptions{.host = "test", .target = "/ws", .token = AccessToken{std::move(token)}}, *owner);
  return owner;
}

TEST_CASE("it opens, sends what it was given before, answers pings, and closes in order") {
  RealtimeWorld world;
  auto alice = connect(world, token_of_user("alice"));
  alice->socket->send(wire::Opcode::text, R"({"type":"ping","id":"1"})");
  world.world.run_until_idle();
  CHECK(alice->open);
  REQUIRE_EQ(alice->frames.size(), 2);
  CHECK(alice->frames[0].contains("welcome"));
  CHECK(alice->frames[1].contains("pong"));

  world.world.advance(5min);  // many heartbeats
  CHECK_FALSE(alice->end.has_value());
  alice->socket->close(1000);
  world.world.run_until_idle();
  REQUIRE(alice->end.has_value());
  CHECK_EQ(alice->end->cause, Cause::closed);
  CHECK_EQ(alice->end->code, 1000);
}

TEST_CASE("what was sent before the end of a turn leaves before the close frame") {
  RealtimeWorld world;
  auto watcher = world.connect("bob");
  world.exchange(watcher, R"({"type":"subscribe","topics":["t"]})");
  auto alice = connect(world, token_of_user("alice"));
  world.world.run_until_idle();
  for (int i = 0; i < 100; ++i)
    alice->socket->send(wire::Opcode::text, R"({"type":"publish","topic":"t","payload":1})");
  alice->socket->close(1000);
  world.world.run_until_idle();
  CHECK_EQ(watcher->take().size(), 100);
}

TEST_CASE("a refused handshake is told with its status, and the owner may be gone then") {
  RealtimeWorld world;
  auto alice = connect(world, "bad");
  alice->destroys = true;
  world.world.run_until_idle();
  REQUIRE(alice->end.has_value());
  CHECK_EQ(alice->end->cause, Cause::refused);
  CHECK_EQ(alice->end->code, 401);
  CHECK(in_words(*alice->end).contains("token"));
}

/// One end played by hand.
struct Pair {
  explicit Pair(std::function<std::string(const NoAnswer&)> words_of_no_answer = {}) {
    auto [here, there] = network.pair({{}, 1}, {{}, 2});
    actor::Core::Scope scope{world.core(0)};
    server = std::make_unique<web::testing::TestClient>(std::move(there));
    owner.socket =
        std::make_unique<ClientSocket>(world.core(0), std::move(here),
                                       ClientSocketOptions{.host = "test",
                                                           .target = "/ws",
                                                           .words_of_no_answer = std::move(words_of_no_answer),
                                                           .unsent_bytes_max = 300'000},
                                       owner);
  }
  ~Pair() { owner.socket.reset(); }
  void answer(std::string_view head) {
    server->send(head);
    world.run_until_idle();
  }
  void open() {
    world.run_until_idle();
    auto asked = server->take();
    const std::string_view name = "Sec-WebSocket-Key: ";
    const auto at = asked.find(name) + name.size();
    answer("HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
           wire::websocket_accept(asked.substr(at, asked.find("\r\n", at) - at)) + "\r\n\r\n");
  }

  actor::test::World world{1};
  net::MemoryNetwork network{world.core(0)};
  std::unique_ptr<web::testing::TestClient> server;
  Owner owner;
};

TEST_CASE("a server that misbehaves ends the connection with the reason") {
  struct Row {
    std::string bytes;
    Cause cause;
    std::string_view reason;
  };
  const std::string masked = wire::encode_masked_frame(wire::Opcode::text, "x", {1, 2, 3, 4});
  const Row rows[] = {
      {masked, Cause::broken, "mask"},
      {std::string("\xf1\x00", 2), Cause::broken, "reserved"},
      {wire::encode_close(4001, "revoked"), Cause::closed, "revoked"},
  };
  for (const auto& row : rows) {
    Pair pair;
    pair.open();
    REQUIRE(pair.owner.open);
    pair.answer(row.bytes);
    REQUIRE(pair.owner.end.has_value());
    CHECK_EQ(pair.owner.end->cause, row.cause);
    CHECK_MESSAGE(pair.owner.end->reason.contains(row.reason), pair.owner.end->reason);
  }
  Pair endless;
  for (int i = 0; i < 5; ++i) endless.answer(std::string(4000, 'x'));
  REQUIRE(endless.owner.end.has_value());
  CHECK_EQ(endless.owner.end->cause, Cause::broken);
}

TEST_CASE("a server that does not answer, is lost, falls silent or does not read is given up") {
  Pair dumb;
  dumb.world.advance(11s);
  REQUIRE(dumb.owner.end.has_value());
  CHECK_EQ(dumb.owner.end->cause, Cause::unreachable);

  Pair lost;
  lost.open();
  lost.server->vanish();
  lost.world.run_until_idle();
  REQUIRE(lost.owner.end.has_value());
  CHECK_EQ(lost.owner.end->cause, Cause::lost);

  Pair silent;
  silent.open();
  silent.owner.socket->expect_words_within(60s);
  silent.world.advance(50s);
  silent.answer(wire::encode_frame(wire::Opcode::ping, ""));
  silent.world.advance(50s);
  CHECK_FALSE(silent.owner.end.has_value());
  silent.world.advance(11s);
  REQUIRE(silent.owner.end.has_value());
  CHECK_EQ(silent.owner.end->cause, Cause::silent);

  Pair full;
  full.open();
  full.server->stream().pause_reading();
  for (int i = 0; i < 10 && !full.owner.end; ++i) {
    full.owner.socket->send(wire::Opcode::text, std::string(100'000, 'x'));
    full.world.run_until_idle();
  }
  REQUIRE(full.owner.end.has_value());
  CHECK_EQ(full.owner.end->cause, Cause::full);
}

TEST_CASE("a connection that ends without an answer says that somebody was reached, whatever noise came") {
  for (const bool says_something : {false, true}) {
    Pair pair{[](const NoAnswer& how) { return std::string{how.was_reached ? "reached" : "nobody"}; }};
    if (says_something) pair.answer("\x15\x03\x01");  // as TLS refuses what it does not understand
    pair.world.run_until_idle();
    pair.server->vanish();
    pair.world.run_until_idle();
    REQUIRE(pair.owner.end.has_value());
    CHECK_EQ(pair.owner.end->cause, Cause::unreachable);
    CHECK_EQ(in_words(*pair.owner.end), "reached");
  }
}

TEST_CASE("each end has its sentence") {
  CHECK_EQ(in_words({Cause::closed, 4003, {}}), "the server closed: we were too slow a reader (4003)");
  CHECK_EQ(in_words({Cause::closed, 4999, {}}), "the server closed with 4999");
  CHECK_EQ(in_words({Cause::closed, 1000, {}}), "closed");
  CHECK(in_words({Cause::refused, 503, {}}).contains("503"));
  CHECK(in_words({Cause::refused, 302, {}}).contains("302"));
  CHECK(in_words({Cause::unreachable, 0, {}}).contains("nobody"));
  CHECK(in_words({Cause::unreachable, 0, "no route"}) == "no route");
  CHECK(in_words({Cause::broken, 0, "a mask"}).contains("a mask"));
}

TEST_CASE("why the server closes is told in its own words, for one code has several reasons") {
  struct Row {
    std::uint16_t code;
    std::string_view reason, words;
  };
  const Row rows[] = {
      {1008, "sent away by an operator", "the server closed: sent away by an operator (1008)"},
      {1008, "no token came in time", "the server closed: no token came in time (1008)"},
      {4001, "a token is needed now", "the server closed: a token is needed now (4001)"},
      {4001, "the token was revoked", "the server closed: the token was revoked (4001)"},
      {4010, "\x1b[2J\xc2\x9b\xc3\x9f", "the server closed: .[2J..\xc3\x9f (4010)"},
  };
  for (const auto& row : rows) CHECK_EQ(in_words({Cause::closed, row.code, std::string{row.reason}}), row.words);
}

TEST_CASE("who is sent away by an operator is told so, not that a token is wanted") {
  RealtimeWorld world;
  auto alice = connect(world, token_of_user("alice"));
  world.world.run_until_idle();
  const auto answer = testing::ask_http(world, "DELETE", "/api/v1/users/alice/connections", "op,realtime:admin");
  CHECK_EQ(answer.status, 200);
  world.world.run_until_idle();
  REQUIRE(alice->end.has_value());
  CHECK_EQ(in_words(*alice->end), "the server closed: sent away by an operator (1008)");
}

}  // namespace
}  // namespace troupe::realtime
