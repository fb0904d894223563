// RealtimeWorld: the whole real-time service in a simulated world: two cores or one, HTTP servers on
// memory networks, and a verifier that reads identities out of the tokens themselves.
//
// A token is "user,scope,scope": its user, its scopes, and its own text as its id. Tokens
// that begin with "bad" are invalid. What happens is a function of the seed; the network's
// faults are drawn from it too. Where a namespace keeps its history on the disk, that is the world's; after a crash()
// the service begins anew on it.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "troupe/actor/sim/world.h"
#include "troupe/net/memory_network.h"
#include "troupe/realtime/service/service.h"
#include "troupe/realtime/testing/test_socket.h"
#include "troupe/web/http_server.h"
#include "troupe/web/testing/test_client.h"

namespace troupe::realtime::testing {

using Socket = std::unique_ptr<TestSocket>;
using Frames = std::vector<std::string>;

/// Answers VerifyToken from the text of the token, which it shows to `look` before.
class TokenReader {
 public:
  explicit TokenReader(std::function<void(std::string_view)> look = [](std::string_view) {}) : look_(std::move(look)) {}

  std::expected<Identity, TokenRefusal> handle(const VerifyToken& message) {
    const auto& token = message.token.expose();
    look_(token);
    if (token.starts_with("bad")) return std::unexpected(TokenRefusal::invalid);
    if (token.starts_with("later")) return std::unexpected(TokenRefusal::unavailable);
    Identity identity{{}, {}, TokenId{token}, {}};
    std::string_view rest = token;
    bool first = true;
    while (!rest.empty()) {
      auto comma = std::min(rest.find(','), rest.size());
      auto part = rest.substr(0, comma);
      rest.remove_prefix(std::min(comma + 1, rest.size()));
      if (std::exchange(first, false)) {
        identity.user = UserId{std::string{part}};
      } else if (part.starts_with("expires=")) {
        identity.expires_at = base::UnixTime{std::stoll(std::string{part.substr(8)})};
      } else {
        identity.scopes.emplace_back(part);
      }
    }
    return identity;
  }

 private:
  std::function<void(std::string_view)> look_;
};

/// A token that may do everything.
inline std::string token_of_user(std::string_view user) {
  return std::string{user} + ",topic:>:subscribe,topic:>:publish,topic:$user.*:publish";
}

struct RealtimeWorld {
  explicit RealtimeWorld(RealtimeOptions options = {}, actor::test::Seed seed = 1,
                         net::MemoryNetworkOptions network = {}, actor::test::Faults faults = {}, std::size_t cores = 2,
                         base::Duration cost_per_message = {})
      : world(seed, {.cores = static_cast<int>(cores), .cost_per_message = cost_per_message, .faults = faults}),
        options_(std::move(options)),
        network_(network) {
    network_.faults.random = &world.random();
    begin();
  }
  ~RealtimeWorld() { world.shutdown(); }

  /// The power fails, and the service begins anew. There may be no socket of the old one any more. The disk goes first:
  /// nothing that the old service does at its end is on it.
  void crash() {
    world.disk().crash();
    world.shutdown();
    realtime.reset();
    world.crash();
    networks.clear();
    begin();
  }

  /// A socket of `user`, open and welcomed, on core 0 or 1.
  Socket connect(std::string_view user, std::size_t core = 0) { return connect_token(token_of_user(user), core); }
  Socket connect_token(std::string_view token, std::size_t core = 0) {
    auto socket = ask_for("/ws", fmt::format("Authorization: Bearer {}\r\n", token), core);
    socket->take();
    return socket;
  }
  /// Any handshake, answered.
  Socket ask_for(std::string_view target, std::string_view headers, std::size_t core = 0) {
    auto socket = std::make_unique<TestSocket>(networks[core]->connect({{}, 80}), target, headers);
    world.run_until_idle();
    return socket;
  }
  /// Says something and gives what came back.
  Frames exchange(Socket& socket, std::string_view json) {
    socket->say(json);
    world.run_until_idle();
    return socket->take();
  }

