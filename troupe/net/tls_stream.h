// TlsStream: a Stream of plain bytes over one of encrypted bytes, at the server's end or the
// client's.
//
// It owns the stream below. Of its own it keeps what the stream below has not taken of at
// most one write's records, and what came while reading was paused. Until the handshake is
// done nothing is handed on. shutdown_write() says that no more follows once all has left;
// close() gives up what has not.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "troupe/actor/runtime/core.h"
#include "troupe/crypto/tls.h"
#include "troupe/net/stream.h"

namespace troupe::net {

class TlsStream;

/// Who waits for a handshake. It may destroy the stream in there.
class TlsHandshakeEvents {
 public:
  enum class Outcome : std::uint8_t { established, failed };
  virtual void on_handshake(Outcome outcome) = 0;

 protected:
  ~TlsHandshakeEvents() = default;
};

class TlsStream final : public Stream, private StreamEvents, private actor::TurnEndHook {
 public:
  TlsStream(actor::Core& core, std::unique_ptr<Stream> below, const crypto::TlsContext& context);
  TlsStream(const TlsStream&) = delete;
  TlsStream& operator=(const TlsStream&) = delete;
  ~TlsStream() override;

  /// Begins the handshake and tells `events` once how it ended; not needed by who calls start() at once. A client
  /// says `hello`.
  enum class Hello : std::uint8_t { wait, say };
  void shake_hands(TlsHandshakeEvents* events, Hello hello);

  void start(StreamEvents& events) override;
  std::size_t write_some(std::span<const iovec> parts) override;
  void pause_reading() override;
  void resume_reading() override;
  void shutdown_write() override;
  void close() override;
  const PeerAddress& peer() const override { return below_->peer(); }
  StreamTrouble trouble() const override;

 private:
  void on_bytes(std::span<char> bytes) override;
  void on_writable() override;
  void on_closed(CloseReason reason) override;
  void on_turn_end() override;

  void take(std::span<const char> bytes);
  void receive();
  void shaken();
  void tell_end();
  void fail();
  void tell_reset();
  bool flush();
  void finish_when_flushed();
  bool may_hand_on() const noexcept { return events_ != nullptr && !paused_; }

  actor::Core& core_;
  std::unique_ptr<Stream> below_;
  crypto::TlsSession session_;
  StreamEvents* events_ = nullptr;
  TlsHandshakeEvents* handshake_ = nullptr;
  std::string held_;      // came, and was not looked at: the owner has paused, or not begun
  bool* gone_ = nullptr;  // set to true when an event destroys us
  bool reached_ = false;  // the stream below has taken something
  bool established_ = false;
  bool paused_ = false;
  bool came_short_ = false;
  bool wants_finish_ = false;   // shutdown_write() was called
  bool finished_ = false;       // close_notify is on its way
  bool input_ended_ = false;    // the peer says no more
  bool peer_said_end_ = false;  // in TLS's own words: what comes after them is nothing
  bool waits_for_owner_ = false;
  bool told_end_ = false;
  bool broken_ = false;  // nothing comes or goes any more
};

}  // namespace troupe::net
