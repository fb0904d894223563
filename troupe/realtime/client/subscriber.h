// Subscriber: what one client hears of its topics, over as many connections as it takes.
//
// It subscribes, knows how far it is in each topic, and after a lost connection comes back with growing waits, as the
// same session where the server still knows it, and goes on where it was. What it cannot get any more it tells. Where
// it is given another token in time it outlives the one that it came with. One core; its owner destroys it. Events are
// never called from inside its own functions and must not destroy it.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "troupe/realtime/client/backoff.h"
#include "troupe/realtime/client/client_socket.h"
#include "troupe/realtime/client/server_frame.h"
#include "troupe/realtime/client/shown_token.h"
#include "troupe/realtime/client/traffic_observer.h"

namespace troupe::wire {
class JsonWriter;
}

namespace troupe::realtime {

enum class Reconnect : std::uint8_t { never, always };

struct SubscriberOptions {
  Dial dial;
  ClientSocketOptions socket;
  std::vector<std::string> topics;  // names and patterns
  std::string overflow{};           // empty: the namespace's own
  Reconnect reconnect = Reconnect::always;
  BackoffOptions backoff{};
  RenewToken renew_token{};                                      // none: all is over when the token is
  base::Duration token_look_interval = std::chrono::seconds{5};  // while one is wanted: a look costs next to nothing
  base::Duration token_patience = std::chrono::minutes{2};       // from its end on; by default history reaches further
  TrafficObserver* observer = nullptr;                           // must outlive the subscriber
};

/// What a client will never get of a topic, though it was subscribed. An offset of 0: how much is not known.
struct Loss {
  std::string_view topic;
  Offset from = 0;
  Offset to = 0;
};

/// Who is told of what a subscriber hears. Exceptions must not leave these functions.
class SubscriberEvents {
 public:
  virtual void on_message(const ServerFrame& message) = 0;
  /// The server tells that `from`..`to` of the frame's topic will not come.
  virtual void on_gap(const ServerFrame& gap) = 0;
  /// A recovery was refused, or the server has lost what it kept. An inbox is named `$user.<id>`.
  virtual void on_loss(const Loss& loss) = 0;
  /// All topics are subscribed to, for the first time or again.
  virtual void on_live() = 0;
  /// The connection has ended, and another one comes after `wait`.
  virtual void on_interrupted(const std::string& why, base::Duration wait) = 0;
  /// Something that people should know and that changes nothing.
  virtual void on_note(const std::string& words) = 0;
  /// It is over; nothing follows. `why` is a sentence without a full stop.
  virtual void on_over(const std::string& why) = 0;

 protected:
  ~SubscriberEvents() = default;
};

class Subscriber final : private ClientSocketEvents {
 public:
  /// Connects in the core's next turn. `events` must outlive the subscriber.
  Subscriber(actor::Core& core, SubscriberOptions options, SubscriberEvents& events);
  Subscriber(const Subscriber&) = delete;
  Subscriber& operator=(const Subscriber&) = delete;
  ~Subscriber();

  /// Ends in order: on_over() follows.
  void close();
  /// Drops the connection as a broken network would; it comes back.
  void cut();
  /// A reader that is slow on purpose. They do nothing while there is no connection.
  void pause_reading();
  void resume_reading();

  bool is_live() const noexcept { return live_; }
  /// How far it is in a topic that it is subscribed to by name.
  std::optional<Position> position(const std::string& topic) const;

 private:
  struct Alarm final : actor::TimerNode {
    using Due = void (Subscriber::*)();
    Alarm(Subscriber& its, Due what) noexcept : TimerNode(ring), subscriber(its), due(what) {}
    static void ring(actor::TimerNode& node) noexcept {
      auto& alarm = static_cast<Alarm&>(node);
      (alarm.subscriber.*alarm.due)();
    }
    Subscriber& subscriber;
    Due due;
  };

  void on_open() override;
  void on_frame(wire::Opcode opcode, std::string_view message) override;
  void on_end(const SocketEnd& end) override;

  void connect();
  bool find_token();
  bool may_outlive(const SocketEnd& end) const;
  void show_token();
  void token_shown(const ServerFrame& answer);
  void take(const ServerFrame& frame);
  void welcomed(const ServerFrame& frame);
  void confirmed(const ServerFrame& frame);
  void restarted(const ServerFrame& frame);
  void place(const ServerFrame::Topic& topic);
  void advance(std::string_view topic, std::string_view epoch, Offset offset);
  bool has_come(const ServerFrame& message) const;
  void place_pattern(const ServerFrame::Topic& topic);
  void advance_patterns(const ServerFrame& message);
  void write_positions(wire::JsonWriter& writer, std::string_view key, const std::vector<std::string>& topics) const;
  void unsubscribed(const ServerFrame& frame);
  void refused(const ServerFrame& frame);
  void subscribe(const std::vector<std::string>& topics);
  void say(const std::string& text);
  void interrupted(const std::string& why);
  void over(const std::string& why);

  actor::Core& core_;
  SubscriberOptions options_;
  SubscriberEvents& events_;
  ServerFrameReader reader_;
  Alarm alarm_{*this, &Subscriber::connect};
  Alarm token_alarm_{*this, &Subscriber::show_token};  // while the token of an open connection is about to end
  Backoff backoff_;
  std::unique_ptr<ClientSocket> socket_;
  std::string session_;
  std::string refusal_;                                                    // why there is nothing to come back for
  std::map<std::string, std::optional<Position>, std::less<>> positions_;  // of names that are subscribed to
  std::map<std::string, std::map<std::string, Position, std::less<>>, std::less<>> patterns_;  // places by shard
  std::set<std::string, std::less<>> asked_again_;  // names whose messages come with the answer, if they are kept
  base::Duration wait_min_{};                       // what a draining server asks for
  ShownToken shown_{options_.socket.token};         // on the present connection
  std::optional<base::Instant> token_until_;        // the last one has ended: how long another one is waited for
  std::string token_ended_;                         // why
  bool told_to_wait_ = false;                       // that it is
  bool live_ = false;
  bool closing_ = false;
  bool over_ = false;
};

}  // namespace troupe::realtime
