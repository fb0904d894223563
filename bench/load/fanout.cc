// `fanout`: one publisher, many subscribers of one topic. Some publications leave in one
// write; the next leave when every subscriber has them all. One unit is one delivery.
#include <deque>

#include "bench/load/websocket_client.h"
#include "bench/load/workload.h"
#include "bench/support/cpu.h"

namespace troupe::bench {
namespace {

constexpr std::string_view subscribe = R"({"type":"subscribe","id":"s","topics":["bench.fanout"]})";
constexpr std::string_view publish = R"({"type":"publish","topic":"bench.fanout","payload":)"
                                     R"({"text":"sixty-four bytes of what a person writes to others"}})";

class Fanout final : public Workload {
 public:
  Fanout(const Target& target, const LoadOptions& options)
      : in_flight_(options.in_flight), patience_(options.patience), publisher_(target.port, options.path) {
    if (target.name == "troupe") publisher_.wait_for("\"welcome\"");
    for (std::size_t i = 0; i < in_flight_; ++i) publications_ += client_frame(Opcode::text, publish);
    for (std::size_t i = 0; i < options.subscribers; ++i) {
      auto& client = subscribers_.emplace_back(target.port, options.path);
      if (target.name == "troupe") client.wait_for("\"welcome\"");
      client.send(client_frame(Opcode::text, subscribe));
      client.wait_for("\"subscription_confirmed\"");
      poller_.add(client.fd(), EPOLLIN, &client);
    }
    poller_.add(publisher_.fd(), EPOLLIN, &publisher_);  // for the server's pings
  }

  std::uint64_t run_until(base::Instant end) override {
    std::uint64_t units = 0;
    while (now() < end) {
      publisher_.send(publications_);
      units += receive(in_flight_ * subscribers_.size());
    }
    return units;
  }

 private:
  std::uint64_t receive(std::uint64_t expected) {
    std::uint64_t received = 0;
    const OnMessage count = [&](std::string_view payload) {
      if (payload.substr(0, 40).find("\"message\"") == std::string_view::npos) die(payload);
      ++received;
    };
    while (received < expected) {
      const auto events = poller_.wait(static_cast<int>(patience_.count() / 1'000'000));
      if (events.empty()) die("a delivery is missing");
      for (const auto& event : events) static_cast<WebSocketClient*>(event.data.ptr)->read(buffer_, count);
    }
    return received;
  }

  std::size_t in_flight_;
  base::Duration patience_;
  WebSocketClient publisher_;
  std::string publications_;
  std::deque<WebSocketClient> subscribers_;  // a deque: epoll holds their addresses
  Poller poller_;
  std::vector<char> buffer_ = read_buffer();
};

}  // namespace

std::unique_ptr<Workload> make_fanout(const Target& target, const LoadOptions& options) {
  return std::make_unique<Fanout>(target, options);
}

}  // namespace troupe::bench
