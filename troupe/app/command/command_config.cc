// `troupe config check` and `troupe config reference`.
#include <CLI/CLI.hpp>

#include "troupe/app/command/command.h"
#include "troupe/app/config/reference.h"
#include "troupe/app/platform/certificate_keeper.h"

namespace troupe::app {
namespace {

Exit run_check(Invocation& invocation) {
  const auto config = load_config(invocation);
  if (!config) return Exit::usage;
  if (config->server.speaks_tls()) {
    const auto certificate = read_certificate({config->server.tls_certificate, config->server.tls_key});
    if (!certificate) {
      invocation.console.err("server.tls_certificate: " + certificate.error() + "\n");
      return Exit::usage;
    }
  }
  invocation.say("The configuration is sound.");
  return Exit::success;
}

}  // namespace

void add_config_commands(CLI::App& root, Invocation& invocation) {
  auto* config = root.add_subcommand("config", "Check the configuration, or list everything it may hold");
  config->require_subcommand(1);

  auto* check = config->add_subcommand("check", "Tell every mistake in file, environment and flags, with its line");
  add_config_flags(*check, invocation);
  check->callback([&invocation] { invocation.chosen = [&invocation] { return run_check(invocation); }; });

  auto* reference = config->add_subcommand("reference", "Print every key with its default and meaning, as Markdown");
  reference->callback([&invocation] {
    invocation.chosen = [&invocation] {
      invocation.console.out(config_reference());
      return Exit::success;
    };
  });
}

}  // namespace troupe::app
