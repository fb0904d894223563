// The link over a response: what is ours goes between two events, never into one that is cut.
#include "troupe/realtime/connection/event_stream_link.h"

#include <algorithm>

#include "troupe/actor/actor.h"
#include "troupe/base/check.h"
#include "troupe/realtime/protocol/event.h"

namespace troupe::realtime {

namespace {

constexpr base::Duration closing_time_max = std::chrono::seconds{5};  // for the last event to leave

class EventStreamLink final : public web::WebSocketLink, private web::ResponseEvents, private actor::TurnEndHook {
 public:
  EventStreamLink(actor::Core& core, std::unique_ptr<web::ResponseStream> response)
      : core_(core), response_(std::move(response)), peer_(response_->peer()) {}

  void start(web::WebSocketEvents& events, web::WebSocketLimits limits, wire::Inflater* inflater) override;
  std::size_t write_some(std::span<const iovec> events) override;
  void ping(std::string_view payload) override;
  void close(std::uint16_t code, std::string_view reason) override;
  void pause_reading() override {}
  void resume_reading() override {}
  const net::PeerAddress& peer() const override { return peer_; }

 private:
  enum class State : std::uint8_t {
    open,
    closing,   // the last event waits to be written
    finished,  // it is written
    ended,
  };
  struct Timer : actor::TimerNode {
    explicit Timer(EventStreamLink& owner) noexcept : TimerNode(&Timer::fire), link(owner) {}
    static void fire(TimerNode& node) noexcept { static_cast<Timer&>(node).link.end(); }
    EventStreamLink& link;
  };

  void on_writable() override;
  void on_closed() override { end(); }
  void on_turn_end() override;
  bool flush_own();
  std::size_t write_rest(const iovec& rest);
  std::size_t write_events(std::span<const iovec> events);
  void end();

  actor::Core& core_;
  std::unique_ptr<web::ResponseStream> response_;
  const net::PeerAddress peer_;
  web::WebSocketEvents* events_ = nullptr;
  std::string own_;             // a comment, or the last event, or what is left of one
  std::size_t event_rest_ = 0;  // of the owner's event that a short write has cut
  std::uint16_t code_ = wire::close_code::abnormal;
  State state_ = State::open;
  bool pinged_ = false;       // a comment is on its way to the socket
  bool owner_waits_ = false;  // its last write came short
  Timer timer_{*this};
};

void EventStreamLink::start(web::WebSocketEvents& events, web::WebSocketLimits, wire::Inflater*) {
  INVARIANT(events_ == nullptr, "a link was started twice");
  events_ = &events;
  response_->start(*this);
}

/// True once nothing of ours waits, or has to wait for the rest of an event.
bool EventStreamLink::flush_own() {
  if (own_.empty()) return true;
  if (event_rest_ > 0) return false;
  iovec part{own_.data(), own_.size()};
  own_.erase(0, response_->write_some({&part, 1}));
  if (!own_.empty()) return false;
  if (state_ == State::closing) {
    state_ = State::finished;
    response_->finish();
  } else if (pinged_) {
    core_.at_turn_end(*this);  // for no event may come from inside the owner's own calls
  }
  return true;
}

void EventStreamLink::on_turn_end() {
  if (std::exchange(pinged_, false) && state_ == State::open) events_->on_pong({});
}

std::size_t EventStreamLink::write_some(std::span<const iovec> events) {
  std::size_t offered = 0;
  for (const auto& event : events) offered += event.iov_len;
  if (state_ >= State::finished) return offered;
  std::size_t taken = 0;
  if (event_rest_ > 0 && !events.empty()) {
    taken = write_rest(events[0]);
    owner_waits_ = true;
    if (event_rest_ > 0) return taken;
    events = events.subspan(1);
  }
  const bool own_is_out = flush_own();
  if (state_ >= State::closing) return offered;  // all but the rest of an event is dropped
  if (own_is_out) taken += write_events(events);
  owner_waits_ = taken < offered;
  return taken;
}

std::size_t EventStreamLink::write_rest(const iovec& rest) {
  INVARIANT(rest.iov_len == event_rest_, "the rest of a cut event must come first");
  const auto taken = response_->write_some({&rest, 1});
  event_rest_ -= taken;
  return taken;
}

std::size_t EventStreamLink::write_events(std::span<const iovec> events) {
  const auto taken = response_->write_some(events);
  auto left = taken;
  for (const auto& event : events) {
    if (left < event.iov_len) {
      event_rest_ = left > 0 ? event.iov_len - left : 0;
      break;
    }
    left -= event.iov_len;
  }
  return taken;
}

void EventStreamLink::on_writable() {
  if (event_rest_ == 0 && !flush_own()) return;
  if (std::exchange(owner_waits_, false)) events_->on_writable();
}

void EventStreamLink::ping(std::string_view) {
  if (state_ != State::open || std::exchange(pinged_, true)) return;
  own_ = event_comment;
  flush_own();
}

void EventStreamLink::close(std::uint16_t code, std::string_view reason) {
  if (state_ != State::open) return;
  state_ = State::closing;
  code_ = code;
  own_ += closing_event(code, reason);
  core_.timers().arm(timer_, core_.now() + closing_time_max);
  flush_own();
}

void EventStreamLink::end() {
  if (std::exchange(state_, State::ended) == State::ended) return;
  core_.timers().disarm(timer_);
  response_.reset();
  if (events_ != nullptr) {
    events_->on_closed({.code = code_, .reason = "the stream ended", .closing = web::Closing::broken});
  }
}

}  // namespace

std::unique_ptr<web::WebSocketLink> open_event_stream(actor::Core& core,
                                                      std::unique_ptr<web::ResponseStream> response) {
  return std::make_unique<EventStreamLink>(core, std::move(response));
}

}  // namespace troupe::realtime
