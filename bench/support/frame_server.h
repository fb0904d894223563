// The least a WebSocket server can be: one thread, one epoll set, one read buffer for
// all connections. A connection owns bytes only for a partial frame or while its socket
// is full. floor/echo and floor/fanout say what happens with a frame.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bench/support/frame.h"
#include "bench/support/socket.h"

namespace troupe::bench {

struct Connection {
  Socket socket;
  std::unique_ptr<std::string> unread;  // a partial frame, or the request before the upgrade
  std::unique_ptr<std::string> unsent;  // what a full socket did not take
  bool upgraded = false;
};

class FrameServer {
 public:
  FrameServer();
  virtual ~FrameServer() = default;
  /// Prints the port and serves until the process is ended.
  [[noreturn]] void run();

 protected:
  /// A whole frame; the ten bytes before its payload may be overwritten if `frame.size` left room for them.
  virtual void on_frame(Connection& from, Frame frame) = 0;
  /// All events of one wait have been handled.
  virtual void on_turn_end() {}
  virtual void on_closed(Connection&) {}

  /// Writes now what the socket takes, keeps the rest until it takes more.
  void write(Connection& to, std::string_view bytes);

 private:
  void accept_all();
  void on_readable(Connection& connection);
  void on_writable(Connection& connection);
  std::size_t consume(Connection& connection, std::span<char> bytes);
  std::size_t upgrade(Connection& connection, std::string_view bytes);
  void close(Connection& connection);

  Socket listener_;
  Poller poller_;
  std::vector<char> buffer_;
  std::vector<Connection*> closed_;  // freed at the end of the turn, when no event names them any more
};

}  // namespace troupe::bench
