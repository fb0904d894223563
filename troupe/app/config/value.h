// The values of a configuration as text: durations ("10m", "1h30m"), sizes ("1MiB"),
// addresses ("127.0.0.1:8080"), and what a file or a variable may give for each.
//
// Reading is strict and says in a sentence what it wants; what is written reads back as the
// same value.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "troupe/base/clock.h"
#include "troupe/net/address.h"

namespace troupe::app {

/// What somebody wrote: in a file with a type, elsewhere a text.
using Given = std::variant<bool, std::int64_t, double, std::string, std::vector<std::string>>;

/// Why a value is not taken: "wants a duration such as \"10m\"".
using Complaint = std::string;

/// Reads whole numbers with units, biggest first: "250ms", "10m", "1h30m", "14d". "0s" is allowed, a bare number is
/// not.
std::expected<base::Duration, Complaint> parse_duration(std::string_view text);
/// The shortest text for a duration of whole nanoseconds: "90s" is "1m30s".
std::string duration_text(base::Duration duration);

/// Reads "4096", "64KiB", "1MiB" or "2GiB".
std::expected<std::size_t, Complaint> parse_bytes(std::string_view text);
std::string bytes_text(std::size_t bytes);

/// Reads "127.0.0.1:8080", "[::1]:8080" or "localhost:8080" (which is 127.0.0.1); port 0: any free one.
std::expected<net::PeerAddress, Complaint> parse_listen(std::string_view text);

}  // namespace troupe::app
