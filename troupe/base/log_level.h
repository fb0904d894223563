// Changing the level of the log while the process runs, which few have to do.
#pragma once

#include "troupe/base/log.h"

namespace troupe::base::log {

/// From now on lines of this level and graver ones are written. Any thread.
void change_level(Level level) noexcept;

}  // namespace troupe::base::log
