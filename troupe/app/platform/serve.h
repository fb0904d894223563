// serve: the life of the server process, from its configuration to its exit status.
#pragma once

#include "troupe/app/command/command_line.h"
#include "troupe/app/command/console.h"
#include "troupe/app/config/config.h"

namespace troupe::app {

/// Serves until SIGTERM or SIGINT: then goes away phase by phase, and at the second one hurries; a third one waits for
/// nothing. Prints `listening on http://HOST:PORT`
/// when it is ready. On the main thread, before any other exists.
Exit serve(Config config, Console& console);

}  // namespace troupe::app
