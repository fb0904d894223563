// SocketWait: how a session of a database waits for its socket. On the thread that it may hold, by poll(2); on a core,
// by giving the core back until the socket is ready (core_wait.h).
#pragma once

#include "troupe/actor/runtime/poller.h"
#include "troupe/base/clock.h"

namespace troupe::store {

enum class Waited : std::uint8_t {
  ready,
  late,       // nothing came in time
  cancelled,  // who waits for the result has gone: give up
};

class SocketWait {
 public:
  virtual ~SocketWait() = default;
  /// Waits until the socket is ready for what is asked, or closed. Throws std::system_error where the kernel refuses.
  virtual Waited wait(int socket, actor::IoEvents interest, base::Duration at_most) = 0;
  /// The socket is about to be closed, or was closed just now: before its number can belong to another one.
  virtual void forget(int socket) noexcept = 0;
};

/// Holds its thread.
class BlockingWait final : public SocketWait {
 public:
  Waited wait(int socket, actor::IoEvents interest, base::Duration at_most) override;
  void forget(int) noexcept override {}
};

}  // namespace troupe::store
