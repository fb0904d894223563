// StreamSource: the sending end of a stream, in the frame of the handler that
// yields.
//
// A frame runs only while it has credit; `co_yield` of the last one waits for
// more. While it waits there, and only there, it does not suspend its actor:
// other messages are handled, and it goes on as soon as nothing that does
// suspend the actor is in its way. What is for another core is collected and
// leaves at the end of the turn. The source has a slot in its core's table of
// asks, which is where credit and cancellation find it.
#pragma once

#include "troupe/actor/runtime/core.h"

namespace troupe::actor {

class StreamSource : public AskState, public TurnEndHook {
 public:
  StreamSource() = default;
  StreamSource(const StreamSource&) = delete;
  StreamSource& operator=(const StreamSource&) = delete;

  /// Begins; who asked is the reader.
  void open(Activation& its_activation, std::uint32_t credit);
  ReplyTo reader() const noexcept { return activation->reply; }
  bool reader_is_here() const noexcept { return reader().core() == core->index(); }

  bool has_credit() const noexcept { return credit_ > 0; }
  /// How many items so far, modulo 2^16. Not once it is abandoned.
  std::uint16_t yielded() const noexcept { return static_cast<std::uint16_t>(granted_ - credit_); }
  void spend() noexcept;
  void grant(std::uint32_t credit) noexcept;

  /// At a `co_yield` without credit: until there is some.
  void wait_for_credit(std::coroutine_handle<> frame) noexcept;
  /// Sends what is collected.
  void flush() noexcept;
  /// Nobody reads any more: the frame is ended in the next turn, and yields
  /// nothing until then.
  void abandon() noexcept;
  /// The same from outside of the frame, at once.
  void end() noexcept;

  void on_turn_end() override { flush(); }

 protected:
  ~StreamSource();

  Envelope* collected_ = nullptr;

 private:
  std::uint32_t credit_ = 0;
  std::uint32_t granted_ = 0;  // credit, in all
};

namespace streams {

/// Whether the asker still waits, on this core, and the actor may have one more
/// stream; if not, it has been answered.
bool may_open(Core& core, Cell& cell, Envelope& envelope) noexcept;

/// What a reader tells its source, on whichever core that is. A source that has
/// ended is told in vain.
void grant(Core& here, ReplyTo source, std::uint32_t credit);
void cancel(Core& here, ReplyTo source);

/// A stream that waits at a `co_yield` is about to go on. False: something
/// suspends its actor, and it is resumed later.
bool leave_yield(Activation& activation) noexcept;
/// What suspended the actor may have ended: the streams that were held up by it
/// go on.
void release(Core& core, Cell& cell) noexcept;

}  // namespace streams
}  // namespace troupe::actor
