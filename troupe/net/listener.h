// Listener: where connections come from, a listening socket or a memory network. Pinned to
// the core that made it; destroying it stops listening.
//
// Several cores listen at one address (SO_REUSEPORT) and the kernel spreads the
// connections. When the process has no descriptors left, accepting pauses by itself and
// says so, rather than spin on a queue that it cannot empty.
#pragma once

#include <memory>

#include "troupe/net/address.h"
#include "troupe/net/read_buffer.h"
#include "troupe/net/stream.h"

namespace troupe::actor {
class Core;
}

namespace troupe::net {

/// Who is told of new connections. Exceptions must not leave these functions.
class ListenerEvents {
 public:
  /// A connection has come. Its events begin with start().
  virtual void on_stream(std::unique_ptr<Stream> stream) = 0;

  /// No descriptors or memory are left: accepting has paused, try resume() in a while.
  virtual void on_exhausted() = 0;

 protected:
  ~ListenerEvents() = default;
};

class Listener {
 public:
  virtual ~Listener() = default;

  /// Begins to accept. `events` must outlive the listener.
  virtual void start(ListenerEvents& events) = 0;

  /// Leaves connections waiting in the backlog, and takes them again.
  virtual void pause() = 0;
  virtual void resume() = 0;

  /// Where it listens; the port is the real one even if 0 was asked for.
  virtual const Endpoint& address() const = 0;
};

/// Listens on TCP at `address` for connections that belong to `core`. Throws std::system_error ("listen on ...").
std::unique_ptr<Listener> listen_tcp(actor::Core& core, const Endpoint& address, int backlog = 4096);

}  // namespace troupe::net
