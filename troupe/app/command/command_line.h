// The command line: finds the command that was meant, runs it, and gives the exit status.
//
// Each command is a file of its own that adds itself to the tree of commands; what the
// person may do wrong ends in one sentence on stderr, never in a stack trace.
#pragma once

#include <string>
#include <vector>

#include "troupe/app/command/console.h"

namespace troupe::app {

/// What a command ends with.
enum class Exit : int {
  success = 0,
  failure = 1,  // it was understood and could not be done
  usage = 2,    // the command line or the configuration is wrong
};

/// Runs `troupe ARGUMENTS...`.
Exit run_command_line(const std::vector<std::string>& arguments, Console& console);

}  // namespace troupe::app
