// Records in and out: what comes is decrypted into a buffer of one record on the stack, what
// leaves is encrypted from one, so that small parts share a record.
#include "troupe/net/tls_stream.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "troupe/base/check.h"

namespace troupe::net {
namespace {

constexpr std::size_t record_bytes = 16 * 1024;  // the most that one record holds (RFC 8446, 5.1)
constexpr std::size_t outgoing_max =
    4 * record_bytes;  // more than one write: answers to key updates of who never reads

/// Walks over the bytes of several parts.
class Gatherer {
 public:
  explicit Gatherer(std::span<const iovec> parts) noexcept : parts_(parts) {}

  /// The next bytes, as many as one record holds; small parts are joined in `room`.
  std::string_view next(std::array<char, record_bytes>& room) noexcept {
    while (!parts_.empty() && offset_ == parts_.front().iov_len) step();
    if (parts_.empty()) return {};
    if (auto rest = of_part(); rest.size() >= record_bytes || parts_.size() == 1) return taken(rest);
    std::size_t filled = 0;
    while (!parts_.empty() && filled < room.size()) {
      auto some = of_part().substr(0, room.size() - filled);
      if (!some.empty()) std::memcpy(room.data() + filled, some.data(), some.size());
      filled += taken(some).size();
      if (offset_ == parts_.front().iov_len) step();
    }
    return {room.data(), filled};
  }

 private:
  std::string_view of_part() const noexcept {
    return {static_cast<const char*>(parts_.front().iov_base) + offset_, parts_.front().iov_len - offset_};
  }
  std::string_view taken(std::string_view bytes) noexcept {
    bytes = bytes.substr(0, record_bytes);
    offset_ += bytes.size();
    return bytes;
  }
  void step() noexcept {
    parts_ = parts_.subspan(1);
    offset_ = 0;
  }

