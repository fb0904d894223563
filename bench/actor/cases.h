// ActorCases: the actors that the bench sends messages between, on two cores whose threads are
// pinned as those of the floors are, and what each case measures. Every function runs from outside the system and gives
// the time that the case took inside it, from its first message to its last.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "troupe/base/clock.h"

namespace troupe::bench {

class ActorCases {
 public:
  ActorCases();
  ~ActorCases();

  /// `messages` are told to a sink, in batches of 256, four of them in flight.
  base::Duration tell_here(std::uint64_t messages);
  base::Duration tell_across(std::uint64_t messages);
  /// Two actors on one core tell each other `messages` in turn.
  base::Duration ping_pong(std::uint64_t messages);
  /// `questions` are asked and answered, each after the one before.
  base::Duration ask_here(std::uint64_t questions);
  /// How long each took.
  std::vector<base::Duration> ask_across(std::uint64_t questions);
  /// `actors` are spawned one after the other; each gets one message and stops.
  base::Duration spawn(std::uint64_t actors);

 private:
  struct World;
  std::unique_ptr<World> world_;
};

}  // namespace troupe::bench
