// See command_line.h. Here the tree of commands is put together.
#include "troupe/app/command/command_line.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <CLI/CLI.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "troupe/app/command/command.h"
#include "troupe/oauth/storage/key_seals.h"
#include "troupe/store/transaction.h"

namespace troupe::app {
namespace {

constexpr const char* introduction =
    "troupe: real-time delivery over WebSockets and an OAuth 2 / OpenID Connect server, in one program.\n"
    "Commands work on the same data whether or not the server runs; a running one sees a change within a second.";

/// The commands that the words have led to, from `troupe` itself to the last.
std::vector<const CLI::App*> path_of(const CLI::App& root) {
  std::vector<const CLI::App*> path{&root};
  while (!path.back()->get_subcommands().empty()) path.push_back(path.back()->get_subcommands().front());
  return path;
}

/// Words that nobody takes, and where. Who puts options before the command means those of the command.
std::string words_of_strangers(const std::vector<const CLI::App*>& path) {
  std::string names;
  for (const CLI::App* command : path) names += command->get_name() + ' ';
  const auto* where = *std::ranges::find_if(path, [](const CLI::App* each) { return !each->remaining().empty(); });
  const bool is_too_early = where != path.back() && where->remaining().front().starts_with('-');
  return fmt::format("troupe: {} was not expected{}; `{}--help` shows what is\n", fmt::join(where->remaining(), " "),
                     is_too_early ? " before the command: options stand behind it" : "", names);
}

/// What is wrong with a command line, or the help that was asked for.
Exit explain(CLI::App& root, const CLI::ParseError& error, Console& console) {
  const auto path = path_of(root);
  if (error.get_name() == "RequiredError" && path.back()->get_require_subcommand_min() > 0) {
    const auto strangers = path.back()->remaining();
    const bool is_option = !strangers.empty() && strangers.front().starts_with('-');
    if (!strangers.empty())
      console.err(fmt::format("troupe: there is no {} \"{}\"\n", is_option ? "option" : "command", strangers.front()));
    console.err(root.help());  // of the command that was reached
    return Exit::usage;
  }
  if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::ExtrasError)) {
    console.err(words_of_strangers(path));
    return Exit::usage;
  }
  std::ostringstream out, err;
  const bool is_help = root.exit(error, out, err) == 0;
  console.out(out.str());
  console.err(err.str());
  return is_help ? Exit::success : Exit::usage;
}

Exit run_chosen(Invocation& invocation) {
  try {
    return invocation.chosen();
  } catch (const WrongUsage& mistake) {
    invocation.console.err(std::string{"troupe: "} + mistake.what() + "\n");
    return Exit::usage;
  } catch (const CommandFailed& failure) {
    invocation.console.err(std::string{"troupe: "} + failure.what() + "\n");
  } catch (const oauth::UnsealError& error) {
    invocation.console.err(std::string{"troupe: "} + error.what() + "\n");
  } catch (const store::Error& error) {
    invocation.console.err(std::string{"troupe: the database: "} + error.what() + "\n");
  } catch (const std::exception& error) {  // of the machine: a folder that may not be read, a socket
    invocation.console.err(std::string{"troupe: "} + error.what() + "\n");
  }
  return Exit::failure;
}

}  // namespace

Exit run_command_line(const std::vector<std::string>& arguments, Console& console) {
  CLI::App root{introduction, "troupe"};
  Invocation invocation{console};
  root.require_subcommand(1);
  root.set_help_all_flag("--help-all", "Help of all commands");
  add_serve_command(root, invocation);
  add_publish_command(root, invocation);
  add_subscribe_commands(root, invocation);
  add_load_command(root, invocation);
  add_client_commands(root, invocation);
  add_user_commands(root, invocation);
  add_grants_commands(root, invocation);
  add_keys_commands(root, invocation);
  add_backup_command(root, invocation);
  add_audit_commands(root, invocation);
  add_explain_command(root, invocation);
  add_config_commands(root, invocation);
  add_selftest_command(root, invocation);
  add_version_command(root, invocation);
  try {
    root.parse(std::vector<std::string>{arguments.rbegin(), arguments.rend()});  // CLI11 takes them backwards
  } catch (const CLI::ParseError& error) {
    return explain(root, error, console);
  }
  return run_chosen(invocation);
}

}  // namespace troupe::app
