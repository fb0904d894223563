// See load.h for the order. Development mode is known before anything else is read, for it
// changes the defaults that all the rest stands on.
#include "troupe/app/config/load.h"

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "troupe/app/config/check.h"
#include "troupe/app/config/key.h"
#include "troupe/app/config/toml.h"

namespace troupe::app {
namespace {

constexpr std::size_t file_bytes_max = 1024 * 1024;

/// One value on its way: where it stands, which key it means, what was given.
struct Setting {
  std::string where;
  const Key* key;
  Given value;
};

class Loader {
 public:
  std::expected<Config, std::vector<Problem>> load(const Sources& sources) {
    if (sources.file) read_file(*sources.file);
    for (const auto& [name, text] : sources.environment) read_variable(name, text);
    for (const FlagValue& flag : sources.flags) read_flag(flag);

    Config config = wants_development() ? development_defaults() : Config{};
    Places places;
    for (const Setting& setting : settings_) {
      places[setting.key->name] = setting.where;
      if (const auto complaint = setting.key->set(config, setting.value)) {
        problems_.push_back({setting.where, fmt::format("{} {}", setting.key->name, *complaint)});
      }
    }
    complete(config);
    check(config, places, problems_);
    if (!problems_.empty()) return std::unexpected(std::move(problems_));
    return config;
  }

 private:
  void read_file(const std::string& path) {
    std::ifstream file{path};
    if (!file || std::filesystem::is_directory(path)) {
      problems_.push_back({path, "cannot be read"});
      return;
    }
    std::string text(file_bytes_max + 1, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(file.gcount()));
    if (text.size() > file_bytes_max) {
      problems_.push_back({path, "has more than 1 MiB, so it is no configuration"});
      return;
    }
    const auto values = read_toml(text);
    if (!values) {
      problems_.push_back({fmt::format("{}:{}", path, values.error().line), "is no TOML: " + values.error().what});
      return;
    }
    for (const TomlValue& value : *values) {
      const std::string where = fmt::format("{}:{}", path, value.line);
      const Key* key = known(where, value.name);
      if (key == nullptr) continue;
      if (value.value) {
        settings_.push_back({where, key, *value.value});
      } else {
        problems_.push_back({where, fmt::format("{} {}", value.name, value.value.error())});
      }
    }
  }

  /// The names that the environment may hold begin with TROUPE_ and the name of a section; others are not ours to
  /// judge.
  void read_variable(const std::string& name, const std::string& text) {
    const auto same = [&](const Key& key) { return variable_of(key) == name; };
    const auto found = std::ranges::find_if(keys(), same);
    if (found != keys().end()) return read(name, *found, text);
    for (const Key& key : keys()) {
      const auto dot = key.name.find('.');
      if (dot == std::string::npos) continue;
      if (name.starts_with(variable_of(key).substr(0, std::string_view{"TROUPE_"}.size() + dot + 1))) {
        problems_.push_back({name, "sets no key of the configuration; `troupe config reference` lists them"});
        return;
      }
    }
  }

  void read_flag(const FlagValue& flag) {
    if (const Key* key = known(flag.flag, flag.key)) read(flag.flag, *key, flag.text);
  }

  void read(const std::string& where, const Key& key, const std::string& text) {
    auto value = read_text(key.form, text);
    if (value) {
      settings_.push_back({where, &key, *std::move(value)});
    } else {
      problems_.push_back({where, fmt::format("{} {}", key.name, value.error())});
    }
  }

  const Key* known(const std::string& where, const std::string& name) {
    const Key* key = find_key(name);
    if (key != nullptr) return key;
    const auto near = similar_key(name);
    problems_.push_back({where, fmt::format("there is no key {}{}", name, near ? "; do you mean " + *near + "?" : "")});
    return nullptr;
  }

  bool wants_development() const {
    Config config;
    for (const Setting& setting : settings_) {
      if (setting.key->name == "development") (void)setting.key->set(config, setting.value);
    }
    return config.development;
  }

  std::vector<Setting> settings_;
  std::vector<Problem> problems_;
};

}  // namespace

std::expected<Config, std::vector<Problem>> load_config(const Sources& sources) { return Loader{}.load(sources); }

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