  std::function<void(std::string_view token)> verifying = [](std::string_view) {};  // called for each token
  actor::test::World world;
  std::vector<std::unique_ptr<net::MemoryNetwork>> networks;
  std::optional<Realtime> realtime;

 private:
  void begin() {
    const auto& namespaces = options_.settings->namespaces();
    auto lasts = [](const NamespaceOptions& options) { return options.durability == Durability::disk; };
    if (lasts(options_.settings->defaults()) ||
        std::ranges::any_of(namespaces, [&](const auto& entry) { return lasts(entry.second); }))
      world.start_journal();
    auto verifier = world.spawn<TokenReader>(
        {.name = "tokens"},
        std::function<void(std::string_view)>{[this](std::string_view token) { verifying(token); }});
    realtime = Realtime::start(world.system(), options_, verifier);
    for (int core = 0; core < static_cast<int>(world.system().core_count()); ++core) {
      networks.push_back(std::make_unique<net::MemoryNetwork>(world.core(static_cast<std::size_t>(core)), network_));
      web::HttpServerOptions http;
      http.listen = [net = networks.back().get()](actor::Core&) { return net->listen({{}, 80}); };
      http.routes = [service = *realtime, core](web::Router& router, actor::Context&) { service.routes(router, core); };
      world.spawn<web::HttpServer>({.core = core}, http);
    }
    world.run_until_idle();
  }

  RealtimeOptions options_;
  net::MemoryNetworkOptions network_;
};

/// Connects `count` clients on one core, users of their own; a hundred handshakes at a time.
inline void connect_many(RealtimeWorld& world, std::vector<Socket>& sockets, std::size_t count, std::size_t core) {
  for (std::size_t i = 0; i < count; ++i) {
    const auto token = fmt::format("Authorization: Bearer {}\r\n", token_of_user(fmt::format("u{}-{}", core, i)));
    sockets.push_back(std::make_unique<TestSocket>(world.networks[core]->connect({{}, 80}), "/ws", token));
    if (i % 100 == 99) world.world.advance(std::chrono::seconds{1});  // an address may ask only so often
  }
  world.world.run_until_idle();
}

/// What an HTTP request was answered.
struct HttpAnswer {
  int status = 0;
  std::string head;
  std::string body;
};

/// Asks `world` for `target`, with the token in the header unless it is empty. `headers`: whole lines.
inline HttpAnswer ask_http(RealtimeWorld& world, std::string_view method, std::string_view target,
                           std::string_view token, std::string_view body = {}, std::string_view headers = {},
                           std::size_t core = 0) {
  web::testing::TestClient client{world.networks[core]->connect({{}, 80})};
  auto authorization = token.empty() ? std::string{} : fmt::format("Authorization: Bearer {}\r\n", token);
  client.send(fmt::format("{} {} HTTP/1.1\r\nHost: test\r\nContent-Length: {}\r\n{}{}\r\n{}", method, target,
                          body.size(), authorization, headers, body));
  world.world.run_until_idle();
  auto text = client.take();
  auto end = text.find("\r\n\r\n");
  if (end == std::string::npos) return {};
  return {std::stoi(text.substr(9, 3)), text.substr(0, end), text.substr(end + 4)};
}

/// The value of a field in a frame's text, as JSON text: `field(frame, "offset")` is "3". Empty when it is not there.
inline std::string field(std::string_view frame, std::string_view name) {
  auto key = fmt::format("\"{}\":", name);
  auto at = frame.find(key);
  if (at == std::string_view::npos) return {};
  auto rest = frame.substr(at + key.size());
  if (rest.starts_with('"')) return std::string{rest.substr(1, rest.find('"', 1) - 1)};
  return std::string{rest.substr(0, rest.find_first_of(",}"))};
}

/// A topic that begins with `prefix` and whose home is this core.
inline std::string topic_at(std::size_t core, std::string_view prefix = {}) {
  std::string name = std::string{prefix} + "t";
  while (home_of(name, 2) != core) name += 't';
  return name;
}

/// The types of frames, in order: "ack message".
inline std::string types(const Frames& frames) {
  std::string text;
  for (const auto& frame : frames) text += (text.empty() ? "" : " ") + field(frame, "type");
  return text;
}

}  // namespace troupe::realtime::testing
