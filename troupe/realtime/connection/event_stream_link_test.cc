// The link over a response: comments and last words never cut an event, and every way in which it ends is told once.
#include "troupe/realtime/connection/event_stream_link.h"

#include <doctest/doctest.h>

#include "troupe/actor/sim/world.h"
#include "troupe/net/memory_network.h"
#include "troupe/web/testing/test_client.h"

namespace troupe::realtime {
namespace {

using namespace std::chrono_literals;

class Owner final : public web::WebSocketEvents {
 public:
  void on_message(web::Opcode, std::string_view) override { FAIL("nothing comes in"); }
  void on_pong(std::string_view) override { ++pongs; }
  void on_writable() override { ++writable; }
  void on_closed(const web::WebSocketClosed& how) override {
    CHECK_FALSE(closed.has_value());
    closed = how;
  }

  int pongs = 0;
  int writable = 0;
  std::optional<web::WebSocketClosed> closed;
};

struct Pair {
  explicit Pair(net::MemoryNetworkOptions options = {}) : network(world.core(0), options) {
    auto [client_end, server_end] = network.pair({}, {});
    client.emplace(std::move(client_end));
    link = open_event_stream(world.core(0), web::open_response(world.core(0), std::move(server_end), ""));
    link->start(owner, {}, nullptr);
    world.run_until_idle();
  }
  std::size_t write(std::string_view bytes) {
    iovec part{const_cast<char*>(bytes.data()), bytes.size()};
    return link->write_some({&part, 1});
  }
  std::string take() {
    world.run_until_idle();
    return client->take();
  }

  actor::test::World world{3};
  net::MemoryNetwork network;
  std::optional<web::testing::TestClient> client;
  Owner owner;
  std::unique_ptr<web::WebSocketLink> link;
};

TEST_CASE("a ping is a comment, and answered when the socket has taken it") {
  Pair pair;
  pair.write("data: 1\n\n");
  pair.link->ping({});
  CHECK_EQ(pair.owner.pongs, 0);  // no event comes from inside of a call
  CHECK_EQ(pair.take(), "data: 1\n\n:\n\n");
  CHECK_EQ(pair.owner.pongs, 1);
}

TEST_CASE("a comment waits for the rest of an event that is cut, and is not answered before") {
  Pair pair{{.buffer_bytes = 10}};
  pair.client->stream().pause_reading();
  std::string event = "data: " + std::string(30, 'x') + "\n\n";
  auto taken = pair.write(event);
  REQUIRE_LT(taken, event.size());
  pair.link->ping({});
  pair.link->ping({});  // one is enough
  pair.world.run_until_idle();
  CHECK_EQ(pair.owner.pongs, 0);
  pair.client->stream().resume_reading();
  std::string received;
  while (taken < event.size()) {
    received += pair.take();
    taken += pair.write(std::string_view{event}.substr(taken));
  }
  received += pair.take();
  CHECK_EQ(received, event + ":\n\n");
  CHECK_EQ(pair.owner.pongs, 1);
}

TEST_CASE("the last event says why, behind the rest of what is cut, and then the stream ends") {
  for (std::size_t room : {10, 1000}) {
    CAPTURE(room);
    Pair pair{{.buffer_bytes = room}};
    std::string event = "data: " + std::string(60, 'x') + "\n\n";
    auto taken = pair.write(event);
    pair.link->close(4001, "the token was revoked");
    std::string received = pair.take();
    while (taken < event.size()) {
      taken += pair.write(std::string_view{event}.substr(taken));
      received += pair.take();
    }
    CHECK_EQ(pair.write("data: too late\n\n"), 16);
    pair.link->ping({});
    for (int i = 0; i < 20; ++i) received += pair.take();
    CHECK_EQ(
        received,
        event + "event: closed\ndata: {\"type\":\"closed\",\"code\":4001,\"reason\":\"the token was revoked\"}\n\n");
    CHECK(pair.client->is_closed());
    pair.client->vanish();
    pair.world.run_until_idle();
    REQUIRE(pair.owner.closed.has_value());
    CHECK_EQ(pair.owner.closed->code, 4001);
    CHECK_EQ(pair.owner.pongs, 0);
  }
}

TEST_CASE("last words that nobody takes are given up after a while") {
  Pair pair{{.buffer_bytes = 10}};
  pair.client->stream().pause_reading();
  pair.write("data: " + std::string(60, 'x') + "\n\n");
  pair.link->close(1001, "the server is going away");
  pair.world.advance(4s);
  CHECK_FALSE(pair.owner.closed.has_value());
  pair.world.advance(2s);
  REQUIRE(pair.owner.closed.has_value());
  CHECK_EQ(pair.owner.closed->code, 1001);
}

TEST_CASE("a reader who leaves is told as a socket that broke") {
  Pair pair;
  pair.client->vanish();
  pair.world.run_until_idle();
  REQUIRE(pair.owner.closed.has_value());
  CHECK_EQ(pair.owner.closed->code, 1006);
  CHECK_EQ(pair.owner.closed->closing, web::Closing::broken);
  CHECK_EQ(pair.write("data: 1\n\n"), 9);
}

}  // namespace
}  // namespace troupe::realtime
