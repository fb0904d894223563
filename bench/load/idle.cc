// `idle`: connections that are subscribed and then silent but for the answers to pings, so that their memory can be
// seen.
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <deque>

#include "bench/load/websocket_client.h"
#include "bench/load/workload.h"

namespace troupe::bench {

void hold_idle(const Target& target, const LoadOptions& options) {
  constexpr std::size_t of_a_topic = 50;
  std::deque<WebSocketClient> clients;
  for (std::size_t i = 0; i < options.connections; ++i) {
    auto& client = clients.emplace_back(target.port, options.path);
    if (target.is_troupe()) client.wait_for("\"welcome\"");
    const auto subscribe = fmt::format(R"({{"type":"subscribe","topics":["bench.{}"]}})", i / of_a_topic);
    client.send(client_frame(Opcode::text, subscribe));
    client.wait_for("\"subscription_confirmed\"");
  }
  Poller poller;
  for (auto& client : clients) poller.add(client.fd(), EPOLLIN, &client);
  poller.add(STDIN_FILENO, EPOLLIN, nullptr);
  fmt::print("held\n");
  std::fflush(stdout);
  auto buffer = read_buffer();
  while (true) {
    for (const auto& event : poller.wait(-1)) {
      if (event.data.ptr == nullptr) return;
      static_cast<WebSocketClient*>(event.data.ptr)->read(buffer, [](std::string_view) {});  // pings are answered
    }
  }
}

}  // namespace troupe::bench
