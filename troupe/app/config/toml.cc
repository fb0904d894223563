// See toml.h for what comes out. The one place that knows the TOML library.
#include "troupe/app/config/toml.h"

#include <toml++/toml.h>

namespace troupe::app {
namespace {

std::expected<Given, Complaint> value_of(const toml::node& node) {
  if (const auto* value = node.as_boolean()) return value->get();
  if (const auto* value = node.as_integer()) return value->get();
  if (const auto* value = node.as_floating_point()) return value->get();
  if (const auto* value = node.as_string()) return value->get();
  const auto* array = node.as_array();
  if (array == nullptr) return std::unexpected("holds a date or time; durations stand in quotes, such as \"10m\"");
  std::vector<std::string> texts;
  for (const toml::node& each : *array) {
    const auto* text = each.as_string();
    if (text == nullptr) return std::unexpected("wants a list of texts such as [\"a\", \"b\"]");
    texts.push_back(text->get());
  }
  return texts;
}

void collect(const toml::table& table, const std::string& prefix, std::vector<TomlValue>& out) {
  for (const auto& [key, node] : table) {
    const std::string name = prefix + std::string{key.str()};
    const auto* array = node.as_array();
    if (const auto* inner = node.as_table()) {
      collect(*inner, name + ".", out);
    } else if (array != nullptr && array->is_array_of_tables()) {
      std::size_t number = 0;
      for (const toml::node& each : *array) collect(*each.as_table(), name + "." + std::to_string(++number) + ".", out);
    } else {
      out.push_back({name, value_of(node), static_cast<int>(key.source().begin.line)});
    }
  }
}

}  // namespace

std::expected<std::vector<TomlValue>, TomlFault> read_toml(const std::string& text) {
  try {
    std::vector<TomlValue> values;
    collect(toml::parse(text), "", values);
    std::ranges::sort(values, {}, [](const TomlValue& value) { return std::tie(value.line, value.name); });
    return values;
  } catch (const toml::parse_error& error) {
    return std::unexpected(TomlFault{std::string{error.description()}, static_cast<int>(error.source().begin.line)});
  }
}

}  // namespace troupe::app
