// HTTP connections through the memory network: what a client sends and what it gets, and
// what happens to the slow, the silent, the wrong and the rude.
#include "troupe/web/http_connection.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "troupe/actor/sim/world.h"
#include "troupe/net/memory_network.h"
#include "troupe/web/http_server.h"
#include "troupe/web/testing/test_client.h"

namespace troupe::web {
namespace {

using namespace std::chrono_literals;
using testing::TestClient;

const net::Endpoint address = *net::Endpoint::parse("127.0.0.1:80");

struct Slow {
  using reply = std::string;
};

class SlowActor {
 public:
  actor::Task<std::string> handle(Slow, actor::Context& ctx) {
    co_await ctx.sleep(std::chrono::seconds{1});
    co_return "slow";
  }
};

void add_routes(Router& router, actor::Context& ctx) {
  auto slow = ctx.spawn<SlowActor>({});
  router.add(Method::get, "/hello",
             [](Request request) -> actor::Task<Response> { co_return text_response(200, "hello " + request.query); });
  router.add(Method::get, "/health",
             [](Request request) -> actor::Task<Response> {
               co_return text_response(200, request.during_drain ? "draining" : "well");
             },
             {.during_drain = DuringDrain::answered});
  router.add(Method::post, "/echo",
             [](Request request) -> actor::Task<Response> { co_return text_response(200, std::move(request.body)); },
             {.body_bytes_max = 1000});
  router.add(Method::post, "/length",
             [](Request request) -> actor::Task<Response> {
               co_return text_response(200, std::to_string(request.body.size()));
             },
             {.body_bytes_max = 1'000'000});
  router.add(Method::get, "/slow", [slow](Request) -> actor::Task<Response> {
    auto answer = co_await slow.ask(Slow{});
    co_return text_response(200, answer.value());
  });
  router.add(Method::get, "/large",
             [](Request) -> actor::Task<Response> { co_return text_response(200, std::string(600 * 1024, 'x')); });
  router.add(Method::get, "/throws", [](Request) -> actor::Task<Response> {
    throw std::runtime_error("boom");
    co_return Response{};
  });
  router.add(Method::get, "/splits", [](Request request) -> actor::Task<Response> {
    co_return Response{.headers = {{"X-Injected", "a\r\nSet-Cookie: " + request.query}}};
  });
}

/// A world with one server at `address`.
struct Site {
  explicit Site(HttpServerOptions options = {}, net::MemoryNetworkOptions network_options = {})
      : network(world.core(0), network_options) {
    options.listen = [this](actor::Core&) { return network.listen(address); };
    options.routes = add_routes;
    server = world.spawn<HttpServer>({}, options);
    world.run_until_idle();
  }

  // The server's listener must be gone before the network.
  ~Site() { world.shutdown(); }

  TestClient connect() { return TestClient{network.connect(address)}; }

  /// Sends `text` on a new connection and gives all that comes back at once.
  std::string exchange(std::string_view text) {
    auto client = connect();
    client.send(text);
    world.run_until_idle();
    return client.take();
  }

