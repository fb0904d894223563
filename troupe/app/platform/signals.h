// Signals: those that the main thread waits for, blocked in it and in all threads that it starts, so that no handler
// runs in the middle of anything. On the main thread, before any other exists.
#pragma once

#include <csignal>
#include <initializer_list>
#include <optional>

#include "troupe/base/clock.h"
#include "troupe/net/descriptor.h"

namespace troupe::app {

class Signals {
 public:
  /// SIGPIPE is ignored from now on, too: a peer that has gone is an error of the write.
  explicit Signals(std::initializer_list<int> wanted);
  /// What has come and was not waited for is forgotten: unblocked, it would end a process that has ended well.
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  int wait() const;
  /// None when none came in time.
  std::optional<int> wait(base::Duration within) const;

  /// A descriptor that can be read as long as one waits; for poll(2). Throws std::system_error.
  net::Descriptor descriptor() const;

 private:
  sigset_t set_{};
  sigset_t before_{};
};

/// While it lives, SIGTERM and SIGINT end the process at once, with status 0 and a line on stderr, where the thread
/// that made it is waiting for what may take long. One that has come before does so now. Others' threads hear nothing
/// of it.
class EndsAtOnce {
 public:
  EndsAtOnce();
  ~EndsAtOnce();
  EndsAtOnce(const EndsAtOnce&) = delete;
  EndsAtOnce& operator=(const EndsAtOnce&) = delete;

 private:
  sigset_t before_{};
  struct sigaction terminate_before_{};
  struct sigaction interrupt_before_{};
};

/// Sends one of them to this process: how other threads report to the main thread.
void send_to_main(int signal);

}  // namespace troupe::app
