// Stream: one connected byte stream, a socket or its memory twin. Pinned to the core that
// made it; whoever holds the unique_ptr owns the connection, and destroying it closes it.
//
// Bytes come in through the core's one shared read buffer and go out at once; a stream
// keeps no bytes of its own. Its events are called on its core, one at a time, never
// from inside one of the stream's own functions. An event may destroy the stream.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "troupe/net/address.h"

namespace troupe::net {

enum class CloseReason : std::uint8_t {
  finished,  // the peer sends no more; what we write may still reach it
  reset,     // the connection is gone in both directions
};

/// Why nothing can be said on a stream that somebody answered, as far as the stream knows.
struct StreamTrouble {
  enum class Of : std::uint8_t { nothing, certificate, tls };  // certificate: the peer's is not trusted
  Of of = Of::nothing;
  std::string words{};  // for people, without a full stop
};

/// Who is told of what happens on a stream. Exceptions must not leave these functions.
class StreamEvents {
 public:
  /// Bytes have come. They lie in the core's read buffer: the receiver may change them in place, and must copy
  /// what it wants to keep, for they are gone when this returns.
  virtual void on_bytes(std::span<char> bytes) = 0;

  /// A write that came short may be continued.
  virtual void on_writable() = 0;

  /// No more bytes will come. Called once for each reason at most; after `reset` nothing follows.
  virtual void on_closed(CloseReason reason) = 0;

 protected:
  ~StreamEvents() = default;
};

class Stream {
 public:
  virtual ~Stream() = default;

  /// Begins reading, and tells `events` from now on; called again, it hands the stream to another owner. `events`
  /// must outlive the stream or the next start().
  virtual void start(StreamEvents& events) = 0;

  /// Writes what the peer takes now, without waiting. Gives the number of bytes accepted; when that is less than was
  /// offered, on_writable() or on_closed(reset) follows.
  virtual std::size_t write_some(std::span<const iovec> parts) = 0;

  /// Stops and continues on_bytes(); the peer is slowed down by its full window.
  virtual void pause_reading() = 0;
  virtual void resume_reading() = 0;

  /// Tells the peer that no more bytes follow, and goes on reading.
  virtual void shutdown_write() = 0;

  /// Ends the connection now; no event follows. Bytes accepted before are still delivered by the system.
  virtual void close() = 0;

  virtual const PeerAddress& peer() const = 0;

  /// What led to `reset`, where more is known than that.
  virtual StreamTrouble trouble() const { return {}; }
};

}  // namespace troupe::net
