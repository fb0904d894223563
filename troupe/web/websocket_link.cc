// The link over a stream: frames of the owner and control frames of our own share one
// order of bytes, and the closing handshake ends in exactly one on_closed().
#include "troupe/web/websocket_link.h"

#include <algorithm>
#include <array>
#include <utility>

#include "troupe/actor/runtime/core.h"
#include "troupe/base/check.h"
#include "troupe/base/prefetch.h"

namespace troupe::web {
namespace {

using namespace std::chrono_literals;

constexpr base::Duration closing_time_max = 5s;      // for the peer's close frame after ours
constexpr base::Duration lingering_time_max = 1s;    // for our last words to arrive after a violation
constexpr std::size_t control_bytes_max = 4 * 1024;  // of pings and pongs for a peer that does not read

enum class State : std::uint8_t {
  open,
  close_sent,  // waiting for the peer's close frame
  lingering,   // the peer broke the protocol; we have said so and read no more
  ended,
};

class StreamLink final : public WebSocketLink, private net::StreamEvents, private ReceiveBudget::Holder {
 public:
  StreamLink(actor::Core& core, std::unique_ptr<net::Stream> stream, base::LocalRef<ReceiveBudget> receiving,
             std::string unsent, std::string received)
      : stream_(std::move(stream)), core_(core), receiving_(std::move(receiving)) {
    if (!unsent.empty() || !received.empty()) {
      waiting().control = std::move(unsent);
      waiting().received = std::move(received);
    }
    stream_->pause_reading();
    stream_->start(*this);
  }
  ~StreamLink() {
    if (gone_ != nullptr) *gone_ = true;
  }

  void start(WebSocketEvents& events, WebSocketLimits limits, wire::Inflater* inflater) override;
  std::size_t write_some(std::span<const iovec> frames) override;
  void prefetch_write() const noexcept override { base::prefetch(stream_.get()); }
  void ping(std::string_view payload) override { queue_control(Opcode::ping, payload); }
  void close(std::uint16_t code, std::string_view reason) override;
  void pause_reading() override;
  void resume_reading() override;
  const net::PeerAddress& peer() const override { return stream_->peer(); }

 private:
  struct Timer : actor::TimerNode {
    explicit Timer(StreamLink& owner) noexcept : TimerNode(&Timer::fire), link(owner) {}
    static void fire(TimerNode& node) noexcept { static_cast<Timer&>(node).link.on_timer(); }
    StreamLink& link;
  };
  /// Bytes that cannot go on their way at once, which there seldom are.
  struct Waiting final : actor::TurnEndHook {
    explicit Waiting(StreamLink& owner) noexcept : link(owner) {}
    void on_turn_end() override { link.read_waiting(); }
    StreamLink& link;
    std::string control;         // finished control frames; they go out between the owner's frames
    std::string received;        // came before start() or while reading was paused
    std::size_t frame_rest = 0;  // of the owner's frame that a short write has cut
  };

  void on_bytes(std::span<char> bytes) override;
  void on_writable() override;
  void on_closed(net::CloseReason reason) override;
  void give_up_received() override;
  void on_timer();

  Waiting& waiting();
  void forget_waiting();
  bool has_received() const noexcept { return waiting_ != nullptr && !waiting_->received.empty(); }
  bool has_control() const noexcept { return waiting_ != nullptr && !waiting_->control.empty(); }
  std::size_t frame_rest() const noexcept { return waiting_ != nullptr ? waiting_->frame_rest : 0; }
  void note_frame_rest(std::size_t rest);
  void read_waiting();
  void read(std::span<char> bytes);
  void take(const wire::WebSocketEvent& event);
  void take_close(std::string_view payload);
  void refuse(const wire::WebSocketError& error);
  void end(std::uint16_t code, std::string_view reason, Closing closing);

  void queue_control(Opcode opcode, std::string_view payload);
  void flush_control() { (void)write_batch({}, 0); }
  std::size_t write_batch(std::span<const iovec> frames, std::size_t offered);
  std::size_t write_between(std::span<const iovec> frames);
  std::size_t note_sent(std::span<const iovec> parts, std::size_t sent);
  void arm(base::Duration in);

