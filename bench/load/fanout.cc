// `fanout`: one publisher, many subscribers of one topic. Some publications leave in one
// write; the next leave when every subscriber has them all. One unit is one delivery. A
// publication to one subscriber is acknowledged, where the server can. Beside them may stand
// patterns that match nothing, and subscriptions that come and go.
#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <optional>

#include "bench/load/dialect.h"
#include "bench/load/workload.h"
#include "bench/support/cpu.h"

namespace troupe::bench {
namespace {

class Fanout final : public Workload {
 public:
  Fanout(const Target& target, const LoadOptions& options)
      : name_(target.name),
        dialect_(dialect_of(target.name)),
        port_(target.port),
        patience_(options.patience),
        publisher_(dialect_.publisher(port_)),
        in_flight_(options.in_flight) {
    // Beside one delivery an answer to the publisher counts; beside many it is nothing.
    const bool acknowledged = options.subscribers == 1;
    const auto publication = dialect_.publication(options.payload_bytes, acknowledged);
    for (std::size_t i = 0; i < in_flight_; ++i) publications_ += publication;
    const bool plain = target.name != "troupe";
    const auto topic = fmt::format(R"("{}")", plain ? "bench.fanout" : options.subscribe);
    for (std::size_t i = 0; i < options.subscribers; ++i) {
      auto& client = subscribers_.emplace_back(dialect_.subscriber(port_));
      if (!dialect_.subscribe.empty()) subscribe(client, topic);
    }
    for (auto& client : subscribers_) poller_.add(client.fd(), EPOLLIN, &client);
    poller_.add(publisher_.fd(), EPOLLIN, &publisher_);  // for the server's pings
    if (plain) return;
    add_patterns(options);
    if (options.changes == 0) return;
    changer_.emplace(dialect_.subscriber(port_));
    change_every_ = std::chrono::nanoseconds{std::chrono::seconds{1}} / options.changes;
    poller_.add(changer_->fd(), EPOLLIN, &*changer_);
  }

  std::uint64_t run_until(base::Instant end) override {
    std::uint64_t units = 0;
    next_change_ = now();
    while (now() < end) {
      change();
      publisher_.send(publications_);
      units += receive(in_flight_ * subscribers_.size());
    }
    return units;
  }

 private:
  void subscribe(WebSocketClient& client, std::string_view topics) const {
    client.send(dialect_.subscription(topics));
    client.wait_for(dialect_.subscribed);
  }

  // Half of them begin as the topic does, half with a star where it has its last segment. None matches.
  void add_patterns(const LoadOptions& options) {
    constexpr std::size_t of_one = 500;
    for (std::size_t begin = 0; begin < options.patterns; begin += of_one) {
      std::string topics;
      for (auto i = begin; i < std::min(begin + of_one, options.patterns); ++i) {
        topics += fmt::format(R"({}"bench.{}")", topics.empty() ? "" : ",",
                              i % 2 == 0 ? fmt::format("p{}.>", i) : fmt::format("*.{}", i));
      }
      auto& client = others_.emplace_back(dialect_.subscriber(port_));
      subscribe(client, topics);
      poller_.add(client.fd(), EPOLLIN, &client);
    }
  }

  // Subscribes to a pattern and leaves it again, as often as is due.
  void change() {
    while (changer_ && now() >= next_change_) {
      const auto topics = fmt::format(R"("bench.*.c{}")", changed_++ / 2);
      changer_->send(
          changed_ % 2 == 1
              ? dialect_.subscription(topics)
              : client_frame(Opcode::text, fmt::format(R"({{"type":"unsubscribe","topics":[{}]}})", topics)));
      next_change_ = next_change_ + change_every_;
    }
  }

  // What is no delivery is an answer, or the server asking whether we are here.
  std::uint64_t receive(std::uint64_t expected) {
    std::uint64_t received = 0;
    WebSocketClient* from = nullptr;
    const OnMessage count = [&](std::string_view payload) {
      const auto found = dialect_.deliveries_in(payload);
      received += found;
      if (found > 0) return;
      if (payload.find("\"error\"") != std::string_view::npos) die(payload);
      if (payload == dialect_.are_you_here) from->send(client_frame(dialect_.opcode, dialect_.i_am));
    };
    while (received < expected) {
      const auto events = poller_.wait(static_cast<int>(patience_.count() / 1'000'000));
      if (events.empty()) die(fmt::format("{}: a delivery is missing", name_));
      for (const auto& event : events) {
        from = static_cast<WebSocketClient*>(event.data.ptr);
        from->read(buffer_, count);
      }
    }
    return received;
  }

  std::string name_;
  const Dialect& dialect_;
  std::uint16_t port_;
  base::Duration patience_;
  WebSocketClient publisher_;
  std::size_t in_flight_;
  std::string publications_;
  std::deque<WebSocketClient> subscribers_;  // a deque: epoll holds their addresses
  std::deque<WebSocketClient> others_;
  std::optional<WebSocketClient> changer_;
  base::Duration change_every_{};
  base::Instant next_change_{};
  std::uint64_t changed_ = 0;
  Poller poller_;
  std::vector<char> buffer_ = read_buffer();
};

}  // namespace

std::unique_ptr<Workload> make_fanout(const Target& target, const LoadOptions& options) {
  return std::make_unique<Fanout>(target, options);
}

}  // namespace troupe::bench
