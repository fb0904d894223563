// PresenceOptions: how often those who want to know are told who comes and goes.
//
// Held by each PresenceActor from its start on.
#pragma once

#include <chrono>

#include "troupe/base/clock.h"

namespace troupe::realtime {

struct PresenceOptions {
  base::Duration interval = std::chrono::milliseconds{250};  // what comes and goes within it is not told
};

}  // namespace troupe::realtime
