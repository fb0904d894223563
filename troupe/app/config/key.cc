// Finding keys by name, and reading texts by a key's form. The rows are in key_rows.cc.
#include "troupe/app/config/key.h"

#include <charconv>

namespace troupe::app {
namespace {

/// How many letters must be added, removed or replaced to make `b` of `a` (Levenshtein).
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = std::exchange(row[j], std::min({replaced, row[j] + 1, row[j - 1] + 1}));
    }
  }
  return row.back();
}

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const auto comma = std::min(text.find(','), text.size());
    auto part = text.substr(0, comma);
    while (part.starts_with(' ')) part.remove_prefix(1);
    while (part.ends_with(' ')) part.remove_suffix(1);
    if (!part.empty()) parts.emplace_back(part);
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return parts;
}

template <class Keys>
auto find_in(const Keys& keys, std::string_view name) -> decltype(keys.data()) {
  const auto found = std::ranges::find_if(keys, [&](const auto& key) { return key.name == name; });
  return found == keys.end() ? nullptr : &*found;
}

std::optional<std::string> similar_in(const auto& keys, std::string_view name) {
  const auto near = std::ranges::min_element(keys, {}, [&](const auto& key) { return distance(key.name, name); });
  if (distance(near->name, name) * 3 > name.size()) return std::nullopt;
  return near->name;
}

template <class Number>
std::optional<Number> whole_number(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

const Key* find_key(std::string_view name) { return find_in(keys(), name); }
std::optional<std::string> similar_key(std::string_view name) { return similar_in(keys(), name); }

std::optional<std::string> similar_variable(std::string_view name) {
  constexpr std::size_t slips_max = 2;
  if (!name.starts_with("TROUPE_")) return std::nullopt;
  for (const Key& key : keys()) {
    const std::string variable = variable_of(key);
    if (distance(variable, name) <= slips_max) return variable;
  }
  return std::nullopt;
}

std::optional<NamespaceKeyName> split_namespace_key(std::string_view name) {
  if (!name.starts_with(namespace_prefix)) return std::nullopt;
  name.remove_prefix(namespace_prefix.size());
  const auto dot = name.rfind('.');
  if (dot == std::string_view::npos) return std::nullopt;
  return NamespaceKeyName{std::string{name.substr(0, dot)}, std::string{name.substr(dot + 1)}};
}

const NamespaceKey* find_namespace_key(std::string_view key) { return find_in(namespace_keys(), key); }
std::optional<std::string> similar_namespace_key(std::string_view key) { return similar_in(namespace_keys(), key); }

const RuleKey* find_rule_key(std::string_view key) { return find_in(rule_keys(), key); }
std::optional<std::string> similar_rule_key(std::string_view key) { return similar_in(rule_keys(), key); }

std::string variable_of(const Key& key) {
  std::string name = "TROUPE_" + key.name;
  for (char& c : name) c = c == '.' ? '_' : c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return name;
}

std::expected<Given, Complaint> read_text(Form form, std::string_view text) {
  switch (form) {
    case Form::truth:
      if (text == "true") return true;
      if (text == "false") return false;
      return std::unexpected("wants true or false");
    case Form::number:
      if (const auto whole = whole_number<std::int64_t>(text)) return *whole;
      if (const auto real = whole_number<double>(text)) return *real;
      return std::unexpected("wants a number");
    case Form::text:
      return std::string{text};
    case Form::list:
      return split(text);
  }
  return std::unexpected("has no form");
}

}  // namespace troupe::app
