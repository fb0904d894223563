// Options of an actor: its mailbox, how it is supervised, and how it supervises its children.
//
// Aggregates with a default for everything; the comment behind a default says why it is that.
#pragma once

#include <cstdint>
#include <exception>
#include <functional>
#include <string>

#include "troupe/base/clock.h"

namespace troupe::actor {

using namespace std::chrono_literals;
using base::Duration;

/// What becomes of a message that finds the mailbox full: an older one goes, it goes, it is parked, it is refused.
enum class Overflow : std::uint8_t { drop_oldest, drop_newest, block, backpressure };

struct MailboxOptions {
  std::uint32_t capacity = 1000;               // bounded by default, so that one slow actor cannot take the memory
  Overflow overflow = Overflow::backpressure;  // nothing is lost unless the author says that it may be
  Duration block_for = 5s;                     // how long `block` parks a message before it is dropped
  std::size_t bytes_max = 0;                   // of messages that say their size; 0: bounded by number alone
  std::uint32_t stash_max = 100;               // messages put aside; they stand outside the capacity
  bool priorities = false;                     // first in, first out over all, unless some messages matter more
};

/// How an actor that handles a `Batch<M>` is given it: so many, or what came within this time of the first.
struct BatchOptions {
  std::uint32_t messages = 100;                     // a write of a hundred costs little more than one of ten
  Duration within = std::chrono::milliseconds{10};  // nobody notices
};

/// What a supervisor does about a child's fault.
enum class Directive : std::uint8_t { resume, restart, stop, escalate };

/// Whether a child is started again: after a fault and when it stops itself; after a fault only; never.
enum class Restart : std::uint8_t { permanent, transient, temporary };

/// More than `restarts` restarts within `within` and the supervisor gives up: it fails itself.
struct Intensity {
  std::uint32_t restarts = 5;
  Duration within = 30s;
  friend bool operator==(const Intensity&, const Intensity&) = default;
};

/// The n-th restart in a row waits min * 2^(n-1), at most max, varied by +-jitter (a fraction). A child that then runs
/// for `reset_after` starts again at min.
struct Backoff {
  Duration min = 50ms;
  Duration max = 10s;
  double jitter = 0.2;  // so that what failed together does not come back together
  Duration reset_after = 30s;
  friend bool operator==(const Backoff&, const Backoff&) = default;
};

struct Supervision {
  Intensity intensity{};
  Backoff backoff{};
  /// By exception; empty: restart.
  std::function<Directive(const std::exception_ptr&)> decide{};
};

inline constexpr int any_core = -1;

struct ActorOptions {
  std::string name{};   // unique among its siblings by convention; empty: shown by number
  int core = any_core;  // any: the parent's core
  MailboxOptions mailbox{};
  Restart restart = Restart::transient;  // an actor that stops itself has its reasons
  Duration shutdown = 5s;                // how long its parent waits for it when stopping
  std::uint32_t in_flight_max = 1024;    // suspended handlers at once, for actors that interleave
  Supervision supervision{};             // of its children
};

}  // namespace troupe::actor
