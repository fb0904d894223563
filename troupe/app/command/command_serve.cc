// `troupe serve`: runs the server until it is told to stop.
#include <CLI/CLI.hpp>

#include "troupe/app/command/command.h"
#include "troupe/app/platform/serve.h"

namespace troupe::app {

void add_serve_command(CLI::App& root, Invocation& invocation) {
  auto* command = root.add_subcommand("serve",
                                      "Serve until SIGTERM or SIGINT, which drain connections; a second one hurries; "
                                      "SIGHUP reads file and certificate again");
  add_config_flags(*command, invocation);
  refuse_empty(*command->add_option("--listen", invocation.flags.listen, "Address and port, instead of server.listen")
                    ->type_name("HOST:PORT"));
  command->add_flag("--development", invocation.flags.development,
                    "Generous limits, a demo page, a demo user and client; on this machine only");
  command->callback([&invocation] {
    invocation.chosen = [&invocation] {
      const auto config = load_config(invocation);
      if (!config) return Exit::usage;
      const auto sources = sources_of(invocation.flags);
      Reread reread;
      if (sources.file) reread = [sources, running = *config] { return load_config_again(sources, running); };
      return serve(*config, invocation.console, reread);
    };
  });
}

}  // namespace troupe::app