  std::span<const iovec> parts_;
  std::size_t offset_ = 0;  // in the first part
};

}  // namespace

TlsStream::TlsStream(actor::Core& core, std::unique_ptr<Stream> below, const crypto::TlsContext& context)
    : core_(core), below_(std::move(below)), session_(context) {}

TlsStream::~TlsStream() {
  if (gone_ != nullptr) *gone_ = true;
  close();
}

void TlsStream::shake_hands(TlsHandshakeEvents* events, Hello hello) {
  handshake_ = events;
  if (hello == Hello::say) session_.greet();
  below_->start(*this);
  flush();
}

void TlsStream::start(StreamEvents& events) {
  events_ = &events;
  if (std::exchange(waits_for_owner_, false) && !paused_ && !broken_) below_->resume_reading();
  // What waits here is handed on at the end of the turn, since no event may come from inside this call.
  core_.at_turn_end(*this);
}

// ---- reading ----

void TlsStream::pause_reading() {
  paused_ = true;
  below_->pause_reading();
}

void TlsStream::resume_reading() {
  paused_ = false;
  if (broken_) return;
  below_->resume_reading();
  core_.at_turn_end(*this);
}

void TlsStream::on_turn_end() {
  bool gone = false;
  gone_ = &gone;
  if (broken_) {
    tell_reset();
  } else if (may_hand_on()) {
    take({});
  }
  if (!gone) gone_ = nullptr;
}

void TlsStream::on_bytes(std::span<char> bytes) {
  bool gone = false;
  gone_ = &gone;
  if (peer_said_end_) {
    // Nothing may follow its last word.
  } else if (established_ && !may_hand_on()) {
    held_.append(bytes.data(), bytes.size());
  } else {
    take(bytes);
  }
  if (!gone) gone_ = nullptr;
}

/// Takes what is held, then `bytes`. Runs with gone_ set, for every event may destroy us.
void TlsStream::take(std::span<const char> bytes) {
  const bool& gone = *gone_;
  std::string held = std::exchange(held_, {});
  if (!held.empty()) {
    held.append(bytes.data(), bytes.size());
    bytes = held;
  }
  session_.feed(bytes);
  receive();
  if (gone) return;
  auto rest = session_.unread();
  if (!broken_ && !peer_said_end_) held_.assign(rest.data(), rest.size());
  session_.feed({});
  if (!broken_ && !flush() && session_.outgoing().size() > outgoing_max) fail();
}

void TlsStream::receive() {
  using Step = crypto::TlsSession::Step;
  const bool& gone = *gone_;
  std::array<char, record_bytes> plain;
  while (!broken_ && (!established_ || may_hand_on())) {
    auto [step, bytes] = session_.receive(plain);
    switch (step) {
      case Step::established:
        shaken();
        break;
      case Step::bytes:
        events_->on_bytes(std::span{plain}.first(bytes));
        break;
      case Step::wants:
        return input_ended_ ? tell_end() : void();
      case Step::finished:
        input_ended_ = peer_said_end_ = true;
        return tell_end();
      case Step::failed:
        return fail();
    }
    if (gone) return;
  }
}

void TlsStream::shaken() {
  const bool& gone = *gone_;
  established_ = true;
  flush();
  if (wants_finish_) finish_when_flushed();
  if (auto* events = std::exchange(handshake_, nullptr)) {
    events->on_handshake(TlsHandshakeEvents::Outcome::established);
    if (gone) return;
  }
  if (events_ == nullptr) {  // whoever will own it has no place yet
    waits_for_owner_ = true;
    below_->pause_reading();
  }
  if (events_ != nullptr && session_.outgoing().empty() && std::exchange(came_short_, false)) events_->on_writable();
}

void TlsStream::tell_end() {
  if (events_ == nullptr || std::exchange(told_end_, true)) return;
  events_->on_closed(CloseReason::finished);
}

/// The peer speaks no TLS, or breaks it, or is gone: what we have to say about that is tried once.
void TlsStream::fail() {
  flush();
  broken_ = true;
  below_->close();
  if (auto* events = std::exchange(handshake_, nullptr)) {
    return events->on_handshake(TlsHandshakeEvents::Outcome::failed);
  }
  tell_reset();
}

void TlsStream::tell_reset() {
  if (auto* events = std::exchange(events_, nullptr)) events->on_closed(CloseReason::reset);
}

StreamTrouble TlsStream::trouble() const {
  using Of = crypto::TlsSession::Failure::Of;
  auto [of, words] = session_.failure();
  if (of == Of::certificate) return {StreamTrouble::Of::certificate, std::move(words)};
  if (of == Of::protocol) return {StreamTrouble::Of::tls, std::move(words)};
  if (!established_ && reached_ && input_ended_) return {StreamTrouble::Of::tls, "closed during the handshake"};
  return {};
}

void TlsStream::on_closed(CloseReason reason) {
  bool gone = false;
  gone_ = &gone;
  input_ended_ = true;
  if (reason == CloseReason::reset || !established_) {
    fail();
  } else if (may_hand_on()) {
    take({});
  }
  if (!gone) gone_ = nullptr;
}

// ---- writing ----

std::size_t TlsStream::write_some(std::span<const iovec> parts) {
  std::size_t offered = 0, accepted = 0;
  for (const auto& part : parts) offered += part.iov_len;
  if (offered == 0) return 0;
  std::array<char, record_bytes> room;
  Gatherer gatherer{parts};
  const bool open = established_ && !broken_ && !wants_finish_;
  if (open) flush();  // of what the session answers by itself: else nobody would say that a write may go on
  while (open && accepted < offered && session_.outgoing().empty()) {
    auto bytes = gatherer.next(room);
    if (!session_.send(bytes)) {
      broken_ = true;
      below_->close();
      core_.at_turn_end(*this);  // the owner is told then
      break;
    }
    accepted += bytes.size();
    flush();
  }
  came_short_ = accepted < offered;
  return accepted;
}

/// Writes what the stream below takes; false when some is left, and then on_writable() follows.
bool TlsStream::flush() {
  auto& outgoing = session_.outgoing();
  if (broken_ || outgoing.empty()) return outgoing.empty();
  iovec part{outgoing.data(), outgoing.size()};
  const std::size_t taken = below_->write_some({&part, 1});
  if (taken > 0) reached_ = true;
  outgoing.erase(0, taken);
  if (outgoing.empty()) outgoing = {};  // an idle connection keeps no memory of it
  return outgoing.empty();
}

void TlsStream::on_writable() {
  bool gone = false;
  gone_ = &gone;
  if (flush()) {
    if (finished_) below_->shutdown_write();
    if (established_ && events_ != nullptr && std::exchange(came_short_, false)) events_->on_writable();
  }
  if (!gone) gone_ = nullptr;
}

void TlsStream::shutdown_write() {
  if (std::exchange(wants_finish_, true) || broken_ || !established_) return;
  finish_when_flushed();
}

void TlsStream::finish_when_flushed() {
  session_.finish();
  finished_ = true;
  if (flush()) below_->shutdown_write();
}

void TlsStream::close() {
  events_ = nullptr;
  handshake_ = nullptr;
  if (std::exchange(broken_, true)) return;
  if (!finished_) session_.finish();
  auto& outgoing = session_.outgoing();
  if (!outgoing.empty()) {
    iovec part{outgoing.data(), outgoing.size()};
    (void)below_->write_some({&part, 1});
  }
  below_->close();
}

}  // namespace troupe::net
