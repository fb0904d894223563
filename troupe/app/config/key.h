// Key: one value of the configuration as one row: its name, its form, how it is set and
// shown, whether a running server takes a new value, and a sentence for the reader. Whoever
// needs the names of the configuration goes through keys() and namespace_keys(); nowhere
// else is one written.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "troupe/app/config/config.h"
#include "troupe/app/config/value.h"

namespace troupe::app {

/// How a value stands in a file; where only text can be given, it is read as this.
enum class Form : std::uint8_t { truth, number, text, list };

/// When a new value in the file takes effect.
enum class Reload : std::uint8_t {
  restart,  // with the next start
  live,     // at SIGHUP
  tls,      // at SIGHUP where TLS is spoken and goes on to be: an address that is listened on keeps its scheme
};

/// A value in a `Whole`: the Config, or what it has for one namespace.
template <class Whole>
struct KeyOf {
  std::string name;  // "realtime.echo"; "development" alone has no section
  Form form = Form::text;
  std::string kind;  // for readers: "duration", "size, 1KiB to 16MiB"
  std::string help;
  std::function<std::optional<Complaint>(Whole&, const Given&)> set;  // what it complains of leaves the value as it was
  std::function<std::string(const Whole&)> show;                      // as a file has it
  std::function<void(Whole&, const Whole& from)> copy;                // takes the value of another
  Reload reload = Reload::restart;
};
using Key = KeyOf<Config>;
using NamespaceKey = KeyOf<NamespaceConfig>;
using RuleKey = KeyOf<RuleConfig>;

/// All keys, by section in the order of the reference.
std::span<const Key> keys();

/// The keys of one namespace, each without the place of its namespace: "overflow" for
/// "realtime.namespace.chat.overflow". All of them are live.
std::span<const NamespaceKey> namespace_keys();

/// The key of that name, or null.
const Key* find_key(std::string_view name);
/// The name that looks most like `name`, when one does.
std::optional<std::string> similar_key(std::string_view name);

/// "realtime.namespace.chat.overflow" in its parts.
struct NamespaceKeyName {
  std::string name_space;  // "chat"
  std::string key;         // "overflow"
};
inline constexpr std::string_view namespace_prefix = "realtime.namespace.";
/// Nothing when the name does not begin with namespace_prefix, or has no more than one part behind it.
std::optional<NamespaceKeyName> split_namespace_key(std::string_view name);
const NamespaceKey* find_namespace_key(std::string_view key);
std::optional<std::string> similar_namespace_key(std::string_view key);

/// The keys of one routing rule, without its place: "target.scope" for "realtime.rule.1.target.scope" (rule.h). All of
/// them are live.
std::span<const RuleKey> rule_keys();
const RuleKey* find_rule_key(std::string_view key);
std::optional<std::string> similar_rule_key(std::string_view key);

/// "TROUPE_REALTIME_ECHO" for "realtime.echo".
std::string variable_of(const Key& key);

/// The variable of a key that is nearly this one, a slip or two away.
std::optional<std::string> similar_variable(std::string_view name);

/// What a text from the environment or a flag stands for; lists are separated by commas.
std::expected<Given, Complaint> read_text(Form form, std::string_view text);

}  // namespace troupe::app
