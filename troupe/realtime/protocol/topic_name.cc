// See topic_name.h. Texts are checked once, when they are parsed.
#include "troupe/realtime/protocol/topic_name.h"

namespace troupe::realtime {

std::expected<TopicName, TopicError> TopicName::parse(std::string_view text) {
  auto checked = wire::check_topic_name(text);
  if (!checked) return std::unexpected(checked.error());
  return TopicName{text};
}

std::string_view TopicName::name_space() const noexcept {
  std::string_view rest = text_;
  return wire::take_topic_segment(rest);
}

std::expected<TopicPattern, TopicError> TopicPattern::parse(std::string_view text) {
  auto checked = wire::check_topic_pattern(text);
  if (!checked) return std::unexpected(checked.error());
  return TopicPattern{text};
}

bool TopicPattern::is_name() const noexcept { return text_.find_first_of("*>") == std::string::npos; }

bool TopicPattern::matches(const TopicName& name) const noexcept {
  return wire::topic_pattern_covers(text_, name.text());
}

bool TopicPattern::contains(const TopicPattern& inner) const noexcept {
  return wire::topic_pattern_covers(text_, inner.text_);
}

std::size_t home_of(std::string_view topic, std::size_t count) noexcept {
  std::uint64_t hash = 0xcbf29ce484222325;  // FNV-1a: good enough for placing, and no secret decides it
  for (char c : topic) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return static_cast<std::size_t>((hash ^ (hash >> 32)) % count);
}

}  // namespace troupe::realtime
