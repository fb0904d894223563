// TurnEndHook: what is done once at the end of a turn, however often it was asked for in it.
//
// Owned by whoever wants it done; used on the thread of its core (Core::at_turn_end).
#pragma once

namespace troupe::actor {

class Core;
template <class Node>
struct NodeList;

/// Called once at the end of the turn in which it was asked for; destroying it takes the request back.
class TurnEndHook {
 public:
  TurnEndHook() = default;
  TurnEndHook(const TurnEndHook&) = delete;
  TurnEndHook& operator=(const TurnEndHook&) = delete;
  virtual void on_turn_end() = 0;

 protected:
  ~TurnEndHook();

 private:
  friend class Core;
  Core* queued_on_ = nullptr;
  TurnEndHook* previous = nullptr;
  TurnEndHook* next = nullptr;
  friend struct NodeList<TurnEndHook>;
};

}  // namespace troupe::actor
