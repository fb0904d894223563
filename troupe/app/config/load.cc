// See load.h for the order. Development mode is known before anything else is read, for it
// changes the defaults that all the rest stands on.
#include "troupe/app/config/load.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "troupe/app/config/check.h"
#include "troupe/app/config/key.h"
#include "troupe/app/config/named_files.h"
#include "troupe/app/config/rule.h"
#include "troupe/app/config/toml.h"
#include "troupe/app/config/whole_file.h"

namespace troupe::app {
namespace {

constexpr std::size_t file_bytes_max = 1024 * 1024;

/// One value on its way: where it stands, which key it means, what was given.
struct Setting {
  std::string where;
  std::string name;
  Form form;
  std::function<std::optional<Complaint>(Config&, const Given&)> set;
  Given value{};
};

/// What keeps a text from being the first segment of clients' topics.
std::optional<Complaint> fault_of_namespace(const std::string& name) {
  const auto topic = realtime::TopicName::parse(name);
  if (!topic || topic->name_space() != name) return "is no first segment of topics";
  if (topic->is_reserved() || name == "system") return "is the server's own, whatever the configuration says";
  return std::nullopt;
}

/// Sets a value of a namespace, which begins with the defaults; scopes are not among them, for those hold anyway.
std::optional<Complaint> set_in_namespace(Config& config, const NamespaceKeyName& name, const NamespaceKey& key,
                                          const Given& given) {
  auto [place, fresh] = config.realtime.namespaces.try_emplace(name.name_space, config.realtime.defaults);
  if (fresh) place->second.default_scopes = place->second.anonymous_scopes = "";
  return key.set(place->second, given);
}

/// How to write what stands in tables of the file, where a name speaks of them without a number or a namespace.
std::optional<std::string_view> tables_of(std::string_view name) {
  const auto speaks_of = [&](std::string_view prefix) {  // which has a dot at its end
    return name.starts_with(prefix) || name == prefix.substr(0, prefix.size() - 1);
  };
  if (speaks_of(rule_prefix))
    return "each rule is a table [[realtime.rule]] of the file, or --set realtime.rule.1.topic=... and so on";
  if (speaks_of(namespace_prefix))
    return "each namespace is a table such as [realtime.namespace.chat] of the file, or --set "
           "realtime.namespace.chat.overflow=...";
  return std::nullopt;
}

class Loader {
 public:
  /// On the defaults of the mode that `running` has, where there is one; the wish of the sources is judged all the
  /// same.
  std::expected<Config, std::vector<Problem>> load(const Sources& sources, const Config* running = nullptr) {
    if (sources.file) read_file(*sources.file);
    for (const auto& [name, text] : sources.environment) read_variable(name, text);
    for (const FlagValue& flag : sources.flags) read_flag(flag);

    const bool wanted = wants_development();
    Config config = (running != nullptr ? running->development : wanted) ? development_defaults() : Config{};
    config.development = wanted;
    Places places;
    // What namespaces say comes after the defaults that they stand on.
    for (const bool in_namespaces : {false, true}) {
      for (const Setting& setting : settings_) {
        if (setting.name.starts_with(namespace_prefix) == in_namespaces) apply(setting, config, places);
      }
    }
    complete(config);
    check(config, places, problems_);
    read_named_files(config, places, running != nullptr ? Reading::again : Reading::first, problems_);
    if (!problems_.empty()) return std::unexpected(std::move(problems_));
    return config;
  }

 private:
  void apply(const Setting& setting, Config& config, Places& places) {
    places[setting.name] = setting.where;
    if (const auto complaint = setting.set(config, setting.value)) {
      problems_.push_back({setting.where, fmt::format("{} {}", setting.name, *complaint)});
    }
  }

  void read_file(const std::string& path) {
    const auto text = read_whole_file(path, file_bytes_max);
    if (!text) {
      const bool is_large = text.error() == std::errc::file_too_large;
      problems_.push_back({path, is_large ? "has more than 1 MiB, so it is no configuration"
                                          : "cannot be read: " + text.error().message()});
      return;
    }
    const auto values = read_toml(*text);
    if (!values) {
      problems_.push_back({fmt::format("{}:{}", path, values.error().line), "is no TOML: " + values.error().what});
      return;
    }
    for (const TomlValue& value : *values) {
      const std::string where = fmt::format("{}:{}", path, value.line);
      auto setting = known(where, value.name);
      if (!setting) continue;
      if (value.value) {
        setting->value = *value.value;
        settings_.push_back(*std::move(setting));
      } else {
        problems_.push_back({where, fmt::format("{} {}", value.name, value.value.error())});
      }
    }
  }

