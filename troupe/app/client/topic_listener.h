// TopicListener: the actor behind `troupe subscribe` and `troupe watch`: it writes what a Subscriber hears.
//
// One on a core of its own. What came in one turn is written at once at the turn's end; while whoever reads it is slow,
// nothing is read from the server, who then does what it does with slow readers.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "troupe/actor/actor.h"
#include "troupe/app/client/message_view.h"
#include "troupe/realtime/client/subscriber.h"
#include "troupe/realtime/client/traffic_recorder.h"

namespace troupe::app {

struct TopicListenerOptions {
  realtime::SubscriberOptions subscriber;
  MessageView view{};
  std::uint64_t count = 0;  // messages, after which it ends well; 0: it does not
  /// Writes results. An error ends it: broken_pipe well, for nobody reads them any more; others are told.
  std::function<std::error_code(std::string_view)> out;
  /// Writes what people should know.
  std::function<void(std::string_view)> err;
  /// Writes lines for history_check; empty: nothing is recorded.
  realtime::TrafficRecorder::Sink record;
  /// Called once, at the end: why it ended other than asked; nothing where all is well.
  std::function<void(std::optional<std::string> why)> done;
};

struct StopListening {};

class TopicListener final : private realtime::SubscriberEvents, private actor::TurnEndHook {
 public:
  static constexpr std::string_view actor_type = "TopicListener";

  explicit TopicListener(TopicListenerOptions options) : options_(std::move(options)) {}

  void started(actor::Context& ctx);
  void handle(StopListening message);

 private:
  void on_message(const realtime::ServerFrame& message) override;
  void on_gap(const realtime::ServerFrame& gap) override;
  void on_loss(const realtime::Loss& loss) override;
  void on_live() override;
  void on_interrupted(const std::string& why, base::Duration wait) override;
  void on_note(const std::string& words) override;
  void on_over(const std::string& why) override;
  void on_turn_end() override;

  void write();
  void tell(std::string_view words);
  void end(std::optional<std::string> why);

  TopicListenerOptions options_;
  actor::Context* ctx_ = nullptr;
  actor::Entry entry_;
  std::optional<realtime::TrafficRecorder> recorder_;
  std::unique_ptr<realtime::Subscriber> subscriber_;
  std::string unwritten_;
  std::optional<std::string> unwritable_;  // why results are lost
  std::uint64_t received_ = 0;
  bool stopping_ = false;
  bool ended_ = false;
};

}  // namespace troupe::app
