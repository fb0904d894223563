// Topic names and patterns: TopicName is a checked name ("chat.general"), TopicPattern a
// checked pattern ("chat.*", "logs.>"); a name is also a pattern that matches itself.
//
// Segments are separated by dots. `*` stands for one segment anywhere, at most four times, `>`
// for one or more at the end. A pattern that begins with a wildcard never matches a reserved name, so
// nobody reads "$user.bob" by asking for ">".
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <string>
#include <string_view>

namespace troupe::base {

inline constexpr std::size_t topic_bytes_max = 256;
inline constexpr std::size_t topic_segments_max = 16;
inline constexpr std::size_t topic_wildcards_max = 4;  // `*`; what a lookup may visit grows with them

enum class TopicError : std::uint8_t {
  empty,
  too_long,
  too_many_segments,
  empty_segment,
  control_character,
  wildcard_in_name,
  stray_wildcard,
  too_many_wildcards,
};

/// The error as part of a sentence: "is longer than 256 bytes".
std::string_view describe(TopicError error) noexcept;

/// Whether a name is kept for the program itself: it begins with `$` or "system.". Clients do not publish
/// there; they subscribe to "system." alone, by a scope that names it.
bool is_reserved_topic(std::string_view name) noexcept;

/// Takes the first segment off the front of `rest`, with its dot.
std::string_view take_segment(std::string_view& rest) noexcept;

/// A valid name without wildcards.
class TopicName {
 public:
  static std::expected<TopicName, TopicError> parse(std::string_view text);

  const std::string& text() const noexcept { return text_; }
  bool is_reserved() const noexcept { return is_reserved_topic(text_); }
  /// The first segment: what options and default permissions go by.
  std::string_view name_space() const noexcept;

  friend bool operator==(const TopicName&, const TopicName&) = default;
  friend auto operator<=>(const TopicName&, const TopicName&) = default;

 private:
  explicit TopicName(std::string_view text) : text_(text) {}
  std::string text_;
};

/// A valid name or pattern.
class TopicPattern {
 public:
  static std::expected<TopicPattern, TopicError> parse(std::string_view text);
  /// The pattern that matches this name alone.
  explicit TopicPattern(const TopicName& name) : text_(name.text()) {}

  const std::string& text() const noexcept { return text_; }
  /// Without wildcards, so it can be said as a TopicName too.
  bool is_name() const noexcept;
  bool is_reserved() const noexcept { return is_reserved_topic(text_); }

  bool matches(const TopicName& name) const noexcept;
  /// Whether every name that matches `inner` matches this pattern too.
  bool contains(const TopicPattern& inner) const noexcept;

  friend bool operator==(const TopicPattern&, const TopicPattern&) = default;
  friend auto operator<=>(const TopicPattern&, const TopicPattern&) = default;

 private:
  explicit TopicPattern(std::string_view text) : text_(text) {}
  std::string text_;
};

}  // namespace troupe::base

template <>
struct std::hash<troupe::base::TopicName> {
  std::size_t operator()(const troupe::base::TopicName& name) const noexcept {
    return std::hash<std::string>{}(name.text());
  }
};
