// See reference.h for what this text is. It is made of the rows of key_rows.cc alone.
#include "troupe/app/config/reference.h"

#include <fmt/format.h>

#include "troupe/app/config/key.h"

namespace troupe::app {
namespace {

constexpr std::string_view introduction = R"(# Configuration

`troupe` takes its configuration from a TOML file (`--config FILE`, or the variable `TROUPE_CONFIG`), then from
environment variables, then from flags; what comes later wins. `troupe config check` tells every mistake at once, with
its file and line. Durations are written as "250ms", "10m" or "1h30m", sizes as "64KiB" or "1MiB". Where a value is a
list, its variable separates the parts by commas. Every key can be set by a flag, too: `--set realtime.echo=true`.

At SIGHUP a server that was given a file reads it again. When anything in it is wrong, nothing changes, and each mistake
is logged as an error with its file and line. Otherwise the keys with "yes" in the column `live` take effect at once, on
connections that are open too; those that changed are logged. For any other key that changed a warning says that it
waits for the next start; so does the beginning or the end of TLS. Environment and flags are those of the start, and still
win over the file. The TLS certificate is read again at SIGHUP in any case.

This page is what `troupe config reference` prints.
)";

std::string_view section_of(const Key& key) {
  const auto dot = key.name.find('.');
  return dot == std::string::npos ? "" : std::string_view{key.name}.substr(0, dot);
}

/// The keys of a table that may stand several times in a file.
template <class Whole>
std::string table_of(std::span<const KeyOf<Whole>> keys) {
  std::string out = "\n| key | values | meaning |\n|---|---|---|\n";
  for (const auto& key : keys) out += fmt::format("| `{}` | {} | {} |\n", key.name, key.kind, key.help);
  return out;
}

std::string namespaces() {
  std::string out{R"(
## [realtime.namespace.NAME]
What topics have whose first segment is NAME, such as `[realtime.namespace.chat]` for `chat.general`. What such a table
does not say is as in `[realtime]`. Scopes add up: those of `[realtime]` hold everywhere, those of a namespace must be for
its topics. All of it but `history_durability` is live; a subscription that is no longer permitted ends with
`unsubscribed`, and one that there is keeps its overflow policy. There are no variables for namespaces;
`--set realtime.namespace.chat.overflow=latest` works.
)"};
  return out + table_of(namespace_keys());
}

std::string rules() {
  std::string out{R"(
## [[realtime.rule]]
What becomes of publications, one table a rule. All conditions of a rule must hold; the first rule that matches decides,
and where none does, nothing is changed. A rule refuses, or does any of the others. All of it is live. For example, alarms
that only operators raise and only those on duty read, before anything else that waits:

```toml
[[realtime.rule]]
topic = "alerts.>"
sender_scope = "ops"
target = { scope = "alerts:read" }
priority = "high"

[[realtime.rule]]
topic = "alerts.>"
refuse = true
```
)"};
  return out + table_of(rule_keys());
}

}  // namespace

std::string config_reference() {
  std::string out{introduction};
  std::optional<std::string_view> section;
  const Config defaults;
  for (const Key& key : keys()) {
    if (section_of(key) != section) {
      section = section_of(key);
      out += section->empty() ? "\n## Outside of all sections\n" : fmt::format("\n## [{}]\n", *section);
      out += "| key | default | values | meaning | live | variable |\n|---|---|---|---|---|---|\n";
    }
    const auto name = section->empty() ? key.name : key.name.substr(section->size() + 1);
    out += fmt::format("| `{}` | `{}` | {} | {} | {} | `{}` |\n", name, key.show(defaults), key.kind, key.help,
                       key.reload == Reload::restart ? "" : "yes", variable_of(key));
  }
  return out + namespaces() + rules();
}

}  // namespace troupe::app
