// Sockets and epoll: the system calls behind socket.h.
#include "bench/support/socket.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace troupe::bench {
namespace {

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

void set_no_delay(int fd) {
  const int on = 1;
  if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) < 0) die("TCP_NODELAY");
}

}  // namespace

void die(std::string_view what) {
  std::fprintf(stderr, "%.*s: %s\n", static_cast<int>(what.size()), what.data(), std::strerror(errno));
  std::exit(1);
}

Socket& Socket::operator=(Socket&& other) noexcept {
  if (this != &other) {
    if (fd_ >= 0) ::close(fd_);
    fd_ = other.release();
  }
  return *this;
}

Socket::~Socket() {
  if (fd_ >= 0) ::close(fd_);
}

int Socket::release() noexcept { return std::exchange(fd_, -1); }

Socket listen_on_loopback() {
  Socket listener{::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  if (listener.fd() < 0) die("socket");
  const auto address = loopback(0);
  if (::bind(listener.fd(), reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0) die("bind");
  if (::listen(listener.fd(), 4096) < 0) die("listen");
  return listener;
}

std::uint16_t port_of(const Socket& listener) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  if (getsockname(listener.fd(), reinterpret_cast<sockaddr*>(&address), &size) < 0) die("getsockname");
  return ntohs(address.sin_port);
}

void announce(const Socket& listener) {
  std::printf("listening on http://127.0.0.1:%d\n", port_of(listener));
  std::fflush(stdout);
}

Socket accept_one(const Socket& listener) {
  Socket socket{::accept4(listener.fd(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)};
  if (socket.fd() >= 0) set_no_delay(socket.fd());
  return socket;
}

Socket connect_to_loopback(std::uint16_t port) {
  static std::uint32_t connections = 0;
  Socket socket{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  if (socket.fd() < 0) die("socket");
  auto from = loopback(0);
  from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + connections++ / 10'000);
  const int late = 1;  // the port is chosen by connect(), which knows that one may serve many peers
  setsockopt(socket.fd(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &late, sizeof late);
  if (::bind(socket.fd(), reinterpret_cast<const sockaddr*>(&from), sizeof from) < 0) die("bind");
  const auto address = loopback(port);
  if (::connect(socket.fd(), reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0) die("connect");
  set_no_delay(socket.fd());
  return socket;
}

void reset(Socket socket) {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  if (setsockopt(socket.fd(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once) < 0) die("SO_LINGER");
}

void set_non_blocking(const Socket& socket) {
  if (fcntl(socket.fd(), F_SETFL, O_NONBLOCK) < 0) die("O_NONBLOCK");
}

void write_all(const Socket& socket, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto written = ::send(socket.fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (written < 0) die("send");
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) < 0) die("getrlimit");
  limit.rlim_cur = limit.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &limit) < 0) die("setrlimit");
}

Poller::Poller() : epoll_(epoll_create1(EPOLL_CLOEXEC)) {
  if (epoll_.fd() < 0) die("epoll_create1");
}

void Poller::add(int fd, std::uint32_t events, void* owner) {
  epoll_event event{.events = events, .data = {.ptr = owner}};
  if (epoll_ctl(epoll_.fd(), EPOLL_CTL_ADD, fd, &event) < 0) die("epoll_ctl add");
}

void Poller::change(int fd, std::uint32_t events, void* owner) {
  epoll_event event{.events = events, .data = {.ptr = owner}};
  if (epoll_ctl(epoll_.fd(), EPOLL_CTL_MOD, fd, &event) < 0) die("epoll_ctl mod");
}

std::span<epoll_event> Poller::wait(int timeout_ms) {
  const int count = epoll_wait(epoll_.fd(), events_, std::size(events_), timeout_ms);
  if (count < 0 && errno != EINTR) die("epoll_wait");
  return {events_, static_cast<std::size_t>(count < 0 ? 0 : count)};
}

}  // namespace troupe::bench
