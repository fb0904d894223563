// ResponseStream: a response whose body goes on for as long as its owner likes, such as a
// stream of events. The head has been sent; the end of the connection is the end of the body.
//
// Its owner writes the body piece by piece and keeps what the stream does not take; here
// lies only what was not taken yet of the head. What the client still sends is thrown away, and a client that says
// that it sends no more has left. One core; events are never called from inside its own functions. An event may
// destroy it, and destroying it closes the connection.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "troupe/net/stream.h"

namespace troupe::actor {
class Core;
}

namespace troupe::web {

/// Who is told of what happens to a streamed response. Exceptions must not leave these functions.
class ResponseEvents {
 public:
  /// A write that came short may be continued.
  virtual void on_writable() = 0;
  /// The connection has ended: the last event, called exactly once unless the response is destroyed before.
  virtual void on_closed() = 0;

 protected:
  ~ResponseEvents() = default;
};

class ResponseStream {
 public:
  virtual ~ResponseStream() = default;

  /// Begins to tell `events`, which must outlive the response.
  virtual void start(ResponseEvents& events) = 0;

  /// Writes bytes of the body without waiting; gives how many were taken, after a short write on_writable() or
  /// on_closed() follows. After finish() all is taken and dropped.
  virtual std::size_t write_some(std::span<const iovec> parts) = 0;

  /// The body ends here. The client has a moment to take what is on its way; then on_closed() follows.
  virtual void finish() = 0;

  virtual const net::PeerAddress& peer() const = 0;
};

/// The response over a stream to which its head has been written, save `unsent`, which was not taken yet.
std::unique_ptr<ResponseStream> open_response(actor::Core& core, std::unique_ptr<net::Stream> stream,
                                              std::string unsent);

}  // namespace troupe::web
