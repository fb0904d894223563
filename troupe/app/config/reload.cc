// See reload.h. Keys are compared as a file has them, so two ways to write a value are the same.
#include "troupe/app/config/reload.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "troupe/app/config/check.h"
#include "troupe/app/config/key.h"
#include "troupe/app/config/named_files.h"
#include "troupe/app/config/rule.h"

namespace troupe::app {
namespace {

/// What one namespace has: its own, or the defaults where there is none of that name.
NamespaceConfig options_of(const Config& config, const std::string& name) {
  const auto found = config.realtime.namespaces.find(name);
  if (found != config.realtime.namespaces.end()) return found->second;
  auto options = config.realtime.defaults;
  options.default_scopes = options.anonymous_scopes = "";
  return options;
}

std::set<std::string> namespaces_of(const Config& one, const Config& other) {
  std::set<std::string> names;
  for (const Config* config : {&one, &other}) {
    for (const auto& [name, options] : config->realtime.namespaces) names.insert(name);
  }
  return names;
}

/// Puts back what a namespace gets with the next start only; gives the keys. Before the defaults are put back.
std::vector<std::string> keep_in_namespaces(const Config& running, Config& wanted) {
  std::vector<std::string> waiting;
  for (const std::string& name : namespaces_of(running, wanted)) {
    const auto old = options_of(running, name);
    const auto now = options_of(wanted, name);
    for (const NamespaceKey& key : namespace_keys()) {
      if (key.reload == Reload::live || key.show(old) == key.show(now)) continue;
      waiting.push_back(fmt::format("{}{}.{}", namespace_prefix, name, key.name));
      key.copy(wanted.realtime.namespaces.try_emplace(name, now).first->second, old);
    }
  }
  return waiting;
}

std::vector<std::string> changed_in_namespaces(const Config& before, const Config& after) {
  std::vector<std::string> changed;
  for (const std::string& name : namespaces_of(before, after)) {
    const auto old = options_of(before, name);
    const auto now = options_of(after, name);
    for (const NamespaceKey& key : namespace_keys()) {
      if (key.reload != Reload::live) continue;
      if (key.show(old) != key.show(now)) changed.push_back(fmt::format("{}{}.{}", namespace_prefix, name, key.name));
    }
  }
  return changed;
}

bool takes_effect(Reload when, const Config& running, const Config& wanted) {
  if (when == Reload::tls) return running.server.speaks_tls() && wanted.server.speaks_tls();
  return when == Reload::live;
}

std::vector<std::string> changed_in_rules(const Config& before, const Config& after) {
  const auto& old = before.realtime.rules;
  const auto& now = after.realtime.rules;
  std::vector<std::string> changed;
  for (std::size_t i = 0; i < std::max(old.size(), now.size()); ++i) {
    const RuleConfig nothing;
    for (const RuleKey& key : rule_keys()) {
      const auto was = key.show(i < old.size() ? old[i] : nothing);
      if (was != key.show(i < now.size() ? now[i] : nothing)) changed.push_back(name_of({i + 1, key.name}));
    }
  }
  return changed;
}

}  // namespace

std::expected<Reloaded, std::vector<Problem>> reload(const Config& running, const Config& wanted) {
  Reloaded result{wanted, {}, {}};
  result.waiting = keep_in_namespaces(running, result.config);
  for (const Key& key : keys()) {
    if (key.show(running) == key.show(wanted)) continue;
    if (takes_effect(key.reload, running, wanted)) {
      result.changed.push_back(key.name);
    } else {
      result.waiting.push_back(key.name);
      key.copy(result.config, running);
    }
  }
  std::ranges::move(changed_in_namespaces(running, wanted), std::back_inserter(result.changed));
  std::ranges::move(changed_in_rules(running, wanted), std::back_inserter(result.changed));
  keep_named_files(running, result.config);
  complete(result.config);
  std::vector<Problem> problems;
  check(result.config, {}, problems);
  if (!problems.empty()) return std::unexpected(std::move(problems));
  return result;
}

}  // namespace troupe::app
