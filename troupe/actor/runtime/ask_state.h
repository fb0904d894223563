// AskState: what becomes of a message that somebody waits for, and the waiting side of it in the frame that waits.
//
// Owned by the awaiter in the frame, known to the core by its number; used on the asker's core.
#pragma once

#include <optional>
#include <string>

#include "troupe/actor/runtime/envelope.h"
#include "troupe/actor/runtime/timers.h"

namespace troupe::actor {

struct Activation;
struct Waiter;

/// What became of what was told. `sent` to another core: it has a place there, or where it may be dropped, in the lane.
enum class Sent : std::uint8_t { sent, full, dead };

/// Whether a request was carried out, so that the caller knows whether to repeat it.
enum class Outcome : std::uint8_t {
  not_executed,     // refused, evicted, expired or dead before the handler was entered
  executed_failed,  // the handler threw, was restarted, or dropped its Reply
  unknown,          // none of the others is certain: a time-out
  answered,         // the handler answered with its domain error
};

struct AskFailure {
  Outcome outcome = Outcome::unknown;
  std::string what;
};

/// The waiting side of an ask, in the asker's frame, or of a stream. Its timer is the deadline, and before that the
/// next look for a deadlock. Destroyed while it waits, it tells the callee that nobody wants the answer any more.
struct AskState : TimerNode {
  AskState() noexcept : TimerNode(time_out) {}
  ~AskState();
  AskState(const AskState&) = delete;
  AskState& operator=(const AskState&) = delete;
  Core* core = nullptr;
  Activation* activation = nullptr;
  ReplyTo id;
  Address target;
  Instant deadline = Instant::never();
  bool entered = false;
  bool remote = false;
  bool timeless = false;    // its timer has yet to be armed (Core::place_asks)
  bool for_room = false;    // of a `send`: it is over when the message is admitted
  bool streams = false;     // of a stream's reader, which waits for the next item
  std::uint8_t probes = 0;  // looks for a deadlock so far
  std::uint16_t items = 0;  // of a stream that its reader waits for: how many have come, modulo 2^16
  std::optional<AskFailure> failure;

 private:
  static void time_out(TimerNode& node) noexcept;
};

/// The waiting side of a `send`, in the sender's frame.
struct SendState {
  Activation* activation = nullptr;
  Waiter* waiter = nullptr;
  Sent result = Sent::sent;
};

}  // namespace troupe::actor
