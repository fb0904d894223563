// Delegated: the duty to answer, handed on to another actor.
//
// A handler that returns `ref.delegate(m)` has done with its asker: the other actor answers
// it directly, with the deadline that it set, and the asker still gets exactly one outcome.
// The outcome speaks of the other: `not_executed` means that it never began. What was told
// and not asked is handed on as a message that nobody waits for. Own core, like its handler.
#pragma once

#include "troupe/actor/runtime/asking.h"
#include "troupe/actor/runtime/core.h"

namespace troupe::actor {

template <class R, class E>
class [[nodiscard]] Delegated {
 public:
  /// Made by `Ref::delegate`. The envelope is on nobody's way yet; null: there is nobody to ask.
  explicit Delegated(Envelope* envelope) noexcept : envelope_(envelope) {}
  Delegated(Delegated&& other) noexcept : envelope_(std::exchange(other.envelope_, nullptr)) {}
  Delegated& operator=(Delegated&& other) noexcept {
    std::swap(envelope_, other.envelope_);
    return *this;
  }
  ~Delegated() {
    if (envelope_ != nullptr) Core::current()->destroy(envelope_);
  }

  /// For the runtime: sends the message on its way, to be answered to `reply` before `deadline`.
  void hand_on(Core& core, ReplyTo reply, Instant deadline) noexcept {
    Envelope* envelope = std::exchange(envelope_, nullptr);
    if (envelope == nullptr) {
      if (reply) core.fail_ask(reply, Outcome::not_executed, "there is nobody to ask");
      return;
    }
    if (!asking::moved(core, reply, {envelope->target, envelope->generation})) [[unlikely]] {
      core.drop(envelope, nullptr, Drop::unwanted);
      return;
    }
    envelope->reply = reply;
    envelope->deadline = deadline;
    Core::submit(&core, *envelope->target->owner, envelope);
  }

 private:
  Envelope* envelope_;
};

namespace detail {

template <class T>
inline constexpr bool is_delegated = false;
template <class R, class E>
inline constexpr bool is_delegated<Delegated<R, E>> = true;

}  // namespace detail
}  // namespace troupe::actor
