// `troupe version`: which program this is.
#include <CLI/CLI.hpp>

#include "troupe/app/command/command.h"

namespace troupe::app {

void add_version_command(CLI::App& root, Invocation& invocation) {
  root.set_version_flag("-V,--version", "troupe " TROUPE_VERSION, "Print the version");
  auto* version = root.add_subcommand("version", "Print the version");
  version->callback([&invocation] {
    invocation.chosen = [&invocation] {
      invocation.say("troupe " TROUPE_VERSION);
      return Exit::success;
    };
  });
}

}  // namespace troupe::app
