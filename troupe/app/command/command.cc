// See command.h for what all commands share.
#include "troupe/app/command/command.h"

#include <CLI/CLI.hpp>
#include <cstdlib>

namespace troupe::app {
namespace {

std::vector<FlagValue> values_of(const ConfigFlags& flags) {
  std::vector<FlagValue> values;
  if (flags.development) values.push_back({"development", "true", "--development"});
  for (const std::string& setting : flags.settings) {
    const auto equals = setting.find('=');
    const bool is_pair = equals != std::string::npos;
    values.push_back(
        {is_pair ? setting.substr(0, equals) : "", is_pair ? setting.substr(equals + 1) : setting, "--set"});
  }
  if (!flags.data.empty()) values.push_back({"server.data_dir", flags.data, "--data"});
  if (!flags.listen.empty()) values.push_back({"server.listen", flags.listen, "--listen"});
  return values;
}

}  // namespace

void add_config_flags(CLI::App& command, Invocation& invocation) {
  ConfigFlags& flags = invocation.flags;
  // CLI11 would read the variable for all commands, also those that are not run, and over what the flag says.
  refuse_empty(*command.add_option("--config", flags.file, "Configuration file (TOML), or the variable TROUPE_CONFIG")
                    ->type_name("FILE"));
  refuse_empty(*command.add_option("--data", flags.data, "Data folder, instead of server.data_dir")->type_name("DIR"));
  command.add_option("--set", flags.settings, "Any key of the configuration: --set realtime.echo=true")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
}

void refuse_empty(CLI::Option& option) {
  option.check([](const std::string& given) { return std::string{given.empty() ? "is empty" : ""}; });
}

Sources sources_of(const ConfigFlags& flags) {
  Sources sources{.environment = process_environment(), .flags = values_of(flags)};
  const char* variable = std::getenv("TROUPE_CONFIG");
  const std::string file = flags.file.empty() && variable != nullptr ? variable : flags.file;
  if (!file.empty()) sources.file = file;
  return sources;
}

std::optional<Config> load_config(Invocation& invocation) {
  auto config = load_config(sources_of(invocation.flags));
  if (config) return *std::move(config);
  for (const Problem& problem : config.error()) invocation.console.err(problem.text() + "\n");
  return std::nullopt;
}

}  // namespace troupe::app
