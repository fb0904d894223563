// Options of an actor: its mailbox, how it is supervised, and how it supervises its children.
//
// Aggregates with a default for everything; the comment behind a default says why it is that.
#pragma once

#include <cstdint>
#include <string>

#include "troupe/actor/runtime/supervision.h"

namespace troupe::actor {

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
