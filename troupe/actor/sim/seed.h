// Seed: where the chance of a simulated run comes from, and, under `explore`, who keeps its trace.
//
// A plain number is a seed; `explore` hands its own to the scenario, which passes it on to
// the World that it makes, directly or inside a world of its own.
#pragma once

#include <cstdint>

namespace troupe::actor::test {

class Trace;

/// How the next to run is chosen. `random_walk`: any of those that can, for as many messages as chance wills.
/// `priorities`: the one with the highest of random priorities runs until it cannot, but for a few random moments at
/// which it falls below all others. The second finds what needs a rare order of few events (Burckhardt et al., "A
/// randomized scheduler with probabilistic guarantees of finding bugs"), the first everything that needs many.
enum class Schedule : std::uint8_t { random_walk, priorities };

struct Seed {
  Seed(std::uint64_t its_number) noexcept : number(its_number) {}
  std::uint64_t number;
  Schedule schedule = Schedule::random_walk;
  Trace* trace = nullptr;  // null: the World keeps the last steps itself
};

}  // namespace troupe::actor::test
