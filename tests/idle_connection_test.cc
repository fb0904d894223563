// What an idle connection takes from the heap, of whatever room: its socket, its WebSocket, its actor, its anonymous
// user and one subscription. The clients are bare sockets of this process, which take nothing from the heap.
#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <malloc.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "troupe/net/descriptor.h"
#include "troupe/net/listener.h"
#include "troupe/realtime/service/service.h"
#include "troupe/web/http_server.h"
#include "troupe/wire/websocket.h"

using namespace troupe;

namespace {

/// Nobody here shows a token.
class NoTokens {
 public:
  std::expected<realtime::Identity, realtime::TokenRefusal> handle(const realtime::VerifyToken&) {
    return std::unexpected(realtime::TokenRefusal::invalid);
  }
};

/// A client that is subscribed, and silent from then on.
net::Descriptor subscribed(std::uint16_t port, std::string_view topic) {
  net::Descriptor client{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  sockaddr_in server{.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
  REQUIRE_EQ(::connect(client.get(), reinterpret_cast<sockaddr*>(&server), sizeof server), 0);
  auto say = [&](std::string_view text) {
    REQUIRE_EQ(::send(client.get(), text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
  };
  auto await = [&](std::string_view wanted) {
    std::string heard;
    std::array<char, 4096> buffer;
    while (!heard.contains(wanted)) {
      const auto count = ::recv(client.get(), buffer.data(), buffer.size(), 0);
      REQUIRE_GT(count, 0);
      heard.append(buffer.data(), static_cast<std::size_t>(count));
    }
  };
  say("GET /ws HTTP/1.1\r\nHost: test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
  await("\"welcome\"");
  const auto command = fmt::format(R"({{"type":"subscribe","topics":["{}"]}})", topic);
  say(wire::encode_masked_frame(wire::Opcode::text, command, {}));
  await("\"subscription_confirmed\"");
  return client;
}

void allow_descriptors(rlim_t count) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = std::max(limit.rlim_cur, std::min(count, limit.rlim_max));
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

TEST_CASE("an idle connection with its actor, its user and one subscription takes less than 1.6 kB") {
  constexpr std::size_t before_count = 100;  // so that what the first ones cost is not counted
  constexpr std::size_t count = 1000;
  constexpr std::size_t of_a_topic = 50;
  allow_descriptors(2 * (before_count + count) + 100);

  realtime::NamespaceOptions defaults{.anonymous_grants = {*realtime::Grant::parse("topic:>:subscribe")}};
  realtime::RealtimeOptions options;
  options.connections_by_address_max = before_count + count;
  options.settings = std::make_shared<const realtime::RealtimeSettings>(
      defaults, realtime::RealtimeSettings::Namespaces{}, realtime::Anonymous::allowed);
  std::vector<net::Descriptor> clients;
  clients.reserve(before_count + count);
  actor::System system{{.cores = 1}};
  auto service = realtime::Realtime::start(system, options, system.spawn<NoTokens>({}));
  web::HttpServerOptions http;
  http.guard.requests_by_address = {.per_second = 1e6, .burst = 1e6};
  http.listen = [](actor::Core& core) { return net::listen_tcp(core, {*net::IpAddress::parse("127.0.0.1"), 0}); };
  http.routes = [service](web::Router& router, actor::Context&) { service.routes(router, 0); };
  auto server = system.spawn<web::HttpServer>({}, http);
  const auto port = system.block_on(server.ask(web::GetAddress{}))->port;

  auto connect = [&](std::size_t wanted) {
    for (std::size_t i = 0; i < wanted; ++i) {
      clients.push_back(subscribed(port, fmt::format("idle.{}", clients.size() / of_a_topic)));
    }
    return ::mallinfo2().uordblks;
  };
  const auto before = connect(before_count);
  const auto each = (connect(count) - before) / count;
  MESSAGE(each << " bytes");
  CHECK_LT(each, 1600);
  system.shutdown();
}
