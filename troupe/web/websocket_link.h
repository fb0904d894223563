// WebSocketLink: one open WebSocket. It owns the stream, speaks RFC 6455 on it, answers
// pings and the closing handshake itself, and hands whole messages to its owner.
//
// It keeps bytes only of an incomplete incoming frame and of control frames that wait for
// a full socket or for the end of a frame of the owner's; what the owner sends stays with the owner until the stream
// takes it. One core; events are never called from inside the link's own functions. An event may destroy the link, and
// destroying it closes the connection.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "troupe/base/clock.h"
#include "troupe/net/stream.h"
#include "troupe/web/receive_budget.h"
#include "troupe/wire/websocket.h"

namespace troupe::actor {
class Core;
}

namespace troupe::web {

using wire::Opcode;
using wire::WebSocketLimits;

enum class Closing : std::uint8_t {
  clean,   // both sides sent a close frame
  broken,  // the stream ended without one, or the peer broke the protocol or the time limit
};

/// How a WebSocket ended: what the peer said, or the code with which we refused it; 1006 when nobody said anything.
struct WebSocketClosed {
  std::uint16_t code;
  std::string reason;
  Closing closing;
};

/// Who is told of what happens on a link. Exceptions must not leave these functions (use an actor's Entry).
class WebSocketEvents {
 public:
  /// A whole message; `opcode` is text (valid UTF-8) or binary. The bytes are gone when this returns.
  virtual void on_message(Opcode opcode, std::string_view message) = 0;
  virtual void on_pong(std::string_view payload) = 0;
  /// A write that came short may be continued.
  virtual void on_writable() = 0;
  /// The peer closes, or is refused for what it sent: the last moment to write, for what is written later is dropped.
  /// The link must not be destroyed in it.
  virtual void on_closing() {}
  /// The last event, called exactly once unless the link is destroyed before.
  virtual void on_closed(const WebSocketClosed& closed) = 0;

 protected:
  ~WebSocketEvents() = default;
};

class WebSocketLink {
 public:
  virtual ~WebSocketLink() = default;

  /// Begins to tell `events`, which must outlive the link, and so must `inflater`: where permessage-deflate was agreed
  /// on, it reads compressed messages. Until then nothing is read.
  virtual void start(WebSocketEvents& events, WebSocketLimits limits, wire::Inflater* inflater = nullptr) = 0;

  /// Writes frames without waiting; gives the number of bytes accepted, after a short write on_writable() follows.
  /// Each part is a finished frame (wire::encode_frame), or some behind each other, save that after a short write the
  /// first part must be the rest of the frame that was cut. After close() all but such a rest is accepted and dropped.
  virtual std::size_t write_some(std::span<const iovec> frames) = 0;
  /// A write will follow soon: what it needs of memory is brought near. The link itself should be near already.
  virtual void prefetch_write() const noexcept {}

  /// Sends a ping of at most 125 bytes. It is dropped when 4 KiB of control frames already wait for a full socket.
  virtual void ping(std::string_view payload) = 0;

  /// Sends a close frame once and waits for the peer's, up to a time limit; then on_closed() follows. Messages that
  /// still come are dropped. `code` must be one that may be sent.
  virtual void close(std::uint16_t code, std::string_view reason) = 0;

  virtual void pause_reading() = 0;
  virtual void resume_reading() = 0;

  virtual const net::PeerAddress& peer() const = 0;
};

/// The link over a stream whose handshake is done. `receiving` bounds what it holds, with others, of messages that have
/// not come whole; past that it is closed with 1013. `unsent` is what the stream has not taken yet of the 101,
/// `received` what the client sent after its handshake.
std::unique_ptr<WebSocketLink> open_websocket(actor::Core& core, std::unique_ptr<net::Stream> stream,
                                              base::LocalRef<ReceiveBudget> receiving, std::string unsent,
                                              std::string received);

}  // namespace troupe::web