  /// The names that the environment may hold begin with TROUPE_ and the name of a section; others are not ours to
  /// judge, for an orchestrator may set some of a service with our name, unless they are nearly one.
  void read_variable(const std::string& name, const std::string& text) {
    const auto same = [&](const Key& key) { return variable_of(key) == name; };
    const auto found = std::ranges::find_if(keys(), same);
    if (found != keys().end()) return read({name, found->name, found->form, found->set}, text);
    if (name.starts_with("TROUPE_REALTIME_NAMESPACE_") || name.starts_with("TROUPE_REALTIME_RULE_")) {
      problems_.push_back({name,
                           "is none: namespaces and rules stand in the file, or in flags such as "
                           "--set realtime.namespace.chat.overflow=latest"});
      return;
    }
    for (const Key& key : keys()) {
      const auto dot = key.name.find('.');
      if (dot == std::string::npos) continue;
      if (name.starts_with(variable_of(key).substr(0, std::string_view{"TROUPE_"}.size() + dot + 1))) {
        problems_.push_back({name, "sets no key of the configuration; `troupe config reference` lists them"});
        return;
      }
    }
    if (const auto near = similar_variable(name))
      problems_.push_back({name, fmt::format("sets no key of the configuration; do you mean {}?", *near)});
  }

  void read_flag(const FlagValue& flag) {
    if (flag.key.empty()) return problems_.push_back({flag.flag, fmt::format("\"{}\" wants KEY=VALUE", flag.text)});
    if (auto setting = known(flag.flag, flag.key)) read(*std::move(setting), flag.text);
  }

  void read(Setting setting, const std::string& text) {
    auto value = read_text(setting.form, text);
    if (value) {
      setting.value = *std::move(value);
      settings_.push_back(std::move(setting));
    } else {
      problems_.push_back({setting.where, fmt::format("{} {}", setting.name, value.error())});
    }
  }

  /// The setting of that name, without its value; or nothing, and a problem.
  std::optional<Setting> known(const std::string& where, const std::string& name) {
    if (const auto parts = split_rule_key(name)) return known_in_rule(where, name, *parts);
    if (const auto parts = split_namespace_key(name)) return known_in_namespace(where, name, *parts);
    if (const Key* key = find_key(name)) return Setting{where, name, key->form, key->set};
    if (const auto tables = tables_of(name)) {
      problems_.push_back({where, fmt::format("there is no key {}: {}", name, *tables)});
      return std::nullopt;
    }
    return unknown(where, name, similar_key(name));
  }

  std::optional<Setting> known_in_namespace(const std::string& where, const std::string& name,
                                            const NamespaceKeyName& parts) {
    if (const auto fault = fault_of_namespace(parts.name_space)) {
      problems_.push_back({where, fmt::format("{}: \"{}\" {}", name, parts.name_space, *fault)});
      return std::nullopt;
    }
    const NamespaceKey* key = find_namespace_key(parts.key);
    if (key == nullptr) {
      auto near = similar_namespace_key(parts.key);
      if (near) near = fmt::format("{}{}.{}", namespace_prefix, parts.name_space, *near);
      return unknown(where, name, near);
    }
    return Setting{where, name, key->form, [parts, key](Config& config, const Given& given) {
                     return set_in_namespace(config, parts, *key, given);
                   }};
  }

  std::optional<Setting> known_in_rule(const std::string& where, const std::string& name, const RuleKeyName& parts) {
    const RuleKey* key = find_rule_key(parts.key);
    if (key == nullptr) {
      auto near = similar_rule_key(parts.key);
      if (near) near = name_of({parts.number, *near});
      return unknown(where, name, near);
    }
    return Setting{where, name, key->form, [number = parts.number, key](Config& config, const Given& given) {
                     auto& rules = config.realtime.rules;
                     if (rules.size() < number) rules.resize(number);
                     return key->set(rules[number - 1], given);
                   }};
  }

  std::nullopt_t unknown(const std::string& where, const std::string& name, const std::optional<std::string>& near) {
    problems_.push_back({where, fmt::format("there is no key {}{}", name, near ? "; do you mean " + *near + "?" : "")});
    return std::nullopt;
  }

  bool wants_development() const {
    Config config;
    for (const Setting& setting : settings_) {
      if (setting.name == "development") (void)setting.set(config, setting.value);
    }
    return config.development;
  }

  std::vector<Setting> settings_;
  std::vector<Problem> problems_;
};

}  // namespace

std::expected<Config, std::vector<Problem>> load_config(const Sources& sources) { return Loader{}.load(sources); }

std::expected<Config, std::vector<Problem>> load_config_again(const Sources& sources, const Config& running) {
  // It would be empty now, which is a sound configuration: every limit and every scope would go back to its default.
  if (sources.file && is_read_once(*sources.file)) {
    constexpr std::string_view what = "is no file, but a pipe that has been read: give --config a file, or restart";
    return std::unexpected(std::vector<Problem>{{*sources.file, std::string{what}}});
  }
  return Loader{}.load(sources, &running);
}

std::vector<std::pair<std::string, std::string>> process_environment() {
  std::vector<std::pair<std::string, std::string>> all;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string_view text{*variable};
    const auto equals = text.find('=');
    if (equals != std::string_view::npos) all.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }
  std::ranges::sort(all);
  return all;
}

}  // namespace troupe::app
