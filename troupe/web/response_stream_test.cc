// A response without an end: its head, its body piece by piece, a slow reader, and every way in which it ends.
#include "troupe/web/response_stream.h"

#include <doctest/doctest.h>

#include "troupe/actor/sim/world.h"
#include "troupe/net/memory_network.h"
#include "troupe/web/http_server.h"
#include "troupe/web/testing/test_client.h"

namespace troupe::web {
namespace {

using namespace std::chrono_literals;
using testing::TestClient;

const net::Endpoint address = *net::Endpoint::parse("127.0.0.1:80");

/// The owner of a response: notes what it is told.
class Owner final : public ResponseEvents {
 public:
  void on_writable() override { ++writable; }
  void on_closed() override {
    ++closed;
    response.reset();  // the last event may destroy it
  }

  std::unique_ptr<ResponseStream> response;
  int writable = 0;
  int closed = 0;
};

struct Site {
  explicit Site(net::MemoryNetworkOptions network_options = {}) : network(world.core(0), network_options) {
    HttpServerOptions options;
    options.listen = [this](actor::Core&) { return network.listen(address); };
    options.routes = [this](Router& router, actor::Context&) {
      router.stream("/stream", [this](Request request) -> actor::Task<StreamAnswer> {
        if (request.query == "refused") co_return problem(403, "not you");
        if (request.query == "throws") throw std::runtime_error("boom");
        Response head{.headers = {{"Content-Type", "text/event-stream"}}};
        co_return Streaming{std::move(head), [this](std::unique_ptr<ResponseStream> response) {
                              owner.response = std::move(response);
                              owner.response->start(owner);
                            }};
      });
    };
    server = world.spawn<HttpServer>({}, options);
    world.run_until_idle();
  }
  ~Site() {
    owner.response.reset();
    world.shutdown();
  }

  TestClient ask(std::string_view target, std::string_view method = "GET") {
    TestClient client{network.connect(address)};
    client.send(std::string{method} + " " + std::string{target} + " HTTP/1.1\r\nHost: h\r\n\r\n");
    world.run_until_idle();
    return client;
  }
  std::size_t write(std::string_view text) {
    iovec part{const_cast<char*>(text.data()), text.size()};
    auto taken = owner.response->write_some({&part, 1});
    world.run_until_idle();
    return taken;
  }

  actor::test::World world{7};
  net::MemoryNetwork network;
  Owner owner;
  actor::Ref<HttpServer> server;
};

TEST_CASE("the head names no length, and the body comes as it is written") {
  Site site;
  auto client = site.ask("/stream");
  auto head = client.take();
  CHECK(head.starts_with("HTTP/1.1 200 OK\r\n"));
  CHECK(head.contains("\r\nContent-Type: text/event-stream\r\n"));
  CHECK(head.contains("\r\nConnection: close\r\n"));
  CHECK(head.contains("\r\nX-Content-Type-Options: nosniff\r\n"));
  CHECK_FALSE(head.contains("Content-Length"));
  CHECK(head.ends_with("\r\n\r\n"));
  for (std::string_view piece : {"one", "two"}) {
    CHECK_EQ(site.write(piece), 3);
    CHECK_EQ(client.take(), piece);
  }
  CHECK_FALSE(client.is_closed());
  client.send("GET /stream HTTP/1.1\r\n\r\n");  // what still comes is thrown away
  site.world.run_until_idle();
  CHECK_EQ(site.owner.closed, 0);
}

TEST_CASE("a stream that is refused is a response like others, and its connection goes on") {
  Site site;
  auto client = site.ask("/stream?refused");
  CHECK(client.take().starts_with("HTTP/1.1 403"));
  CHECK_FALSE(client.is_closed());
  CHECK(site.ask("/stream?throws").take().starts_with("HTTP/1.1 500"));
  CHECK_EQ(site.owner.response, nullptr);
}

TEST_CASE("a stream is found by GET alone") {
  Site site;
  for (auto method : {"POST", "HEAD", "DELETE"}) CHECK(site.ask("/stream", method).take().starts_with("HTTP/1.1 405"));
  auto options = site.ask("/stream", "OPTIONS").take();
  CHECK(options.contains("\r\nAllow: GET, OPTIONS\r\n"));
}

TEST_CASE("a reader who does not read stops the writer, and lets him go on when he reads again") {
  Site site{{.buffer_bytes = 1000}};
  auto client = site.ask("/stream");
  client.take();
  client.stream().pause_reading();
  std::string piece(700, 'x');
  std::size_t taken = 0;
  while (true) {
    auto more = site.write(piece);
    taken += more;
    if (more < piece.size()) break;
  }
  CHECK_EQ(site.owner.writable, 0);
  client.stream().resume_reading();
  site.world.run_until_idle();
  CHECK_EQ(site.owner.writable, 1);
  CHECK_EQ(client.take().size(), taken);
}

TEST_CASE("a head that the client takes slowly comes whole and before the body") {
  Site site{{.buffer_bytes = 40, .piece_bytes_max = 7}};
  TestClient client{site.network.connect(address)};
  client.stream().pause_reading();
  std::string_view request = "GET /stream HTTP/1.1\r\nHost: h\r\n\r\n";
  client.send(request);
  site.world.run_until_idle();
  REQUIRE_NE(site.owner.response, nullptr);
  CHECK_EQ(site.write("body"), 0);
  client.stream().resume_reading();
  site.world.run_until_idle();
  CHECK_EQ(site.owner.writable, 1);
  site.write("body");
  CHECK(client.take().ends_with("\r\n\r\nbody"));
}

TEST_CASE("a body that is finished arrives whole before the connection ends") {
  Site site;
  auto client = site.ask("/stream");
  client.take();
  site.write("last words");
  site.owner.response->finish();
  CHECK_EQ(site.write("dropped"), 7);
  CHECK_EQ(client.take(), "last words");
  CHECK(client.is_closed());
  CHECK_EQ(site.owner.closed, 0);
  SUBCASE("the client closes") { client.vanish(); }
  SUBCASE("or it does not, and time is up") { site.world.advance(2s); }
  site.world.run_until_idle();
  CHECK_EQ(site.owner.closed, 1);
}

TEST_CASE("a client that leaves is told once, whether it closes or says no more") {
  Site site;
  auto client = site.ask("/stream");
  SUBCASE("closes") { client.vanish(); }
  SUBCASE("says no more") { client.stream().shutdown_write(); }
  site.world.run_until_idle();
  CHECK_EQ(site.owner.closed, 1);
}

}  // namespace
}  // namespace troupe::web
