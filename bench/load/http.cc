// `http`: some kept-alive connections, each sending a request as soon as its last answer is in, or, with a rate, when
// one is due. One unit is one request answered 200; any other answer ends the bench, unless all are welcome.
//
// The requests come in turn from the target's own list. `again` begins anew at its end; `once` sends each one once, and
// a slice ends early when none is left (codes); `renew` gives each connection its own, in which the refresh token of
// every answer takes the place of the one before.
#include <sys/socket.h>

#include <charconv>
#include <cstdlib>
#include <deque>
#include <utility>
#include <vector>

#include "bench/load/workload.h"
#include "bench/support/cpu.h"
#include "bench/support/socket.h"

namespace troupe::bench {
namespace {

struct HttpClient {
  Socket socket;
  std::string unread;
  std::string own;  // renew: the request of this connection
  base::Instant sent{};
  bool is_waiting = false;
};

/// The length of the whole answer at the start of `bytes`; 0 when its end is not there yet.
std::size_t answer_size(std::string_view bytes, bool any_status) {
  const auto head = bytes.find("\r\n\r\n");
  if (head == std::string_view::npos) return 0;
  constexpr std::string_view name = "\r\nContent-Length: ";
  const auto at = bytes.find(name);
  if ((!any_status && !bytes.starts_with("HTTP/1.1 200")) || at > head) {
    std::fprintf(stderr, "load: unexpected answer:\n%.*s\n", static_cast<int>(bytes.size()), bytes.data());
    std::exit(1);
  }
  std::size_t body = 0;
  std::from_chars(bytes.data() + at + name.size(), bytes.data() + head, body);
  return bytes.size() < head + 4 + body ? 0 : head + 4 + body;
}

/// What stands between `before` and the next `end` in `text`, as a part of it.
std::string_view between(std::string_view text, std::string_view before, char end) {
  const auto at = text.find(before);
  if (at == std::string_view::npos) die("no refresh token where one should be");
  const auto first = at + before.size();
  return text.substr(first, text.find(end, first) - first);
}

/// Puts the refresh token of the answer into the request. Theirs have one length, so nothing else changes.
void renew(std::string& request, std::string_view answer) {
  const auto fresh = between(answer, "\"refresh_token\":\"", '"');
  const auto used = between(request, "&refresh_token=", '&');
  if (fresh.size() != used.size()) die("a refresh token of another length");
  request.replace(static_cast<std::size_t>(used.data() - request.data()), used.size(), fresh);
}

class Http final : public Workload {
 public:
  Http(const Target& target, LoadOptions options) : options_(std::move(options)), requests_(target.requests) {
    if (target.name == "floor") options_.order = RequestOrder::again;  // it answers everything alike
    if (requests_.empty()) requests_.push_back(options_.text);
    if (options_.order == RequestOrder::renew && requests_.size() < options_.connections)
      die("renew: each connection needs a request of its own");
    for (std::size_t i = 0; i < options_.connections; ++i) {
      auto& client = clients_.emplace_back(connect_to_loopback(target.port));
      if (options_.order == RequestOrder::renew) client.own = requests_[i];
      poller_.add(client.socket.fd(), EPOLLIN, &client);
    }
  }

  std::uint64_t run_until(base::Instant end) override {
    const auto begin = now();
    std::uint64_t units = 0, due = 0;
    waiting_ = 0;
    latencies_.clear();
    if (options_.rate == 0)
      for (auto& client : clients_) send(client);
    while (true) {
      const auto at = now();
      const bool more = at < end && has_requests();
      if (options_.rate > 0 && more) {
        due = static_cast<std::uint64_t>(std::chrono::duration<double>(at - begin).count() *
                                         static_cast<double>(options_.rate));
        send_due(units, due);
      }
      if (waiting_ == 0 && !more) return units;
      wait_for_answers(more, units);
    }
  }

  std::vector<base::Duration> latencies() const override { return latencies_; }

 private:
  bool has_requests() const { return options_.order != RequestOrder::once || next_ < requests_.size(); }

  void send(HttpClient& client) {
    if (!has_requests()) return;
    const std::string& request =
        options_.order == RequestOrder::renew ? client.own : requests_[next_++ % requests_.size()];
    client.sent = now();
    client.is_waiting = true;
    ++waiting_;
    write_all(client.socket, request);
  }

  /// Sends what is due by now on connections that have nothing in flight; what finds none waits for the next turn.
  void send_due(std::uint64_t done, std::uint64_t due) {
    for (auto& client : clients_) {
      if (done + waiting_ >= due) return;
      if (!client.is_waiting) send(client);
    }
  }

  void wait_for_answers(bool more, std::uint64_t& units) {
    const bool paced = options_.rate > 0 && more;
    const auto events = poller_.wait(paced ? 1 : static_cast<int>(options_.patience.count() / 1'000'000));
    if (events.empty() && !paced) die("no answer in time");
    for (const auto& event : events) {
      auto& client = *static_cast<HttpClient*>(event.data.ptr);
      if (!answered(client)) continue;
      ++units;
      --waiting_;
      client.is_waiting = false;
      latencies_.push_back(now() - client.sent);
      if (more && options_.rate == 0) send(client);
    }
  }

  bool answered(HttpClient& client) {
    const auto got = ::recv(client.socket.fd(), buffer_.data(), buffer_.size(), 0);
    if (got <= 0) die("the server closed a connection");
    client.unread.append(buffer_.data(), static_cast<std::size_t>(got));
    const auto size = answer_size(client.unread, options_.any_status);
    if (size == 0) return false;
    if (options_.order == RequestOrder::renew) renew(client.own, std::string_view{client.unread}.substr(0, size));
    client.unread.erase(0, size);
    return true;
  }

  LoadOptions options_;
  std::vector<std::string> requests_;
  std::size_t next_ = 0;
  std::size_t waiting_ = 0;
  std::deque<HttpClient> clients_;  // a deque: epoll holds their addresses
  std::vector<base::Duration> latencies_;
  Poller poller_;
  std::vector<char> buffer_ = std::vector<char>(65536);
};

}  // namespace

std::unique_ptr<Workload> make_http(const Target& target, const LoadOptions& options) {
  return std::make_unique<Http>(target, options);
}

}  // namespace troupe::bench
