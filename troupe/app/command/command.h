// What every command stands on: its flags, the configuration they lead to, and the frame in
// which it runs. Each `add_..._command(s)` is implemented by the file of that name.
#pragma once

#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "troupe/app/command/command_line.h"
#include "troupe/app/command/console.h"
#include "troupe/app/config/load.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace troupe::app {

/// A command cannot do what was asked; the text is a sentence for the person.
struct CommandFailed : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// The same, and the command line is at fault: it ends as one that cannot be parsed.
struct WrongUsage : CommandFailed {
  using CommandFailed::CommandFailed;
};

/// The flags that lead to a configuration.
struct ConfigFlags {
  std::string file, data, listen;
  std::vector<std::string> settings;  // "realtime.echo=true"
  bool development = false;
};

/// One run of the program. Lives in run_command_line(); the commands' callbacks refer to it.
struct Invocation {
  Console& console;
  ConfigFlags flags{};
  std::function<Exit()> chosen;  // the command that was named

  /// A line of results.
  void say(const std::string& line) { console.out(line + "\n"); }
};

/// Adds --config, --data and --set, which every command takes that needs a configuration.
void add_config_flags(CLI::App& command, Invocation& invocation);

/// Has an option refuse an empty value: a script's variable that nobody has set would pass for no value, and the
/// default be taken.
void refuse_empty(CLI::Option& option);

/// Where the configuration comes from: file, environment and flags.
Sources sources_of(const ConfigFlags& flags);

/// The configuration of these sources; nothing when it is wrong, and then every mistake has been told.
std::optional<Config> load_config(Invocation& invocation);

void add_serve_command(CLI::App& root, Invocation& invocation);
void add_publish_command(CLI::App& root, Invocation& invocation);
void add_subscribe_commands(CLI::App& root, Invocation& invocation);
void add_load_command(CLI::App& root, Invocation& invocation);
void add_client_commands(CLI::App& root, Invocation& invocation);
void add_user_commands(CLI::App& root, Invocation& invocation);
void add_grants_commands(CLI::App& root, Invocation& invocation);
void add_keys_commands(CLI::App& root, Invocation& invocation);
void add_audit_commands(CLI::App& root, Invocation& invocation);
void add_explain_command(CLI::App& root, Invocation& invocation);
void add_config_commands(CLI::App& root, Invocation& invocation);
void add_backup_command(CLI::App& root, Invocation& invocation);
void add_selftest_command(CLI::App& root, Invocation& invocation);
void add_version_command(CLI::App& root, Invocation& invocation);

}  // namespace troupe::app
