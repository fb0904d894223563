// Savina: the actor benchmarks of Imam and Sarkar (AGERE 2014) that say most about a runtime, with their parameters.
//
// Each function runs one of them in a system of its own and gives how many messages it took and how long;
// `scale` multiplies the published size. Actors are spread over the system's cores in turn, as Savina's are over
// threads. Mailboxes stay bounded: who finds one full waits with `send`.
#pragma once

#include <cstdint>

#include "troupe/base/clock.h"

namespace troupe::bench::savina {

struct Setting {
  int cores = 1;
  std::uint64_t scale = 1;
};

struct Outcome {
  std::uint64_t messages = 0;
  base::Duration took{};
};

/// Two actors, 40 000 balls there and back.
Outcome ping_pong(Setting setting);
/// One actor tells another a million increments, then asks for the sum.
Outcome counting(Setting setting);
/// 60 actors get 10 000 messages each from one.
Outcome fork_join_throughput(Setting setting);
/// 40 000 actors are made, get one message and end.
Outcome fork_join_creation(Setting setting);
/// A token goes 100 000 times on in a ring of 100.
Outcome thread_ring(Setting setting);
/// 100 chameneos meet 200 000 times in one mall.
Outcome chameneos(Setting setting);
/// 120 actors, each pings random others 20 000 times and waits for each answer.
Outcome big(Setting setting);
/// A teller, 1 000 accounts, 50 000 transfers of which each waits for the other account.
Outcome bank_transaction(Setting setting);

}  // namespace troupe::bench::savina
