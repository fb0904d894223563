// ClientSocket: one WebSocket of a client of ours, from its handshake to its end.
//
// It owns its stream, whatever that is (a socket, TLS on one, memory), answers pings and the closing handshake, and
// hands whole messages to its owner. What was sent in a turn leaves in one write; what the server does not take is kept
// up to a bound, beyond which the connection ends. One core. Its events are never called from inside its own
// functions, and may destroy it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "troupe/actor/actor.h"
#include "troupe/base/strong.h"
#include "troupe/net/stream.h"
#include "troupe/realtime/client/handshake_answer.h"
#include "troupe/wire/websocket.h"

namespace troupe::realtime {

/// Makes the stream of a new connection on this core; what comes of it, its events tell. Throws std::system_error where
/// that is known at once.
using Dial = std::function<std::unique_ptr<net::Stream>(actor::Core&)>;

using AccessToken = base::Secret<std::string>;

/// Gives an access token other than `last`, where there is one by now. Called on the core of who asks.
using RenewToken = std::function<std::optional<AccessToken>(const AccessToken& last)>;

/// How a connection ended before the handshake was answered.
struct NoAnswer {
  bool was_reached = false;  // something of us has left
  net::StreamTrouble trouble{};
};

struct ClientSocketOptions {
  std::string host;                                                  // what the Host field says
  std::string target;                                                // path and query: "/ws"
  AccessToken token{};                                               // empty: none is shown
  std::function<std::string(const NoAnswer&)> words_of_no_answer{};  // a sentence; none: nobody answers there
  base::Duration handshake_within = std::chrono::seconds{10};
  base::Duration closing_within = std::chrono::seconds{5};  // of the server's close frame, after ours
  std::size_t message_bytes_max = 32 * 1024 * 1024;         // what a server may make us hold
  std::size_t unsent_bytes_max = 16 * 1024 * 1024;          // what we hold for one that does not read
};

/// How a socket ended.
struct SocketEnd {
  enum class Cause : std::uint8_t {
    unreachable,  // no answer to the handshake came
    refused,      // the handshake was answered with a status that opens nothing, which is the code
    closed,       // with the code of a close frame
    lost,         // without one
    silent,       // nothing came for longer than expect_words_within() allows
    broken,       // the server broke the protocol
    full,         // the server does not take what we send
  };
  Cause cause = Cause::lost;
  std::uint16_t code = 0;
  std::string reason;  // the server's, or why it is broken
};

/// A sentence for people, without a full stop.
std::string in_words(const SocketEnd& end);

/// Who is told of what happens on a socket. Exceptions must not leave these functions.
class ClientSocketEvents {
 public:
  virtual void on_open() {}
  /// A whole message; the bytes are gone when this returns.
  virtual void on_frame(wire::Opcode opcode, std::string_view message) = 0;
  /// The last event.
  virtual void on_end(const SocketEnd& end) = 0;

 protected:
  ~ClientSocketEvents() = default;
};

class ClientSocket final : private net::StreamEvents, private actor::TurnEndHook {
 public:
  /// Begins the handshake. `events` must outlive the socket.
  ClientSocket(actor::Core& core, std::unique_ptr<net::Stream> stream, ClientSocketOptions options,
               ClientSocketEvents& events);
  ClientSocket(const ClientSocket&) = delete;
  ClientSocket& operator=(const ClientSocket&) = delete;
  ~ClientSocket();

  /// Sends a message once the socket is open; dropped after close() and after the end.
  void send(wire::Opcode opcode, std::string_view message);
  /// Shows another token on the open connection, as send() would; the server answers with a frame that bears `id`.
  void authenticate(std::string_view id, const AccessToken& token);
  /// Closes in order: what was sent before leaves first; on_end() follows.
  void close(std::uint16_t code);
  /// From now on a server that says nothing for so long, no ping either, is given up.
  void expect_words_within(base::Duration duration);
  /// What the server has not taken yet.
  std::size_t unsent_bytes() const noexcept { return unsent_.size() - sent_; }

  /// A reader that is slow on purpose.
  void pause_reading() { stream_->pause_reading(); }
  void resume_reading() { stream_->resume_reading(); }

 private:
  enum class Phase : std::uint8_t { shaking, open, closing, ended };
  struct Alarm final : actor::TimerNode {
    explicit Alarm(ClientSocket& its) noexcept : TimerNode(ring), socket(its) {}
    static void ring(actor::TimerNode& node) noexcept { static_cast<Alarm&>(node).socket.on_alarm(); }
    ClientSocket& socket;
  };

  void on_bytes(std::span<char> bytes) override;
  void on_writable() override { flush(); }
  void on_closed(net::CloseReason reason) override;
  void on_turn_end() override;
  void on_alarm();

  void take_head(std::span<char> bytes);
  void take_frames(std::span<char> bytes);
  void append(wire::Opcode opcode, std::string_view payload);
  void answer_close(std::string_view payload);
  void flush();
  void fail(SocketEnd::Cause cause, std::string reason = {});
  void end(SocketEnd how);

  actor::Core& core_;
  std::unique_ptr<net::Stream> stream_;
  ClientSocketOptions options_;
  ClientSocketEvents& events_;
  HandshakeOffer offer_;
  wire::WebSocketDecoder decoder_;
  Alarm alarm_{*this};
  std::string head_;    // of the answer, until it is whole
  std::string unsent_;  // frames, and at first the handshake
  std::size_t sent_ = 0;
  bool was_reached_ = false;  // some of it has left
  std::string early_;         // frames that were sent before the socket was open
  base::Instant heard_{};
  std::optional<base::Duration> silence_max_;
  bool* gone_ = nullptr;  // set to true when an event destroys us
  Phase phase_ = Phase::shaking;
};

}  // namespace troupe::realtime
