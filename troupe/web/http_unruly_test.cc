// Clients of HTTP that are no good: they take what is answered slower than they ask, ask for much at once, or go in the
// middle of it all.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <memory>

#include "troupe/actor/sim/world.h"
#include "troupe/net/memory_network.h"
#include "troupe/web/http_server.h"
#include "troupe/web/testing/test_client.h"
#include "troupe/web/websocket_link.h"

namespace troupe::web {
namespace {

using namespace std::chrono_literals;
using testing::TestClient;

struct Pause {
  using reply = std::string;
};

class SlowActor {
 public:
  actor::Task<std::string> handle(Pause, actor::Context& ctx) {
    co_await ctx.sleep(1s);
    co_return "slow";
  }
};

/// A server in a world: it answers `/n?x` with x, `/slow` after a second, `/large` with 100 KiB, and opens WebSockets
/// at
/// `/ws`, after a second.
struct Site {
  explicit Site(net::MemoryNetworkOptions network_options = {},
                std::size_t receiving_bytes_max = HttpOptions{}.receiving_bytes_max)
      : network(world.core(0), network_options) {
    HttpServerOptions options;
    options.http.receiving_bytes_max = receiving_bytes_max;
    options.guard.requests_by_address = {.per_second = 1e6, .burst = 1e6};
    options.listen = [this](actor::Core&) { return network.listen({{}, 80}); };
    options.routes = [this](Router& router, actor::Context& ctx) { add_routes(router, ctx.spawn<SlowActor>({})); };
    server = world.spawn<HttpServer>({}, options);
    world.run_until_idle();
  }
  ~Site() { world.shutdown(); }

  void add_routes(Router& router, actor::Ref<SlowActor> slow) {
    router.add(Method::get, "/n",
               [](Request request) -> actor::Task<Response> { co_return text_response(200, request.query); });
    router.add(Method::get, "/slow", [slow](Request) -> actor::Task<Response> {
      auto answer = co_await slow.ask(Pause{});
      co_return text_response(200, answer.value());
    });
    router.add(Method::get, "/large",
               [](Request) -> actor::Task<Response> { co_return text_response(200, std::string(100 * 1024, 'x')); });
    router.upgrade("/ws", [this, slow](Request) -> actor::Task<Upgrade> {
      co_await slow.ask(Pause{});
      co_return Accept{.attach = [this](std::unique_ptr<WebSocketLink>) { ++attached; }};
    });
  }
  std::string held() {
    for (const auto& one : world.block_on(world.system().inspect())) {
      if (one.type != "HttpConnection") continue;
      for (const auto& [name, value] : one.details)
        if (name == "held_bytes") return value;
    }
    return "";
  }
  std::size_t connections() { return world.block_on(server.ask(GetConnections{})).value(); }

