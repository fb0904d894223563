// Hexadecimal text (RFC 4648, section 8), of either case.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace troupe::wire {

/// The bytes that the text stands for, two digits each; nothing where it holds anything else.
std::optional<std::string> from_hex(std::string_view text);

}  // namespace troupe::wire
