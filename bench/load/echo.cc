// `echo` and `ping`: some connections, each with one message in flight; the next leaves
// when the answer is in. One unit is one message there and one back.
#include <fmt/format.h>

#include <cstdlib>
#include <deque>

#include "bench/load/websocket_client.h"
#include "bench/load/workload.h"
#include "bench/support/cpu.h"

namespace troupe::bench {
namespace {

[[noreturn]] void refuse(std::string_view answer) {
  fmt::print(stderr, "load: unexpected answer: {}\n", answer);
  std::exit(1);
}

class Echo final : public Workload {
 public:
  Echo(const Target& target, const LoadOptions& options)
      : message_(client_frame(Opcode::text, options.text)), expected_(options.expected), patience_(options.patience) {
    for (std::size_t i = 0; i < options.connections; ++i) {
      auto& client = clients_.emplace_back(target.port, options.path);
      if (options.path != "/echo" && target.is_troupe()) client.wait_for("\"welcome\"");
      poller_.add(client.fd(), EPOLLIN, &client);
    }
  }

  std::uint64_t run_until(base::Instant end) override {
    std::uint64_t units = 0;
    std::size_t open = clients_.size();
    for (auto& client : clients_) client.send(message_);
    while (open > 0) {
      const bool more = now() < end;
      const auto events = poller_.wait(static_cast<int>(patience_.count() / 1'000'000));
      if (events.empty()) die("no answer in time");
      for (const auto& event : events) {
        auto& client = *static_cast<WebSocketClient*>(event.data.ptr);
        client.read(buffer_, [&](std::string_view answer) {
          if (!answer.starts_with(expected_)) refuse(answer);
          ++units;
          if (more) {
            client.send(message_);
          } else {
            --open;
          }
        });
      }
    }
    return units;
  }

 private:
  std::string message_;
  std::string expected_;
  base::Duration patience_;
  std::deque<WebSocketClient> clients_;  // a deque: epoll holds their addresses
  Poller poller_;
  std::vector<char> buffer_ = read_buffer();
};

}  // namespace

std::unique_ptr<Workload> make_echo(const Target& target, const LoadOptions& options) {
  return std::make_unique<Echo>(target, options);
}

}  // namespace troupe::bench
