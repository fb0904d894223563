// See command_line.h. Here the tree of commands is put together.
#include "troupe/app/command/command_line.h"

#include <CLI/CLI.hpp>
#include <sstream>

#include "troupe/app/command/command.h"
#include "troupe/oauth/storage/key_seals.h"
#include "troupe/store/transaction.h"

namespace troupe::app {
namespace {

constexpr const char* introduction =
    "troupe: real-time delivery over WebSockets and an OAuth 2 / OpenID Connect server, in one program.\n"
    "Commands work on the same data whether or not the server runs; a running one sees a change within a second.";

/// What CLI11 has to say about a command line that it does not take, or the help that was asked for.
Exit explain(CLI::App& root, const CLI::ParseError& error, Console& console) {
  const CLI::App* command = &root;
  while (!command->get_subcommands().empty()) command = command->get_subcommands().front();
  if (error.get_name() == "RequiredError" && command->get_require_subcommand_min() > 0) {
    const auto strangers = command->remaining();
    if (!strangers.empty()) console.err("troupe: there is no command \"" + strangers.front() + "\"\n");
    console.err(command->help());
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
