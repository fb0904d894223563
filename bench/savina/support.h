// What the benchmarks of Savina share: the message that begins one, and how it is run and timed.
#pragma once

#include <stdexcept>

#include "bench/savina/savina.h"
#include "bench/support/cpu.h"
#include "troupe/actor/actor.h"

namespace troupe::bench::savina {

using namespace std::chrono_literals;
using actor::Context;
using actor::Ref;
using actor::Reply;
using actor::System;
using actor::Task;

/// Answered once the whole benchmark is done.
struct Begin {
  using reply = actor::NoError;
};

/// The core whose turn it is, by number.
inline int core_of(std::uint64_t number, const System& system) {
  return static_cast<int>(number % system.core_count());
}

/// Runs `master` to its end.
template <class Master>
base::Duration run(System& system, Ref<Master> master) {
  const auto begin = now();
  const auto done = system.block_on(master.ask(Begin{}, {.within = 10min}));
  if (!done) throw std::runtime_error(done.error().what);
  return now() - begin;
}

}  // namespace troupe::bench::savina
