// `http`: some kept-alive connections, each sending the same request again as soon as its
// answer is in. One unit is one request answered 200; any other answer ends the bench.
#include <sys/socket.h>

#include <charconv>
#include <cstdlib>
#include <deque>
#include <vector>

#include "bench/load/workload.h"
#include "bench/support/cpu.h"
#include "bench/support/socket.h"

namespace troupe::bench {
namespace {

struct HttpClient {
  Socket socket;
  std::string unread;
};

/// The length of the whole answer at the start of `bytes`; 0 when its end is not there yet.
std::size_t answer_size(std::string_view bytes) {
  const auto head = bytes.find("\r\n\r\n");
  if (head == std::string_view::npos) return 0;
  constexpr std::string_view name = "\r\nContent-Length: ";
  const auto at = bytes.find(name);
  if (!bytes.starts_with("HTTP/1.1 200") || at > head) {
    std::fprintf(stderr, "load: unexpected answer:\n%.*s\n", static_cast<int>(bytes.size()), bytes.data());
    std::exit(1);
  }
  std::size_t body = 0;
  std::from_chars(bytes.data() + at + name.size(), bytes.data() + head, body);
  return bytes.size() < head + 4 + body ? 0 : head + 4 + body;
}

class Http final : public Workload {
 public:
  Http(const Target& target, const LoadOptions& options) : request_(options.text), patience_(options.patience) {
    for (std::size_t i = 0; i < options.connections; ++i) {
      auto& client = clients_.emplace_back(connect_to_loopback(target.port));
      poller_.add(client.socket.fd(), EPOLLIN, &client);
    }
  }

  std::uint64_t run_until(base::Instant end) override {
    std::uint64_t units = 0;
    std::size_t open = clients_.size();
    for (auto& client : clients_) write_all(client.socket, request_);
    while (open > 0) {
      const bool more = now() < end;
      const auto events = poller_.wait(static_cast<int>(patience_.count() / 1'000'000));
      if (events.empty()) die("no answer in time");
      for (const auto& event : events) {
        auto& client = *static_cast<HttpClient*>(event.data.ptr);
        if (!answered(client)) continue;
        ++units;
        if (more) {
          write_all(client.socket, request_);
        } else {
          --open;
        }
      }
    }
    return units;
  }

 private:
  bool answered(HttpClient& client) {
    const auto got = ::recv(client.socket.fd(), buffer_.data(), buffer_.size(), 0);
    if (got <= 0) die("the server closed a connection");
    client.unread.append(buffer_.data(), static_cast<std::size_t>(got));
    const auto size = answer_size(client.unread);
    if (size == 0) return false;
    client.unread.erase(0, size);
    return true;
  }

  std::string request_;
  base::Duration patience_;
  std::deque<HttpClient> clients_;  // a deque: epoll holds their addresses
  Poller poller_;
  std::vector<char> buffer_ = std::vector<char>(65536);
};

}  // namespace

std::unique_ptr<Workload> make_http(const Target& target, const LoadOptions& options) {
  return std::make_unique<Http>(target, options);
}

}  // namespace troupe::bench
