// The server on real sockets and two cores: HTTP is served, WebSockets echo, and many
// clients at once get their own answers.
#include "troupe/web/http_server.h"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>

#include "troupe/actor/sim/world.h"
#include "troupe/base/log.h"
#include "troupe/net/descriptor.h"
#include "troupe/net/socket_address.h"
#include "troupe/web/handshake.h"
#include "troupe/web/testing/echo.h"

namespace troupe::web {
namespace {

using namespace std::chrono_literals;

using net::Descriptor;

/// A client that blocks, on a socket of its own.
class BlockingClient {
 public:
  explicit BlockingClient(const net::Endpoint& to) {
    auto address = net::SocketAddress::of(to);
    socket_ = Descriptor{::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0)};
    REQUIRE_EQ(::connect(socket_.get(), address.get(), address.size()), 0);
  }

  void send(std::string_view text) {
    while (!text.empty()) {
      ssize_t sent = ::send(socket_.get(), text.data(), text.size(), MSG_NOSIGNAL);
      REQUIRE_GT(sent, 0);
      text.remove_prefix(static_cast<std::size_t>(sent));
    }
  }

  /// Reads until `enough` says so, the server closes, or five seconds pass without a byte.
  template <class Enough>
  std::string receive(Enough enough) {
    std::string received;
    std::array<char, 65536> buffer;
    while (!enough(received)) {
      pollfd waiting{socket_.get(), POLLIN, 0};
      REQUIRE_EQ(::poll(&waiting, 1, 5000), 1);
      ssize_t count = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
      if (count <= 0) break;
      received.append(buffer.data(), static_cast<std::size_t>(count));
    }
    return received;
  }

  std::string receive_until(std::string_view end) {
    return receive([end](const std::string& received) { return received.ends_with(end); });
  }

 private:
  Descriptor socket_;
};

HttpServerOptions options(const net::Endpoint& where) {
  HttpServerOptions options;
  options.listen = [where](actor::Core& core) { return net::listen_tcp(core, where); };
  options.guard.requests_by_address = {.per_second = 1e6, .burst = 1e6};
  options.routes = [](Router& router, actor::Context&) {
    router.add(Method::post, "/echo",
               [](Request request) -> actor::Task<Response> { co_return text_response(200, std::move(request.body)); });
    router.upgrade("/ws", [](Request) -> actor::Task<Upgrade> {
      co_return Accept{.attach = [](std::unique_ptr<WebSocketLink> link) {
        testing::EchoSocket::attach(std::move(link), {.message_bytes_max = 16 << 20});
      }};
    });
  };
  return options;
}

/// Two cores that listen at one address.
struct Servers {
  Servers() {
    auto first = system.spawn<HttpServer>({.core = 0}, options(*net::Endpoint::parse("127.0.0.1:0")));
    address = system.block_on(first.ask(GetAddress{})).value();
    auto second = system.spawn<HttpServer>({.core = 1}, options(address));
    CHECK_EQ(system.block_on(second.ask(GetAddress{})).value(), address);
  }
  ~Servers() { system.shutdown(); }

  actor::System system{{.cores = 2}};
  net::Endpoint address;
};

std::string post(std::string_view body) {
  return fmt::format("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\n\r\n{}", body.size(), body);
}

constexpr std::string_view upgrade_request =
    "GET /ws HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

std::string masked(Opcode opcode, std::string_view payload) {
  return wire::encode_masked_frame(opcode, payload, {5, 6, 7, 8});
}

/// A listener whose process has no descriptors left for as long as it is empty.
class EmptyListener final : public net::Listener {
 public:
  explicit EmptyListener(actor::Core& core) : core_(core) {}
  void start(net::ListenerEvents& events) override {
    events_ = &events;
    resume();
  }
  void pause() override {}
  void resume() override {
    core_.post([this](actor::Core&) {
      if (is_empty) events_->on_exhausted();
    });
  }
  const net::Endpoint& address() const override { return address_; }

  bool is_empty = true;

