// Topic names and patterns: TopicName is a checked name ("chat.general"), TopicPattern a
// checked pattern ("chat.*", "logs.>"); a name is also a pattern that matches itself.
//
// The rules are those of wire/topic_pattern.h; a value of these types has passed them. Names
// that are reserved are ours: clients neither publish nor subscribe there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <string>
#include <string_view>

#include "troupe/wire/topic_pattern.h"

namespace troupe::realtime {

using wire::is_reserved_topic;
using wire::topic_bytes_max;
using wire::TopicError;

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

/// Which of `count` shards (at least one) is the home of a topic: the same on every core and in every run.
std::size_t home_of(std::string_view topic, std::size_t count) noexcept;

}  // namespace troupe::realtime

template <>
struct std::hash<troupe::realtime::TopicName> {
  std::size_t operator()(const troupe::realtime::TopicName& name) const noexcept {
    return std::hash<std::string>{}(name.text());
  }
};
