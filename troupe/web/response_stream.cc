// The response over a stream: the rest of the head, then the owner's bytes, then a moment for them to arrive.
#include "troupe/web/response_stream.h"

#include <array>

#include "troupe/actor/runtime/core.h"
#include "troupe/base/check.h"

namespace troupe::web {
namespace {

constexpr base::Duration lingering_time_max = std::chrono::seconds{1};  // as that of a WebSocket

class OpenResponse final : public ResponseStream, private net::StreamEvents, private actor::TurnEndHook {
 public:
  OpenResponse(actor::Core& core, std::unique_ptr<net::Stream> stream, std::string unsent)
      : core_(core), stream_(std::move(stream)), head_(std::move(unsent)) {
    stream_->pause_reading();
    stream_->start(*this);
  }

  void start(ResponseEvents& events) override;
  std::size_t write_some(std::span<const iovec> parts) override;
  void finish() override;
  const net::PeerAddress& peer() const override { return stream_->peer(); }

 private:
  enum class State : std::uint8_t {
    open,
    finished,  // waiting for the client to close
    ended,
  };
  struct Timer : actor::TimerNode {
    explicit Timer(OpenResponse& owner) noexcept : TimerNode(&Timer::fire), response(owner) {}
    static void fire(TimerNode& node) noexcept { static_cast<Timer&>(node).response.end(); }
    OpenResponse& response;
  };

  void on_bytes(std::span<char>) override {}
  void on_writable() override;
  void on_closed(net::CloseReason) override { end(); }
  void on_turn_end() override;
  void end();
  bool flush_head();

  actor::Core& core_;
  std::unique_ptr<net::Stream> stream_;
  std::string head_;
  ResponseEvents* events_ = nullptr;
  Timer timer_{*this};
  State state_ = State::open;
  bool owner_waits_ = false;  // its last write came short
};

void OpenResponse::start(ResponseEvents& events) {
  INVARIANT(events_ == nullptr, "a response was started twice");
  events_ = &events;
  if (state_ == State::ended) return core_.at_turn_end(*this);  // no event may come from inside this call
  stream_->resume_reading();
  flush_head();
}

void OpenResponse::on_turn_end() {
  if (state_ == State::ended) events_->on_closed();
}

/// True once nothing of the head waits.
bool OpenResponse::flush_head() {
  if (head_.empty()) return true;
  iovec part{head_.data(), head_.size()};
  head_.erase(0, stream_->write_some({&part, 1}));
  return head_.empty();
}

std::size_t OpenResponse::write_some(std::span<const iovec> parts) {
  std::size_t offered = 0;
  for (const auto& part : parts) offered += part.iov_len;
  if (state_ != State::open) return offered;
  std::size_t taken = flush_head() ? stream_->write_some(parts) : 0;
  owner_waits_ = taken < offered;
  return taken;
}

void OpenResponse::on_writable() {
  if (!flush_head()) return;
  if (state_ == State::finished) return stream_->shutdown_write();
  if (std::exchange(owner_waits_, false) && events_ != nullptr) events_->on_writable();
}

void OpenResponse::finish() {
  if (state_ != State::open) return;
  state_ = State::finished;
  if (flush_head()) stream_->shutdown_write();
  core_.timers().arm(timer_, core_.now() + lingering_time_max);
}

void OpenResponse::end() {
  if (std::exchange(state_, State::ended) == State::ended) return;
  core_.timers().disarm(timer_);
  stream_->close();
  if (events_ != nullptr) events_->on_closed();
}

}  // namespace

std::unique_ptr<ResponseStream> open_response(actor::Core& core, std::unique_ptr<net::Stream> stream,
                                              std::string unsent) {
  return std::make_unique<OpenResponse>(core, std::move(stream), std::move(unsent));
}

}  // namespace troupe::web
