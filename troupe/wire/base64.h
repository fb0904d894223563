// Base64, both alphabets of RFC 4648: the standard one (padded, as in HTTP Basic and the
// WebSocket handshake) and the one for URLs (without padding, as in JOSE).
//
// Decoding is strict, so that one value has exactly one text: no white space, no missing
// or needless padding, no bits after the end, no characters of the other alphabet.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace troupe::wire {

/// `bytes` in the standard alphabet, padded with '=' (RFC 4648, section 4).
std::string to_base64(std::string_view bytes);
std::string to_base64(std::span<const std::byte> bytes);

/// `bytes` in the alphabet for URLs, not padded (RFC 4648, section 5; RFC 7515, section 2).
std::string to_base64url(std::string_view bytes);
std::string to_base64url(std::span<const std::byte> bytes);

/// The bytes that `text` stands for, or nothing when it is not exactly what to_base64 would have written.
std::optional<std::string> from_base64(std::string_view text);

/// The bytes that `text` stands for, or nothing when it is not exactly what to_base64url would have written.
std::optional<std::string> from_base64url(std::string_view text);

}  // namespace troupe::wire