  actor::test::World world{7};
  net::MemoryNetwork network;
  actor::Ref<HttpServer> server;
};

std::string get(std::string_view target, std::string_view fields = "") {
  return fmt::format("GET {} HTTP/1.1\r\nHost: h\r\n{}\r\n", target, fields);
}

std::string status_line(std::string_view response) { return std::string{response.substr(0, response.find("\r\n"))}; }
std::string body(std::string_view response) { return std::string{response.substr(response.find("\r\n\r\n") + 4)}; }

TEST_CASE("a request gets its handler's answer, with length, date and safe headers") {
  Site site;
  auto response = site.exchange(get("/hello?you"));
  CHECK_EQ(status_line(response), "HTTP/1.1 200 OK");
  CHECK(response.contains("\r\nContent-Length: 9\r\n"));
  CHECK(response.contains("\r\nDate: "));
  CHECK(response.contains("\r\nX-Content-Type-Options: nosniff\r\n"));
  CHECK(response.contains("\r\nX-Request-Id: "));
  CHECK_FALSE(response.contains("Connection: close"));
  CHECK_EQ(body(response), "hello you");
}

TEST_CASE("where all comes through TLS browsers are told to keep to it") {
  Site plain, tls{{.http = {.secure = true}}};
  CHECK_FALSE(plain.exchange(get("/hello")).contains("Strict-Transport-Security"));
  CHECK(tls.exchange(get("/hello")).contains("\r\nStrict-Transport-Security: "));
}

TEST_CASE("a connection serves one request after the other") {
  Site site;
  auto client = site.connect();
  for (int i = 0; i < 3; ++i) {
    client.send(get("/hello?" + std::to_string(i)));
    site.world.run_until_idle();
    CHECK_EQ(body(client.take()), "hello " + std::to_string(i));
  }
  CHECK_FALSE(client.is_closed());
}

TEST_CASE("requests sent together are answered in their order, also behind a slow one") {
  Site site;
  auto client = site.connect();
  client.send(get("/slow") + get("/hello?2") + "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\n3");
  site.world.run_until_idle();
  CHECK_EQ(client.take(), "");
  site.world.advance(1s);
  auto responses = client.take();
  auto slow = responses.find("\r\n\r\nslow");
  auto hello = responses.find("\r\n\r\nhello 2");
  REQUIRE(slow != std::string::npos);
  REQUIRE(hello != std::string::npos);
  CHECK_LT(slow, hello);
  CHECK_EQ(body(responses.substr(hello + 10)), "3");
}

TEST_CASE("a request that arrives byte by byte is served all the same") {
  Site site{{}, {.piece_bytes_max = 1}};
  auto response =
      site.exchange("POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n");
  CHECK_EQ(body(response), "hi");
}

TEST_CASE("HEAD tells the length and sends no body") {
  Site site;
  auto response = site.exchange("HEAD /hello?you HTTP/1.1\r\nHost: h\r\n\r\n");
  CHECK(response.contains("\r\nContent-Length: 9\r\n"));
  CHECK_EQ(body(response), "");
}

TEST_CASE("what is wrong with a request is told by status, and the connection goes on where it can") {
  struct Row {
    std::string_view what;
    std::string request;
    int status;
    bool closes;
  };
  const Row rows[] = {
      {"an unknown path", get("/nowhere"), 404, false},
      {"another method", "DELETE /hello HTTP/1.1\r\nHost: h\r\n\r\n", 405, false},
      {"TRACE", "TRACE /hello HTTP/1.1\r\nHost: h\r\n\r\n", 405, false},
      {"OPTIONS", "OPTIONS /hello HTTP/1.1\r\nHost: h\r\n\r\n", 204, false},
      {"OPTIONS *", "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", 204, false},
      {"a handler that throws", get("/throws"), 500, false},
      {"a response that would split", get("/splits?x"), 500, false},
      {"an encoded slash", get("/a%2fb"), 400, true},
      {"no Host", "GET /hello HTTP/1.1\r\n\r\n", 400, true},
      {"both lengths", "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400,
       true},
      {"garbage", "\x16\x03\x01\x02\n", 400, true},
      {"HTTP/2", "PRI * HTTP/2.0\r\n\r\n", 505, true},
      {"a body over the path's limit", "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 1001\r\n\r\n", 413, true},
      {"chunks over the path's limit", "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n",
       413, true},
      {"Connection: close", get("/hello", "Connection: close\r\n"), 200, true},
      {"HTTP/1.0", "GET /hello HTTP/1.0\r\n\r\n", 200, true},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    Site site;
    auto client = site.connect();
    client.send(row.request);
    site.world.run_until_idle();
    auto response = client.take();
    CHECK(status_line(response).starts_with("HTTP/1.1 " + std::to_string(row.status)));
    CHECK_EQ(client.is_closed(), row.closes);
    CHECK_EQ(response.contains("Connection: close"), row.closes);
    CHECK_FALSE(response.contains("Set-Cookie"));
    if (row.closes) continue;
    client.send(get("/hello?again"));
    site.world.run_until_idle();
    CHECK_EQ(body(client.take()), "hello again");
  }
}

TEST_CASE("a client of HTTP/1.0 that wants its connection to go on is told that it does") {
  Site site;
  const auto ask = [&](std::string_view version, std::string_view option) {
    return site.exchange(fmt::format("GET /hello HTTP/{}\r\nHost: h\r\n{}\r\n", version, option));
  };
  CHECK(ask("1.0", "Connection: keep-alive\r\n").contains("\r\nConnection: keep-alive\r\n"));
  CHECK_FALSE(ask("1.0", "").contains("keep-alive"));
  CHECK_FALSE(ask("1.1", "Connection: keep-alive\r\n").contains("keep-alive"));
}

TEST_CASE("a client that waits for permission gets it, or the refusal at once") {
  Site site;
  auto client = site.connect();
  client.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  site.world.run_until_idle();
  CHECK_EQ(client.take(), "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("ok");
  site.world.run_until_idle();
  CHECK_EQ(body(client.take()), "ok");

  const std::string rest = "Content-Length: 2000\r\nExpect: 100-continue\r\n\r\n";
  CHECK(site.exchange("POST /echo HTTP/1.1\r\nHost: h\r\n" + rest).starts_with("HTTP/1.1 413"));
  CHECK(site.exchange("POST /nowhere HTTP/1.1\r\nHost: h\r\n" + rest).starts_with("HTTP/1.1 404"));
}

TEST_CASE("a head that drips is cut off in its time, and a silent connection in its own") {
  Site site;
  auto dripping = site.connect();
  auto silent = site.connect();
  for (int second = 0; second < 4; ++second) {
    dripping.send(second == 0 ? "GET / HTTP/1.1\r\n" : "X: y\r\n");
    site.world.advance(1s);
  }
  CHECK_FALSE(dripping.is_closed());
  site.world.advance(2s);
  CHECK(dripping.take().starts_with("HTTP/1.1 408"));
  CHECK(dripping.is_closed());
  CHECK_FALSE(silent.is_closed());
  site.world.advance(70s);
  CHECK(silent.is_closed());
  CHECK_EQ(silent.take(), "");
}

TEST_CASE("a body that does not come is cut off") {
  Site site;
  auto client = site.connect();
  client.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab");
  site.world.advance(29s);
  CHECK_FALSE(client.is_closed());
  site.world.advance(2s);
  CHECK(client.take().starts_with("HTTP/1.1 408"));
}

TEST_CASE("whoever holds half a body is told to come back when others need the room") {
  HttpServerOptions options;
  options.http.receiving_bytes_max = 100'000;
  Site site{options};
  const std::string head = "POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: 80000\r\n\r\n";
  auto stuck = site.connect(), honest = site.connect();
  stuck.send(head + std::string(70'000, 'x'));
  site.world.run_until_idle();
  honest.send(head + std::string(70'000, 'x'));
  site.world.run_until_idle();
  CHECK(stuck.take().starts_with("HTTP/1.1 503 "));
  for (int i = 0; i < 3; ++i) {
    honest.send(std::string(10'000, 'x'));
    site.world.run_until_idle();
    CHECK(honest.take().ends_with("\r\n\r\n80000"));
    honest.send(head + std::string(70'000, 'x'));
    site.world.run_until_idle();
  }
  auto other = site.connect();
  other.send(head + std::string(20'000, 'x'));
  site.world.run_until_idle();
  honest.send(std::string(9'999 + 5'000, 'x'));  // it has held for the longest, and passes the bound itself
  site.world.run_until_idle();
}

TEST_CASE("a client that sends its last request and closes its side still gets the answer") {
  Site site;
  auto client = site.connect();
  client.send(get("/slow"));
  client.stream().shutdown_write();
  site.world.run_until_idle();
  CHECK_FALSE(client.is_closed());
  site.world.advance(1s);
  CHECK_EQ(body(client.take()), "slow");
  CHECK(client.is_closed());
}

TEST_CASE("a large answer comes whole through a narrow network, and a client that does not read is given up") {
  Site site{{}, {.buffer_bytes = 1000}};
  auto response = site.exchange(get("/large"));
  CHECK_EQ(body(response).size(), 600 * 1024);

  auto lazy = site.connect();
  lazy.stream().pause_reading();
  lazy.send(get("/large"));
  site.world.run_until_idle();
  auto connections = [&] { return site.world.block_on(site.server.ask(GetConnections{})).value(); };
  CHECK_EQ(connections(), 1);
  site.world.advance(31s);
  CHECK_EQ(connections(), 0);
}

/// A client that takes what has arrived only when it is told to: one piece of the network's size each time.
struct Sipping final : net::StreamEvents {
  explicit Sipping(std::unique_ptr<net::Stream> its_stream) : stream(std::move(its_stream)) {
    stream->pause_reading();
    stream->start(*this);
  }
  void ask(std::string_view text) {
    iovec part{const_cast<char*>(text.data()), text.size()};
    CHECK_EQ(stream->write_some({&part, 1}), text.size());
  }
  void on_bytes(std::span<char> bytes) override {
    taken += bytes.size();
    stream->pause_reading();
  }
  void on_writable() override {}
  void on_closed(net::CloseReason) override {}

  std::unique_ptr<net::Stream> stream;
  std::size_t taken = 0;
};

TEST_CASE("a client that takes a byte now and then is given up as if it took none, whether or not more may follow") {
  for (std::string_view fields : {"", "Connection: close\r\n"}) {
    CAPTURE(fields);
    Site site{{}, {.buffer_bytes = 1000, .piece_bytes_max = 1}};
    Sipping client{site.network.connect(address)};
    client.ask(get("/large", fields));
    site.world.run_until_idle();
    auto connections = [&] { return site.world.block_on(site.server.ask(GetConnections{})).value(); };
    for (int second = 1; second <= 32; ++second) {
      client.stream->resume_reading();
      site.world.advance(1s);
      if (second == 29) CHECK_EQ(connections(), 1);
    }
    CHECK_EQ(client.taken, 32);
    CHECK_EQ(connections(), 0);
  }
}

TEST_CASE("a client that takes a large answer slowly but steadily gets all of it, and is silent only from then on") {
  for (bool goes_on : {false, true}) {
    CAPTURE(goes_on);
    Site site{{}, {.buffer_bytes = 1000, .piece_bytes_max = 1000}};
    Sipping client{site.network.connect(address)};
    client.ask(get("/large", goes_on ? "" : "Connection: close\r\n"));
    site.world.run_until_idle();
    auto connections = [&] { return site.world.block_on(site.server.ask(GetConnections{})).value(); };
    for (int second = 0; second < 640; ++second) {
      client.stream->resume_reading();
      site.world.advance(1s);
      if (second == 600) CHECK_EQ(connections(), 1);
    }
    CHECK_GT(client.taken, 600 * 1024);
    CHECK_EQ(connections(), goes_on ? 1 : 0);
    site.world.advance(75s);
    CHECK_EQ(connections(), 0);
  }
}

TEST_CASE("a client that vanishes while a handler works harms nobody") {
  Site site;
  auto client = site.connect();
  client.send(get("/slow"));
  site.world.run_until_idle();
  client.vanish();
  site.world.advance(2s);
  CHECK_EQ(site.world.block_on(site.server.ask(GetConnections{})).value(), 0);
  CHECK_EQ(body(site.exchange(get("/hello?x"))), "hello x");
}

TEST_CASE("more connections than the limit wait until one ends") {
  Site site{{.connections_max = 1}};
  auto first = site.connect();
  site.world.run_until_idle();
  auto second = site.connect();
  second.send(get("/hello?2"));
  site.world.run_until_idle();
  CHECK_EQ(second.take(), "");
  first.vanish();
  site.world.run_until_idle();
  CHECK_EQ(body(second.take()), "hello 2");
}

TEST_CASE("an address that has as many connections as it may is refused a further one, and another one is not") {
  base::Metrics metrics;
  const auto proxies = *net::Network::parse("10.0.0.0/8");
  Site site{{.guard = {.trusted_proxies = {proxies}}, .metrics = &metrics, .connections_by_address_max = 2}};
  std::vector<std::unique_ptr<TestClient>> clients;
  auto is_taken = [&](std::string_view from) {
    clients.push_back(std::make_unique<TestClient>(site.network.connect(address, *net::IpAddress::parse(from))));
    site.world.run_until_idle();
    return !clients.back()->is_closed();
  };
  CHECK(is_taken("2001:db8::1"));
  CHECK(is_taken("2001:db8::2"));
  CHECK_FALSE(is_taken("2001:db8::3"));  // one network of 64 bits
  CHECK(is_taken("2001:db8:0:1::1"));
  for (int i = 0; i < 5; ++i) CHECK(is_taken("10.0.0.1"));  // many people come from a proxy
  CHECK_EQ(metrics
               .counter("troupe_http_connections_refused_total",
                        "Connections closed at once, for their address had as many as it may.")
               .value(),
           1);
  clients.front()->vanish();
  site.world.run_until_idle();
  CHECK(is_taken("2001:db8::3"));
  CHECK_FALSE(is_taken("2001:db8::4"));
}

TEST_CASE("an address that asks too often gets 429 and keeps its connection") {
  Site site{{.guard = {.requests_by_address = {.per_second = 1, .burst = 1}}}};
  auto client = site.connect();
  client.send(get("/hello?1") + get("/hello?2"));
  site.world.run_until_idle();
  auto responses = client.take();
  CHECK(responses.starts_with("HTTP/1.1 200"));
  CHECK(responses.contains("HTTP/1.1 429 Too Many Requests\r\n"));
  CHECK(responses.contains("\r\nRetry-After: 1\r\n"));
  CHECK_FALSE(client.is_closed());
}

TEST_CASE("a drain closes what is idle and lets what is at hand be answered") {
  Site site;
  auto idle = site.connect();
  auto busy = site.connect();
  auto sending = site.connect();
  busy.send(get("/slow"));
  sending.send("GET /hello?late HTTP/1.1\r\n");  // has begun
  site.world.run_until_idle();
  site.server.tell(Drain{});
  site.world.run_until_idle();
  CHECK(idle.is_closed());
  sending.send("Host: h\r\n\r\n");
  site.world.advance(1s);
  for (const auto& response : {busy.take(), sending.take()}) {
    CHECK(response.starts_with("HTTP/1.1 200 OK\r\n"));
    CHECK(response.contains("Connection: close"));
  }
  CHECK(busy.is_closed());
  CHECK(sending.is_closed());
}

TEST_CASE("while it drains, a newcomer is answered where the route says so, and told to go elsewhere where not") {
  Site site;
  site.server.tell(Drain{});
  site.world.run_until_idle();
  struct Row {
    std::string_view path, status;
  };
  constexpr Row rows[] = {
      {"/health", "HTTP/1.1 200 OK\r\n"},
      {"/hello", "HTTP/1.1 503 Service Unavailable\r\n"},
      {"/nowhere", "HTTP/1.1 503 Service Unavailable\r\n"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.path);
    auto client = site.connect();
    client.send(get(row.path) + get(row.path));
    site.world.run_until_idle();
    auto response = client.take();
    CHECK(response.starts_with(row.status));
    CHECK(response.contains("Connection: close"));
    CHECK_EQ(response.contains("\r\nRetry-After: 1\r\n"), row.path != "/health");
    CHECK_EQ(response.find("HTTP/1.1", 1), std::string::npos);  // one answer, then it is over
    CHECK(client.is_closed());
  }
}

TEST_CASE("closing stops listening, sends silent newcomers away, and waits for what is at hand as long as it may") {
  Site site;
  auto busy = site.connect();
  busy.send(get("/slow"));
  site.world.run_until_idle();
  site.server.tell(Drain{});
  site.world.run_until_idle();
  auto silent = site.connect();
  site.world.run_until_idle();
  CHECK_EQ(site.world.block_on(site.server.ask(Close{.within = 500ms})).value(), 1);
  CHECK(silent.is_closed());
  CHECK_EQ(site.network.connect(address), nullptr);
  CHECK_EQ(site.world.block_on(site.server.ask(Close{.within = 10s})).value(), 0);
  CHECK_EQ(body(busy.take()), "slow");
}

}  // namespace
}  // namespace troupe::web
