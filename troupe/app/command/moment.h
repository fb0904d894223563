// Moments as an operator types them: a day, a second of it, or how long ago.
#pragma once

#include <optional>
#include <string_view>

#include "troupe/base/clock.h"

namespace troupe::app {

/// "2026-01-31", "2026-01-31T12:00", "2026-01-31T12:00:00" (a space or a Z at the end may stand there, all are UTC), or
/// a time before `now`: "90s", "15min", "24h", "7d". Nothing for anything else.
std::optional<base::UnixTime> read_moment(std::string_view text, base::UnixTime now);

}  // namespace troupe::app
