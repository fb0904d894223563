// Odds: how often something happens that a simulation does to what it runs; never, unless it is asked for.
#pragma once

#include <cstdint>

#include "troupe/base/random.h"

namespace troupe::base {

/// Once in so many times; 0: never; 1: always.
struct Odds {
  std::uint32_t one_in = 0;
  bool hit(Random& random) const { return one_in > 0 && random.below(one_in) == 0; }
};

}  // namespace troupe::base
