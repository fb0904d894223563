// The scalars of JSON by the grammar of RFC 8259, for tokens that are checked and passed on
// without being read.
#pragma once

#include <optional>
#include <string_view>

namespace troupe::realtime {

/// Whether `token` is exactly one JSON string, number, true, false or null. Its UTF-8 is not looked at.
bool is_json_scalar(std::string_view token) noexcept;

/// What stands between the quotes where `token` is a string without escapes, as nearly all are; else nothing. The
/// tokenizer must have seen where a string ends, that no control character stands in it, and that it is valid UTF-8.
std::optional<std::string_view> plain_json_string(std::string_view token) noexcept;

}  // namespace troupe::realtime
