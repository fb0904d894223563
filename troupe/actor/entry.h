// Entry: the door through which a callback of a socket enters its actor.
//
// What runs inside counts as the actor's own code: messages it sends come from the actor,
// and an exception is the actor's fault for its supervisor. A copyable value; own core only.
#pragma once

#include "troupe/actor/runtime/core.h"

namespace troupe::actor {

enum class Entered : std::uint8_t {
  ran,
  not_now,  // the actor has failed and its supervisor has not decided yet, or it is being restarted
  gone,     // the actor is stopping or has ended
};

class Entry {
 public:
  Entry() = default;
  explicit Entry(Address address) noexcept : address_(address) {}

  template <class F>
  Entered operator()(F&& callback) const {
    Cell* cell = address_.cell;
    if (cell == nullptr || !cell->is(address_.generation) || cell->state == CellState::stopping) return Entered::gone;
    if (cell->state != CellState::running && cell->state != CellState::starting) return Entered::not_now;
    cell->owner->within(*cell, "a callback", std::forward<F>(callback));
    return Entered::ran;
  }

 private:
  Address address_;
};

}  // namespace troupe::actor
