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

This page is what `troupe config reference` prints.
)";

std::string_view section_of(const Key& key) {
  const auto dot = key.name.find('.');
  return dot == std::string::npos ? "" : std::string_view{key.name}.substr(0, dot);
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
      out += "| key | default | values | meaning | variable |\n|---|---|---|---|---|\n";
    }
    const auto name = section->empty() ? key.name : key.name.substr(section->size() + 1);
    out += fmt::format("| `{}` | `{}` | {} | {} | `{}` |\n", name, key.show(defaults), key.kind, key.help,
                       variable_of(key));
  }
  return out;
}

}  // namespace troupe::app
