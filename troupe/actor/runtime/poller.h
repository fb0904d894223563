// Poller: where a core waits for sockets, for time and to be woken. Seven functions on epoll, and a simulated twin.
//
// Owned by one core; all but `wake` are called on its thread only. A handler must be removed
// before it dies; a removed one is not called any more, not even for events already fetched.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <vector>

#include "troupe/base/clock.h"

namespace troupe::actor {

struct IoEvents {
  bool read = false;
  bool write = false;
  bool closed = false;  // told, never asked for: error or hang-up
};

class IoHandler {
 public:
  virtual ~IoHandler() = default;
  /// On the core's thread, between two messages.
  virtual void on_io(IoEvents events) = 0;
};

class Poller {
 public:
  virtual ~Poller() = default;
  /// Level-triggered interest in a descriptor. Throws std::system_error where the kernel refuses.
  virtual void add(int fd, IoEvents interest, IoHandler& handler) = 0;
  virtual void change(int fd, IoEvents interest, IoHandler& handler) = 0;
  virtual void remove(int fd, IoHandler& handler) noexcept = 0;
  /// Waits at most `timeout` (nothing: for ever; zero: not at all). True if handlers are due; `dispatch` must follow.
  /// Two steps, so that the core can take the time anew after a long sleep and before the first handler sees it.
  [[nodiscard]] virtual bool wait(std::optional<base::Duration> timeout) = 0;
  /// Calls the handlers of what the last wait has fetched.
  virtual void dispatch() = 0;
  /// Ends the present or the next wait. Any thread.
  virtual void wake() noexcept = 0;
};

std::unique_ptr<Poller> epoll_poller();

/// The twin without descriptors: waits never block, since the simulator alone moves time.
std::unique_ptr<Poller> simulated_poller();

}  // namespace troupe::actor
