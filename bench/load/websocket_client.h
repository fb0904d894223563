// WebSocketClient: one connection of the load generator. It answers pings and hands over
// text and binary messages; whatever else arrives ends the bench with a sentence.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bench/support/frame.h"
#include "bench/support/socket.h"

namespace troupe::bench {

using OnMessage = std::function<void(std::string_view payload)>;

class WebSocketClient {
 public:
  /// Connects and asks for the upgrade, with further lines of the head if there are any, each with its end.
  static WebSocketClient asking(std::uint16_t port, const std::string& path, std::string_view lines = {});
  /// Connects and upgrades, blocking.
  WebSocketClient(std::uint16_t port, const std::string& path);

  /// Waits until the upgrade is answered.
  void finish_upgrade();

  /// Sends a finished client frame.
  void send(std::string_view frame) { write_all(socket_, frame); }
  /// Waits for the first message that contains `part`; messages before it are dropped.
  void wait_for(std::string_view part);
  /// Reads once and gives every whole message to `on_message`. Never waits for more once something came.
  void read(std::span<char> buffer, const OnMessage& on_message);
  int fd() const noexcept { return socket_.fd(); }
  /// Ends the connection without a word, so that its port is free at once.
  void vanish() { reset(std::move(socket_)); }

 private:
  explicit WebSocketClient(Socket socket) : socket_(std::move(socket)) {}
  std::size_t consume(std::span<char> bytes, const OnMessage& on_message);

  Socket socket_;
  std::string unread_;
};

/// The buffer that all connections of a workload read into.
std::vector<char> read_buffer();

}  // namespace troupe::bench
