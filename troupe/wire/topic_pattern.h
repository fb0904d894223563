// Topic patterns as text: which are valid, and what lies inside what. Both wings need it: live
// delivery for subscriptions, the authorization server for scopes that speak of topics.
//
// Segments are separated by dots. `*` stands for one segment anywhere, `>` for one or more
// at the end. A name is a pattern that matches itself. A pattern that begins with a wildcard
// never covers a reserved name, so nobody reads "$user.bob" by asking for ">".
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string_view>

namespace troupe::wire {

inline constexpr std::size_t topic_bytes_max = 256;
inline constexpr std::size_t topic_segments_max = 16;

enum class TopicError : std::uint8_t {
  empty,
  too_long,
  too_many_segments,
  empty_segment,
  control_character,
  wildcard_in_name,
  stray_wildcard,
};

/// The error as part of a sentence: "is longer than 256 bytes".
std::string_view describe(TopicError error) noexcept;

/// Whether the text is a name, without wildcards; or a name or pattern.
std::expected<void, TopicError> check_topic_name(std::string_view text) noexcept;
std::expected<void, TopicError> check_topic_pattern(std::string_view text) noexcept;

/// Whether a name is the server's own: it begins with `$` or "system.".
bool is_reserved_topic(std::string_view name) noexcept;

/// Takes the first segment off the front of `rest`, with its dot.
std::string_view take_topic_segment(std::string_view& rest) noexcept;

/// Whether every name that matches `inner` matches `outer` too. Both are valid.
bool topic_pattern_covers(std::string_view outer, std::string_view inner) noexcept;

}  // namespace troupe::wire
