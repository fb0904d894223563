// WakefulActor: keeps its core from sleeping, by telling itself to go on.
//
// Whoever writes to a core that sleeps pays for waking it: on one machine that is the server which is measured, and
// where processors are virtual a wake-up takes longer than all else that a delivery needs. One core, which it costs all
// the time that nobody else wants.
#pragma once

#include <string_view>

#include "troupe/actor/actor.h"

namespace troupe::realtime {

class WakefulActor final {
 public:
  static constexpr std::string_view actor_type = "WakefulActor";
  struct GoOn {};

  void started(actor::Context& ctx) { ctx.self(this).tell(GoOn{}); }
  void handle(GoOn, actor::Context& ctx) { ctx.self(this).tell(GoOn{}); }
};

}  // namespace troupe::realtime
