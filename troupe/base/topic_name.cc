// Names and patterns: one check, one walk for matching and containment.
#include "troupe/base/topic_name.h"

#include <array>

namespace troupe::base {

namespace {

enum class Wildcards { allowed, forbidden };

bool is_wildcard(std::string_view segment) { return segment == "*" || segment == ">"; }

std::expected<void, TopicError> check_segment(std::string_view segment, bool last, Wildcards wildcards) {
  if (segment.empty()) return std::unexpected(TopicError::empty_segment);
  for (char c : segment) {
    auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) return std::unexpected(TopicError::control_character);
  }
  if (segment.find_first_of("*>") == std::string_view::npos) return {};
  if (wildcards == Wildcards::forbidden) return std::unexpected(TopicError::wildcard_in_name);
  if (!is_wildcard(segment) || (segment == ">" && !last)) return std::unexpected(TopicError::stray_wildcard);
  return {};
}

enum Sort : std::uint8_t { plain = 0, dot = 1, wrong = 2 };  // wrong in a name: wildcards, control characters

constexpr auto sorts = [] {
  std::array<std::uint8_t, 256> table{};
  for (std::size_t byte = 0; byte < 0x20; ++byte) table[byte] = wrong;
  for (const char c : std::string_view{"*>\x7f"}) table[static_cast<unsigned char>(c)] = wrong;
  table['.'] = dot;
  return table;
}();

// Whether it is what nearly all are, seen in one walk: a name in which nothing is wrong.
bool is_name_at_first_sight(std::string_view text) noexcept {
  std::size_t dots = 0;
  std::uint8_t before = dot, faults = 0;
  for (const char c : text) {
    const auto sort = sorts[static_cast<unsigned char>(c)];
    faults |= static_cast<std::uint8_t>((sort & wrong) | (sort & before));  // a dot before a dot is an empty segment
    dots += sort & dot;
    before = sort;
  }
  return faults == 0 && before != dot && dots < topic_segments_max;
}

std::expected<void, TopicError> check(std::string_view text, Wildcards wildcards) {
  if (text.empty()) return std::unexpected(TopicError::empty);
  if (text.size() > topic_bytes_max) return std::unexpected(TopicError::too_long);
  if (is_name_at_first_sight(text)) return {};
  std::size_t segments = 1;
  for (char c : text) segments += c == '.';
  if (segments > topic_segments_max) return std::unexpected(TopicError::too_many_segments);
  std::string_view rest = text;
  std::size_t stars = 0;
  for (std::size_t i = 1; i <= segments; ++i) {
    auto segment = take_segment(rest);
    auto checked = check_segment(segment, i == segments, wildcards);
    if (!checked) return checked;
    stars += segment == "*";
  }
  if (stars > topic_wildcards_max) return std::unexpected(TopicError::too_many_wildcards);
  return {};
}

bool begins_with_wildcard(std::string_view pattern) { return pattern.front() == '*' || pattern.front() == '>'; }

// Names and patterns go by the same walk: `*` of the outer takes any one segment of the inner but `>`,
// which stands for more than one.
bool covers(std::string_view outer, std::string_view inner) noexcept {
  if (begins_with_wildcard(outer) && is_reserved_topic(inner)) return false;
  if (outer.back() == '>') {  // what most who may do something are told: all behind some first segments
    const auto first = outer.substr(0, outer.size() - 1);
    if (first.find('*') == std::string_view::npos) return inner.size() > first.size() && inner.starts_with(first);
  }
  while (!outer.empty() && !inner.empty()) {
    auto wanted = take_segment(outer);
    if (wanted == ">") return true;
    auto segment = take_segment(inner);
    if (segment == ">") return false;
    if (wanted != "*" && wanted != segment) return false;
  }
  return outer.empty() && inner.empty();
}

}  // namespace

std::string_view describe(TopicError error) noexcept {
  switch (error) {
    case TopicError::empty:
      return "is empty";
    case TopicError::too_long:
      return "is longer than 256 bytes";
    case TopicError::too_many_segments:
      return "has more than 16 segments";
    case TopicError::empty_segment:
      return "has an empty segment";
    case TopicError::control_character:
      return "has a control character";
    case TopicError::wildcard_in_name:
      return "has a wildcard where one topic is meant";
    case TopicError::stray_wildcard:
      return "has a wildcard that is not a segment of its own, or a '>' before the end";
    case TopicError::too_many_wildcards:
      return "has more than four `*`";
  }
  return "is no topic";
}

bool is_reserved_topic(std::string_view name) noexcept { return name.starts_with('$') || name.starts_with("system."); }

std::string_view take_segment(std::string_view& rest) noexcept {
  auto dot = rest.find('.');
  auto segment = rest.substr(0, dot);
  rest.remove_prefix(dot == std::string_view::npos ? rest.size() : dot + 1);
  return segment;
}

std::expected<TopicName, TopicError> TopicName::parse(std::string_view text) {
  auto checked = check(text, Wildcards::forbidden);
  if (!checked) return std::unexpected(checked.error());
  return TopicName{text};
}

std::string_view TopicName::name_space() const noexcept {
  std::string_view rest = text_;
  return take_segment(rest);
}

std::expected<TopicPattern, TopicError> TopicPattern::parse(std::string_view text) {
  auto checked = check(text, Wildcards::allowed);
  if (!checked) return std::unexpected(checked.error());
  return TopicPattern{text};
}

bool TopicPattern::is_name() const noexcept { return text_.find_first_of("*>") == std::string::npos; }

bool TopicPattern::matches(const TopicName& name) const noexcept { return covers(text_, name.text()); }

bool TopicPattern::contains(const TopicPattern& inner) const noexcept { return covers(text_, inner.text_); }

}  // namespace troupe::base
