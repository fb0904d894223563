// Sockets and epoll with nothing around them: what the floors and the load generator
// are made of. Loopback only: no function here takes another address than 127.0.0.1.
#pragma once

#include <sys/epoll.h>

#include <cstdint>
#include <span>
#include <string_view>

namespace troupe::bench {

/// Prints "what: strerror(errno)" and ends the process; a bench has nobody to hand an error to.
[[noreturn]] void die(std::string_view what);

/// Owns one file descriptor.
class Socket {
 public:
  Socket() = default;
  explicit Socket(int fd) noexcept : fd_(fd) {}
  Socket(Socket&& other) noexcept : fd_(other.release()) {}
  Socket& operator=(Socket&& other) noexcept;
  ~Socket();

  int fd() const noexcept { return fd_; }
  int release() noexcept;

 private:
  int fd_ = -1;
};

/// A non-blocking listener on a free port of 127.0.0.1.
Socket listen_on_loopback();
/// The port of a listener.
std::uint16_t port_of(const Socket& listener);
/// Prints the line by which a runner knows that a server is ready, as `troupe serve` does.
void announce(const Socket& listener);
/// The next waiting connection, non-blocking and without delay; fd() is -1 when none waits.
Socket accept_one(const Socket& listener);
/// A blocking connection to 127.0.0.1:port without delay. It comes from an address of 127/8 that changes every ten
/// thousand connections, for one address has no more than 28 000 ports.
Socket connect_to_loopback(std::uint16_t port);
/// Closes a connection at once: the peer is told that it was reset, and nothing of it stays in the system.
void reset(Socket socket);
void set_non_blocking(const Socket& socket);
/// Writes all of `bytes` to a blocking socket.
void write_all(const Socket& socket, std::string_view bytes);
/// Lets this process open as many descriptors as the machine permits.
void raise_descriptor_limit();

/// An epoll set whose events carry a pointer.
class Poller {
 public:
  Poller();
  void add(int fd, std::uint32_t events, void* owner);
  void change(int fd, std::uint32_t events, void* owner);
  /// Waits for at most `timeout_ms` (-1: for ever); the span is valid until the next wait.
  std::span<epoll_event> wait(int timeout_ms);

 private:
  Socket epoll_;
  epoll_event events_[1024];
};

}  // namespace troupe::bench
