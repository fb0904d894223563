// RandomWalk: actors that wait for each other at random, for tests of the look for deadlocks: thirty times one of them
// begins, each goes on to another, and every wait is counted by how it ended.
//
// What a wait is, an ask or the reading of a stream, the tests say; that all deadlocks are found and those found are
// true is seen by the counts: none is left over when an hour's waits end within a minute, and none has lied.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "troupe/actor/sim/world.h"

namespace troupe::actor::testing {

/// From now on: so many wait for each other in a row.
struct BeginWalk {
  int depth;
};

struct WalkTally {
  int begun = 0, whole = 0, deadlocked = 0, other = 0, lies = 0;
  std::vector<bool> entered = std::vector<bool>(100'000);  // by the number of the wait: its callee has begun with it

  int begin() { return begun++; }
  void enter(int wait) { entered[static_cast<std::size_t>(wait)] = true; }
  bool has_entered(int wait) const { return entered[static_cast<std::size_t>(wait)]; }

  void failed(std::string_view what, bool is_lie) {
    ++(what.starts_with("deadlock: ") ? deadlocked : other);
    if (is_lie) ++lies;
  }
  /// How an ask has ended: one that was taken out of a cycle was not begun, and says so.
  template <class Answer>
  void answered(int wait, const Answer& answer) {
    if (answer) {
      ++whole;
      return;
    }
    const bool is_cycle = answer.error().what.starts_with("deadlock: ");
    failed(answer.error().what, is_cycle && (has_entered(wait) || !answer.error().safe_to_retry()));
  }
};
using WalkTallyPtr = std::shared_ptr<WalkTally>;

/// Whom a walker may go on to. Those from itself on alone: then there is no cycle.
template <class Walker>
struct WalkFriends {
  std::vector<Ref<Walker>> all;
  std::size_t from = 0;

  bool none() const { return from >= all.size(); }
  Ref<Walker> draw(Context& ctx) const { return all[from + ctx.random().below(all.size() - from)]; }
};

/// Half of the walkers wait a little before they go on.
inline Task<void> dawdle(Context& ctx) {
  if (ctx.random().below(2) == 0) co_await ctx.sleep(Duration{1'000'000} * (1 + ctx.random().below(40)));
}

/// Makes `count` walkers that know each other, on any cores.
template <class Walker>
std::vector<Ref<Walker>> spawn_walkers(test::World& w, base::Random& random, std::size_t count, bool may_cycle,
                                       const WalkTallyPtr& tally) {
  WalkFriends<Walker> friends;
  for (std::size_t i = 0; i < count; ++i) {
    const auto core = static_cast<int>(random.below(w.system().core_count()));
    friends.all.push_back(w.template spawn<Walker>({.core = core}, tally));
  }
  for (std::size_t i = 0; i < count; ++i) {
    friends.from = may_cycle ? 0 : i + 1;
    friends.all[i].tell(friends);
  }
  return friends.all;
}

template <class Walker>
void walk(test::World& w, base::Random& random, const std::vector<Ref<Walker>>& walkers, Duration settle) {
  for (int round = 0; round < 30; ++round) {
    walkers[random.below(walkers.size())].tell(BeginWalk{static_cast<int>(random.below(6))});
    w.advance(Duration{1'000'000} * random.below(60));
  }
  w.advance(settle);
}

}  // namespace troupe::actor::testing
