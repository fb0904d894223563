// The WebSocket client of the load generator, on blocking sockets that are read when epoll says so.
#include "bench/load/websocket_client.h"

#include <sys/socket.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace troupe::bench {
namespace {

constexpr std::string_view upgrade_key = "dGhlIHNhbXBsZSBub25jZQ==";

[[noreturn]] void refuse(const char* what, std::string_view detail) {
  std::fprintf(stderr, "load: %s: %.*s\n", what, static_cast<int>(detail.size()), detail.data());
  std::exit(1);
}

}  // namespace

std::vector<char> read_buffer() { return std::vector<char>(1024 * 1024); }

WebSocketClient WebSocketClient::asking(std::uint16_t port, const std::string& path, std::string_view lines) {
  WebSocketClient client{connect_to_loopback(port)};
  std::string head = "GET " + path + " HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(port) +
                     "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                     "Sec-WebSocket-Key: ";
  head.append(upgrade_key).append("\r\n").append(lines).append("\r\n");
  write_all(client.socket_, head);
  return client;
}

WebSocketClient::WebSocketClient(std::uint16_t port, const std::string& path) : WebSocketClient(asking(port, path)) {
  finish_upgrade();
}

void WebSocketClient::finish_upgrade() {
  std::string answer;
  while (answer.find("\r\n\r\n") == std::string::npos) {
    char bytes[4096];
    const auto got = ::recv(socket_.fd(), bytes, sizeof bytes, 0);
    if (got <= 0) refuse("closed during the upgrade", answer);
    answer.append(bytes, static_cast<std::size_t>(got));
  }
  const auto head = answer.find("\r\n\r\n") + 4;
  if (!answer.starts_with("HTTP/1.1 101")) refuse("upgrade refused", answer);
  if (answer.find(accept_of(upgrade_key)) == std::string::npos) refuse("wrong Sec-WebSocket-Accept", answer);
  unread_ = answer.substr(head);
}

void WebSocketClient::wait_for(std::string_view part) {
  bool found = false;
  const OnMessage look = [&](std::string_view payload) {
    found = found || payload.find(part) != std::string_view::npos;
  };
  auto buffer = std::vector<char>(65536);
  unread_.erase(0, consume(unread_, look));
  while (!found) read(buffer, look);
}

void WebSocketClient::read(std::span<char> buffer, const OnMessage& on_message) {
  const auto kept = unread_.size();
  std::memcpy(buffer.data(), unread_.data(), kept);
  const auto got = ::recv(socket_.fd(), buffer.data() + kept, buffer.size() - kept, 0);
  if (got <= 0) refuse("the server closed a connection", unread_);
  const auto all = buffer.first(kept + static_cast<std::size_t>(got));
  const auto rest = all.subspan(consume(all, on_message));
  unread_.assign(rest.data(), rest.size());
}

std::size_t WebSocketClient::consume(std::span<char> bytes, const OnMessage& on_message) {
  std::size_t used = 0;
  while (const auto frame = read_frame(bytes.subspan(used))) {
    used += frame->size;
    const std::string_view payload{frame->payload.data(), frame->payload.size()};
    if (frame->opcode == Opcode::ping) {
      send(client_frame(Opcode::pong, payload));
    } else if (frame->opcode == Opcode::close) {
      refuse("the server sent a close frame", payload.substr(payload.size() < 2 ? 0 : 2));
    } else if (frame->opcode != Opcode::pong) {
      on_message(payload);
    }
  }
  return used;
}

}  // namespace troupe::bench
