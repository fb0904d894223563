// The event loop of the floors that speak WebSocket.
#include "bench/support/frame_server.h"

#include <sys/socket.h>

#include <cerrno>
#include <csignal>

namespace troupe::bench {
namespace {

constexpr std::size_t read_buffer_bytes = 1024 * 1024;

std::string_view header_of(std::string_view request, std::string_view name) {
  const auto at = request.find(name);
  if (at == std::string_view::npos) return {};
  const auto rest = request.substr(at + name.size());
  return rest.substr(0, rest.find('\r'));
}

}  // namespace

FrameServer::FrameServer() : listener_(listen_on_loopback()), buffer_(read_buffer_bytes) {
  raise_descriptor_limit();
  std::signal(SIGPIPE, SIG_IGN);
  poller_.add(listener_.fd(), EPOLLIN, nullptr);
}

void FrameServer::run() {
  announce(listener_);
  while (true) {
    for (const auto& event : poller_.wait(-1)) {
      if (event.data.ptr == nullptr) {
        accept_all();
        continue;
      }
      auto& connection = *static_cast<Connection*>(event.data.ptr);
      if ((event.events & EPOLLOUT) != 0) on_writable(connection);
      if ((event.events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) on_readable(connection);
    }
    on_turn_end();
    for (auto* connection : closed_) delete connection;
    closed_.clear();
  }
}

void FrameServer::accept_all() {
  for (Socket socket = accept_one(listener_); socket.fd() >= 0; socket = accept_one(listener_)) {
    const int fd = socket.fd();
    poller_.add(fd, EPOLLIN, new Connection{.socket = std::move(socket)});
  }
}

void FrameServer::on_readable(Connection& connection) {
  const auto kept = connection.unread ? connection.unread->size() : 0;
  if (kept > 0) std::memcpy(buffer_.data(), connection.unread->data(), kept);
  const auto got = ::recv(connection.socket.fd(), buffer_.data() + kept, buffer_.size() - kept, 0);
  if (got < 0 && errno == EAGAIN) return;
  if (got <= 0) return close(connection);

  const auto all = std::span{buffer_}.first(kept + static_cast<std::size_t>(got));
  const auto rest = all.subspan(consume(connection, all));
  if (rest.empty()) {
    connection.unread.reset();
  } else {
    connection.unread = std::make_unique<std::string>(rest.data(), rest.size());
  }
}

std::size_t FrameServer::consume(Connection& connection, std::span<char> bytes) {
  std::size_t used = 0;
  if (!connection.upgraded) used = upgrade(connection, {bytes.data(), bytes.size()});
  while (connection.upgraded) {
    const auto frame = read_frame(bytes.subspan(used));
    if (!frame) break;
    used += frame->size;
    on_frame(connection, *frame);
  }
  return used;
}

std::size_t FrameServer::upgrade(Connection& connection, std::string_view bytes) {
  const auto end = bytes.find("\r\n\r\n");
  if (end == std::string_view::npos) return 0;
  const auto key = header_of(bytes.substr(0, end + 2), "Sec-WebSocket-Key: ");
  write(connection,
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Accept: " +
            accept_of(key) + "\r\n\r\n");
  connection.upgraded = true;
  return end + 4;
}

void FrameServer::write(Connection& to, std::string_view bytes) {
  if (to.unsent) {
    to.unsent->append(bytes);
    return;
  }
  const auto written = ::send(to.socket.fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  const auto taken = written < 0 ? 0 : static_cast<std::size_t>(written);
  if (taken == bytes.size()) return;
  to.unsent = std::make_unique<std::string>(bytes.substr(taken));
  poller_.change(to.socket.fd(), EPOLLIN | EPOLLOUT, &to);
}

void FrameServer::on_writable(Connection& connection) {
  const auto bytes = std::move(connection.unsent);
  poller_.change(connection.socket.fd(), EPOLLIN, &connection);
  if (bytes) write(connection, *bytes);
}

void FrameServer::close(Connection& connection) {
  on_closed(connection);
  connection.socket = Socket{};
  closed_.push_back(&connection);
}

}  // namespace troupe::bench