  // First what a write needs, so that it takes one line of the processor's cache beside that of the bases.
  std::unique_ptr<net::Stream> stream_;
  std::unique_ptr<Waiting> waiting_;  // null while nothing waits
  std::uint16_t code_sent_ = wire::close_code::abnormal;
  State state_ = State::open;
  bool paused_ = false;
  bool owner_waits_ = false;  // its last write came short
  actor::Core& core_;
  WebSocketEvents* events_ = nullptr;
  wire::WebSocketDecoder decoder_{wire::WebSocketRole::server};
  ReceiveBudget::Share receiving_;
  bool* gone_ = nullptr;          // set to true when an event destroys us
  std::unique_ptr<Timer> timer_;  // null until it closes
};

StreamLink::Waiting& StreamLink::waiting() {
  if (waiting_ == nullptr) waiting_ = std::make_unique<Waiting>(*this);
  return *waiting_;
}

void StreamLink::forget_waiting() {
  if (!has_received() && !has_control() && frame_rest() == 0) waiting_.reset();
}

void StreamLink::note_frame_rest(std::size_t rest) {
  if (rest != frame_rest()) waiting().frame_rest = rest;
  forget_waiting();
}

void StreamLink::arm(base::Duration in) {
  if (timer_ == nullptr) timer_ = std::make_unique<Timer>(*this);
  core_.timers().arm(*timer_, core_.now() + in);
}

void StreamLink::start(WebSocketEvents& events, WebSocketLimits limits, wire::Inflater* inflater) {
  INVARIANT(events_ == nullptr, "a link was started twice");
  events_ = &events;
  decoder_ = wire::WebSocketDecoder{wire::WebSocketRole::server, limits, inflater};
  if (state_ == State::ended) return arm({});  // before there was anybody to tell
  resume_reading();
  flush_control();
}

// --- reading ---------------------------------------------------------------------------

void StreamLink::pause_reading() {
  paused_ = true;
  stream_->pause_reading();
}

void StreamLink::resume_reading() {
  paused_ = false;
  stream_->resume_reading();
  // What waits here is read at the end of the turn, since no event may come from inside this call.
  if (has_received()) core_.at_turn_end(*waiting_);
}

void StreamLink::read_waiting() {
  if (!has_received() || paused_) return;
  bool gone = false;
  gone_ = &gone;
  std::string bytes = std::exchange(waiting_->received, {});
  forget_waiting();
  read(bytes);
  if (!gone) gone_ = nullptr;
}

void StreamLink::on_bytes(std::span<char> bytes) {
  bool gone = false;
  gone_ = &gone;
  if (paused_ || has_received()) {
    waiting().received.append(bytes.data(), bytes.size());
  } else {
    read(bytes);
  }
  if (!gone) gone_ = nullptr;
}

/// Runs with gone_ set, for every event may destroy us.
void StreamLink::read(std::span<char> bytes) {
  const bool& gone = *gone_;
  while (state_ == State::open || state_ == State::close_sent) {
    if (paused_) {
      waiting().received.assign(bytes.data(), bytes.size());
      return;
    }
    auto event = decoder_.next(bytes);
    if (!event) return refuse(event.error());
    if (!*event) return receiving_.hold(*this, decoder_.bytes_held());
    take(**event);
    if (gone) return;
  }
}

void StreamLink::take(const wire::WebSocketEvent& event) {
  if (event.opcode == Opcode::close) return take_close(event.payload);
  if (state_ != State::open) return;
  if (event.opcode == Opcode::ping) {
    queue_control(Opcode::pong, event.payload);
  } else if (event.opcode == Opcode::pong) {
    events_->on_pong(event.payload);
  } else {
    events_->on_message(event.opcode, event.payload);
  }
}

void StreamLink::take_close(std::string_view payload) {
  auto [code, reason] = wire::read_close(payload);
  if (state_ == State::open) {
    events_->on_closing();
    // The answer echoes the code (RFC 6455, 5.5.1). A frame of the owner's that is cut stays cut: nobody reads it.
    waiting().control += wire::encode_frame(Opcode::close, payload.substr(0, 2));
    flush_control();
  }
  std::string said{reason};
  end(code, said, Closing::clean);
}

// Others sent, and this one had held for the longest. Also from inside of another link's events.
void StreamLink::give_up_received() {
  (void)std::exchange(decoder_, wire::WebSocketDecoder{wire::WebSocketRole::server});  // with its memory
  if (state_ == State::open)
    return refuse({wire::close_code::try_again_later, "too much is being received by this server"});
  stream_->pause_reading();  // until the time for the peer's close frame is over
}

/// Tells the peer what it did wrong, and waits a moment so that closing does not destroy the words on their way.
void StreamLink::refuse(const wire::WebSocketError& error) {
  if (state_ == State::close_sent) return end(error.code, error.why, Closing::broken);
  events_->on_closing();
  waiting().control += wire::encode_close(error.code, error.why);
  code_sent_ = error.code;
  state_ = State::lingering;
  flush_control();
  stream_->shutdown_write();
  arm(lingering_time_max);
}

void StreamLink::close(std::uint16_t code, std::string_view reason) {
  if (state_ != State::open) return;
  waiting().control += wire::encode_close(code, reason);
  code_sent_ = code;
  state_ = State::close_sent;
  flush_control();
  arm(closing_time_max);
}

void StreamLink::on_timer() {
  if (state_ != State::ended) return end(code_sent_, "the peer did not close in time", Closing::broken);
  events_->on_closed({.code = code_sent_, .reason = "the stream ended", .closing = Closing::broken});
}

void StreamLink::on_closed(net::CloseReason) {
  end(code_sent_, state_ == State::lingering ? "the protocol was broken" : "the stream ended", Closing::broken);
}

void StreamLink::end(std::uint16_t code, std::string_view reason, Closing closing) {
  if (std::exchange(state_, State::ended) == State::ended) return;
  if (timer_ != nullptr) core_.timers().disarm(*timer_);
  stream_->close();
  if (events_ != nullptr) events_->on_closed({.code = code, .reason = std::string{reason}, .closing = closing});
}

// --- writing ---------------------------------------------------------------------------

void StreamLink::queue_control(Opcode opcode, std::string_view payload) {
  if (state_ != State::open || (waiting_ && waiting_->control.size() > control_bytes_max)) return;
  waiting().control += wire::encode_frame(opcode, payload);
  flush_control();
}

void StreamLink::on_writable() {
  flush_control();
  bool control_is_next = frame_rest() == 0 && has_control();
  if (control_is_next || !owner_waits_ || state_ == State::ended) return;
  owner_waits_ = false;
  if (events_ != nullptr) events_->on_writable();
}

std::size_t StreamLink::write_some(std::span<const iovec> frames) {
  INVARIANT(frame_rest() == 0 || frames.empty() || frames[0].iov_len == frame_rest(),
            "the rest of a cut frame must come first");
  std::size_t accepted = 0;
  while (!frames.empty()) {
    if (state_ != State::open && frame_rest() == 0) {
      for (const auto& frame : frames) accepted += frame.iov_len;
      return accepted;
    }
    constexpr std::size_t batch_max = 64;
    auto batch = frames.first(state_ == State::open ? std::min(frames.size(), batch_max) : 1);
    std::size_t offered = 0;
    for (const auto& frame : batch) offered += frame.iov_len;
    std::size_t taken = write_batch(batch, offered);
    accepted += taken;
    if (taken < offered) {
      owner_waits_ = true;
      return accepted;
    }
    frames = frames.subspan(batch.size());
  }
  return accepted;
}

/// One write of the owner's frames and of the control frames that wait. Gives how many bytes of the owner's were taken.
std::size_t StreamLink::write_batch(std::span<const iovec> frames, std::size_t offered) {
  if (has_control()) [[unlikely]]
    return write_between(frames);
  if (frames.empty()) return 0;
  const std::size_t sent = stream_->write_some(frames);
  if (sent < offered) [[unlikely]]
    return note_sent(frames, sent);
  if (waiting_ != nullptr) note_frame_rest(0);
  return sent;
}

/// First the owner's cut frame, if any, then our control frames, then the owner's other frames.
std::size_t StreamLink::write_between(std::span<const iovec> frames) {
  if (frames.empty() && frame_rest() > 0) return 0;  // while a frame is cut, control frames wait for its rest
  std::array<iovec, 65> parts;
  const auto first = frames.first(frame_rest() > 0 ? 1 : 0);
  const auto others = frames.subspan(first.size());
  auto end = std::ranges::copy(first, parts.begin()).out;
  const std::size_t waits = waiting_->control.size();
  *end++ = {waiting_->control.data(), waits};
  end = std::ranges::copy(others, end).out;
  const std::size_t sent = stream_->write_some({parts.begin(), end});

  const std::size_t of_first = note_sent(first, sent);
  const std::size_t of_control = std::min(sent - of_first, waits);
  waiting_->control.erase(0, of_control);
  forget_waiting();
  return of_first + note_sent(others, sent - of_first - of_control);
}

/// What is missing of the frame at whose front, middle or end the first `taken` bytes of whole frames end.
std::size_t rest_of_frame(std::string_view frames, std::size_t taken) {
  std::size_t end = 0;
  while (end < taken) end += wire::finished_frame_bytes(frames.substr(end));
  return end - taken;
}

/// Of `sent` bytes so many belong to these parts; the last frame that they reach may be cut.
std::size_t StreamLink::note_sent(std::span<const iovec> parts, std::size_t sent) {
  std::size_t left = sent;
  bool is_rest = frame_rest() > 0;  // the first part, of the frame that was cut before
  for (const auto& part : parts) {
    if (left == 0) return sent;
    const std::size_t taken = std::min(left, part.iov_len);
    const std::string_view bytes{static_cast<const char*>(part.iov_base), part.iov_len};
    note_frame_rest(std::exchange(is_rest, false) ? part.iov_len - taken : rest_of_frame(bytes, taken));
    left -= taken;
  }
  return sent - left;
}

}  // namespace

std::unique_ptr<WebSocketLink> open_websocket(actor::Core& core, std::unique_ptr<net::Stream> stream,
                                              base::LocalRef<ReceiveBudget> receiving, std::string unsent,
                                              std::string received) {
  return std::make_unique<StreamLink>(core, std::move(stream), std::move(receiving), std::move(unsent),
                                      std::move(received));
}

}  // namespace troupe::web
