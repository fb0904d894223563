// The scalars of JSON by the grammar of RFC 8259, for tokens that are checked and passed on
// without being read.
#pragma once

#include <string_view>

namespace troupe::realtime {

/// Whether `token` is exactly one JSON string, number, true, false or null. Its UTF-8 is not looked at.
bool is_json_scalar(std::string_view token) noexcept;

}  // namespace troupe::realtime
