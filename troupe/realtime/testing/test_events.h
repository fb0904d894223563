// TestEvents: a client of `/events` on a memory stream, for tests. It reads events as a browser
// does and remembers the last id.
#pragma once

#include <fmt/format.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "troupe/realtime/testing/realtime_world.h"

namespace troupe::realtime::testing {

struct Event {
  std::string type;
  std::string data;
  std::string id;  // "" when it had none of its own
};

class TestEvents final : public net::StreamEvents {
 public:
  /// Asks for `target` ("/events?topic=a"); `headers` are whole lines, each with its line break.
  TestEvents(std::unique_ptr<net::Stream> stream, std::string_view target, std::string_view headers)
      : stream_(std::move(stream)) {
    stream_->start(*this);
    auto request = fmt::format("GET {} HTTP/1.1\r\nHost: test\r\n{}\r\n", target, headers);
    iovec part{request.data(), request.size()};
    INVARIANT(stream_->write_some({&part, 1}) == request.size(), "a request fits into the network");
  }

  int status() const { return head_.empty() ? 0 : std::stoi(head_.substr(9, 3)); }
  const std::string& head() const { return head_; }
  /// What came of the body that is no whole event yet; of an answer that is no stream, all of it.
  const std::string& rest() const { return received_; }
  /// The events that came since the last call.
  std::vector<Event> take() { return std::exchange(events_, {}); }
  const std::string& last_id() const { return last_id_; }
  const std::string& retry() const { return retry_; }
  int comments() const { return comments_; }
  bool is_closed() const { return closed_; }
  void stop_reading() { stream_->pause_reading(); }
  void read_again() { stream_->resume_reading(); }
  void vanish() { stream_.reset(); }

 private:
  void on_bytes(std::span<char> bytes) override {
    received_.append(bytes.data(), bytes.size());
    if (head_.empty()) {
      auto end = received_.find("\r\n\r\n");
      if (end == std::string::npos) return;
      head_ = received_.substr(0, end + 4);
      received_.erase(0, end + 4);
    }
    if (status() != 200) return;
    for (auto end = received_.find("\n\n"); end != std::string::npos; end = received_.find("\n\n")) {
      read_event(std::string_view{received_}.substr(0, end + 1));
      received_.erase(0, end + 2);
    }
  }
  void on_writable() override {}
  void on_closed(net::CloseReason) override { closed_ = true; }

  void read_event(std::string_view lines) {
    Event event;
    while (!lines.empty()) {
      auto line = lines.substr(0, lines.find('\n'));
      lines.remove_prefix(line.size() + 1);
      auto colon = line.find(": ");
      auto value = line.substr(std::min(line.size(), colon == line.npos ? colon : colon + 2));
      if (line.starts_with(":")) ++comments_;
      if (line.starts_with("event: ")) event.type = value;
      if (line.starts_with("id: ")) event.id = last_id_ = value;
      if (line.starts_with("retry: ")) retry_ = value;
      if (line.starts_with("data: ")) event.data.append(event.data.empty() ? "" : "\n").append(value);
    }
    if (!event.type.empty()) events_.push_back(std::move(event));
  }

  std::unique_ptr<net::Stream> stream_;
  std::string head_;
  std::string received_;
  std::vector<Event> events_;
  std::string last_id_;
  std::string retry_;
  int comments_ = 0;
  bool closed_ = false;
};

using Events = std::unique_ptr<TestEvents>;

/// A stream of events, begun. `query`: "topic=a&topic=b".
inline Events ask_for_events(RealtimeWorld& world, std::string_view query, std::string_view token,
                             std::string_view headers = {}, std::size_t core = 0) {
  auto authorization = token.empty() ? std::string{} : fmt::format("Authorization: Bearer {}\r\n", token);
  auto events = std::make_unique<TestEvents>(world.networks[core]->connect({{}, 80}), fmt::format("/events?{}", query),
                                             fmt::format("{}{}", authorization, headers));
  world.world.run_until_idle();
  return events;
}

/// The types of events, in order: "welcome message".
inline std::string types(const std::vector<Event>& events) {
  std::string text;
  for (const auto& event : events) text += (text.empty() ? "" : " ") + event.type;
  return text;
}

}  // namespace troupe::realtime::testing