 private:
  actor::Core& core_;
  net::ListenerEvents* events_ = nullptr;
  net::Endpoint address_ = *net::Endpoint::parse("127.0.0.1:80");
};

TEST_CASE("that no descriptors are left is told when it begins, once a minute, and when it is over") {
  actor::test::World world{1};
  EmptyListener* listener = nullptr;
  HttpServerOptions options;
  options.listen = [&](actor::Core& core) {
    auto made = std::make_unique<EmptyListener>(core);
    listener = made.get();
    return made;
  };
  options.routes = [](Router&, actor::Context&) {};
  base::log::Capture log;
  (void)world.spawn<HttpServer>({}, options);
  const auto count = [&](std::string_view text) {
    return std::ranges::count_if(log.lines(), [&](const std::string& line) { return line.contains(text); });
  };
  world.advance(50s);
  CHECK_EQ(count("no descriptors are left"), 1);
  world.advance(50s);
  CHECK_EQ(count("no descriptors are left"), 2);
  CHECK_EQ(count("accepting goes on"), 0);
  listener->is_empty = false;
  world.advance(5s);
  CHECK_EQ(count("no descriptors are left"), 2);
  CHECK_EQ(count("accepting goes on"), 1);
  world.shutdown();
}

TEST_CASE("many clients on real sockets get their own answers, one after the other") {
  Servers servers;
  std::vector<std::unique_ptr<BlockingClient>> clients;
  for (int i = 0; i < 20; ++i) clients.push_back(std::make_unique<BlockingClient>(servers.address));
  for (int round = 0; round < 3; ++round) {
    for (std::size_t i = 0; i < clients.size(); ++i)
      clients[i]->send(post(fmt::format("client {} round {}.", i, round)));
    for (std::size_t i = 0; i < clients.size(); ++i) {
      auto body = fmt::format("client {} round {}.", i, round);
      CHECK(clients[i]->receive_until("\r\n\r\n" + body).starts_with("HTTP/1.1 200 OK\r\n"));
    }
  }
}

TEST_CASE("requests in one packet are answered in order on a real socket") {
  Servers servers;
  BlockingClient client{servers.address};
  std::string requests;
  for (int i = 0; i < 100; ++i) requests += post(fmt::format("number {}.", i));
  client.send(requests);
  auto responses = client.receive_until("number 99.");
  std::size_t at = 0;
  for (int i = 0; i < 100; ++i) {
    at = responses.find(fmt::format("number {}.", i), at);
    REQUIRE(at != std::string::npos);
  }
}

TEST_CASE("a WebSocket echoes text, and binary of many megabytes, and closes cleanly") {
  Servers servers;
  BlockingClient client{servers.address};
  // The first message comes in the same packet as the handshake.
  client.send(std::string{upgrade_request} + masked(Opcode::text, "hello"));
  auto hello = wire::encode_frame(Opcode::text, "hello");
  auto opened = client.receive_until(hello);
  CHECK(opened.starts_with("HTTP/1.1 101 Switching Protocols\r\n"));
  CHECK(opened.contains("\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));

  std::string large(8 << 20, 'x');
  client.send(masked(Opcode::binary, large));
  auto expected = wire::encode_frame(Opcode::binary, large);
  CHECK(client.receive([&](const auto& received) { return received.size() >= expected.size(); }) == expected);

  client.send(masked(Opcode::close, wire::close_payload(1000, "done")));
  CHECK_EQ(client.receive([](const auto&) { return false; }), wire::encode_frame(Opcode::close, "\x03\xe8"));
}

TEST_CASE("a plain GET of a WebSocket's path is told what to do") {
  Servers servers;
  BlockingClient client{servers.address};
  client.send("GET /ws HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  auto response = client.receive([](const auto&) { return false; });
  CHECK(response.starts_with("HTTP/1.1 426 Upgrade Required\r\n"));
  CHECK(response.contains("\r\nSec-WebSocket-Version: 13\r\n"));
}

TEST_CASE("an address that is in use is refused with a sentence") {
  actor::System system{{.cores = 1}};
  Descriptor taken{::socket(AF_INET, SOCK_STREAM, 0)};
  auto address = net::SocketAddress::of(*net::Endpoint::parse("127.0.0.1:0"));
  REQUIRE_EQ(::bind(taken.get(), address.get(), address.size()), 0);
  REQUIRE_EQ(::listen(taken.get(), 1), 0);
  REQUIRE_EQ(::getsockname(taken.get(), address.get(), address.size_pointer()), 0);
  auto server = system.spawn<HttpServer>({.restart = actor::Restart::temporary}, options(address.endpoint()));
  CHECK_FALSE(system.block_on(server.ask(GetAddress{})).has_value());
  system.shutdown();
}

}  // namespace
}  // namespace troupe::web
