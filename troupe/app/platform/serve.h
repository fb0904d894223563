// serve: the life of the server process, from its configuration to its exit status.
#pragma once

#include "troupe/app/command/command_line.h"
#include "troupe/app/command/console.h"
#include "troupe/app/platform/reloader.h"

namespace troupe::app {

/// Serves until SIGTERM or SIGINT: then goes away phase by phase, and at the second one hurries; a third one waits for
/// nothing. Prints `listening on http://HOST:PORT`, or https, when it is ready. SIGHUP takes what is live of the
/// configuration that `reread` gives, and reads the TLS certificate again; without either it is as SIGTERM, for then a
/// terminal was closed. On the main thread, before any other exists.
Exit serve(Config config, Console& console, Reread reread = {});

}  // namespace troupe::app