  actor::test::World world{11};
  net::MemoryNetwork network;
  actor::Ref<HttpServer> server;
  int attached = 0;
};

constexpr std::string_view handshake =
    "GET /ws HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

std::string get(std::string_view target) { return fmt::format("GET {} HTTP/1.1\r\nHost: h\r\n\r\n", target); }

TEST_CASE("a HEAD that is refused gets the head of its refusal, and nothing behind it") {
  for (const std::string_view rest :
       {"/a%2fb HTTP/1.1\r\nHost: h\r\n\r\n", "/n HTTP/1.1\r\n\r\n", "/n HTTP/1.1\r\nHost: h\r\nExpect: x\r\n\r\n",
        "/n HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999\r\n\r\n", "/n HTTP/1.1\r\nHost: h"}) {
    CAPTURE(rest);
    for (const std::string_view method : {"HEAD", "GET"}) {
      Site site;
      auto client = TestClient{site.network.connect({{}, 80})};
      client.send(fmt::format("{} /n HTTP/1.1\r\nHost: h\r\n\r\n", method == "GET" ? "HEAD" : "GET"));
      site.world.run_until_idle();
      (void)client.take();
      client.send(fmt::format("{} {}", method, rest));
      site.world.advance(10s);
      const auto answer = client.take();
      CHECK(answer.starts_with("HTTP/1.1 4"));
      CHECK_EQ(answer.ends_with("\r\n\r\n"), method == "HEAD");
      CHECK(client.is_closed());
    }
  }
}

TEST_CASE("requests that come in one piece, however many, are answered once each and in their order") {
  Site site{{.buffer_bytes = 4 * 1024 * 1024}};
  auto client = TestClient{site.network.connect({{}, 80})};
  std::string all;
  constexpr int many = 5000;
  for (int i = 0; i < many; ++i) all += get(fmt::format("/n?{}.", i));
  client.send(all);
  site.world.run_until_idle();
  const auto answers = client.take();
  std::size_t at = 0;
  for (int i = 0; i < many; ++i) {
    const auto found = answers.find(fmt::format("\r\n\r\n{}.", i), at);
    REQUIRE_NE(found, std::string::npos);
    at = found;
  }
}

TEST_CASE("what a steady but slow client has taken is kept no longer, while it asks for more and more") {
  Site site{{.buffer_bytes = 16 * 1024, .piece_bytes_max = 16 * 1024}};
  auto client = TestClient{site.network.connect({{}, 80})};
  client.stream().pause_reading();
  std::size_t taken = 0;
  for (int round = 0; round < 400; ++round) {
    if (round % 6 == 0) client.send(get("/large"));
    site.world.advance(1ms);
    client.stream().resume_reading();
    site.world.advance(1ms);
    client.stream().pause_reading();
    taken += client.take().size();
    CHECK_LT(std::stoul(site.held()), 1024 * 1024);
  }
  CHECK_GT(taken, 3 * 1024 * 1024);
}

TEST_CASE("who says half a request behind a whole one and then no more still gets the answer to the whole one") {
  for (const auto* rest : {"", "\r", "GE", "POST /n HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nhalf"}) {
    CAPTURE(rest);
    Site site;
    auto client = TestClient{site.network.connect({{}, 80})};
    client.send(get("/slow") + rest);
    client.stream().shutdown_write();
    site.world.advance(2s);
    CHECK(client.take().ends_with("\r\n\r\nslow"));
    CHECK(client.is_closed());
    CHECK_EQ(site.connections(), 0);
  }
}

TEST_CASE("who has said no more while its WebSocket is being opened gets none") {
  for (const bool goes : {true, false}) {
    CAPTURE(goes);
    Site site;
    auto client = TestClient{site.network.connect({{}, 80})};
    client.send(handshake);
    if (goes) client.stream().shutdown_write();
    site.world.advance(2s);
    CHECK_EQ(site.attached, goes ? 0 : 1);
    CHECK_EQ(client.is_closed(), true);  // the link of the other is let go at once
    CHECK_EQ(site.connections(), 0);
  }
}

TEST_CASE("what waits behind requests that are served is bounded for all, and who has held it for the longest goes") {
  struct Row {
    std::string_view first;
    std::string_view answer;  // to that; none: the refusal itself
  };
  const std::string slow = get("/slow");
  for (const auto& [first, answer] : {Row{slow, "\r\n\r\nslow"}, Row{handshake, ""}}) {
    CAPTURE(first);
    Site site{{.buffer_bytes = 256 * 1024}, 100'000};
    const auto begin = [&](std::string_view at_hand) {
      auto client = std::make_unique<TestClient>(site.network.connect({{}, 80}));
      std::string all{at_hand};
      for (int i = 0; all.size() < 60'000; ++i) all += get(fmt::format("/n?{}.", i));
      client->send(all + get("/n?last"));
      site.world.advance(10ms);
      return client;
    };
    auto greedy = begin(first);
    auto honest = begin(slow);
    greedy->send(get("/n?more"));  // which nobody waits for any more
    site.world.advance(5s);
    const auto told = greedy->take();
    const auto refusal = told.find("HTTP/1.1 503 ");
    REQUIRE_NE(refusal, std::string::npos);
    CHECK(told.substr(0, refusal).ends_with(answer));
    CHECK_EQ(told.substr(0, refusal).empty(), answer.empty());
    CHECK_NE(told.find("Retry-After", refusal), std::string::npos);
    CHECK_EQ(told.find("HTTP/1.1", refusal + 1), std::string::npos);
    CHECK(greedy->is_closed());
    CHECK_EQ(site.attached, 0);
    CHECK(honest->take().ends_with("\r\n\r\nlast"));
    CHECK_FALSE(honest->is_closed());
  }
}

}  // namespace
}  // namespace troupe::web
