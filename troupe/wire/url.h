// URLs (RFC 3986): percent coding, strict splitting, and paths made comparable.
//
// Nothing is repaired: what the grammar does not allow is a named error, so that two
// readers of one URL cannot understand two different things.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace troupe::wire {

enum class UrlError : std::uint8_t {
  no_scheme,      // a relative reference, or a scheme outside the grammar
  bad_character,  // outside the grammar: spaces, control characters, non-ASCII, '\'
  bad_escape,     // '%' without two hexadecimal digits
  bad_host,       // empty where it must not be, or not a name, an IPv4 or a bracketed IPv6 address
  bad_port,       // not a number from 0 to 65535
  bad_path,       // not beginning with '/', or an encoded slash, backslash, NUL or control character
  not_utf8,       // the escapes do not stand for UTF-8
};

/// The name of the error, for messages and logs: "bad_host".
std::string_view text(UrlError error) noexcept;

/// `bytes` with all but the unreserved characters (letters, digits, "-._~") written as %XX.
std::string percent_encode(std::string_view bytes);

/// The bytes that `text` stands for. '+' stays '+'. Errors: bad_escape.
std::expected<std::string, UrlError> percent_decode(std::string_view text);

/// An absolute URL, split. Everything but scheme and host is as it was written, still percent-encoded.
struct Url {
  std::string scheme;                   // lower case
  bool has_authority = false;           // "//" followed the scheme
  std::optional<std::string> userinfo;  // without '@'
  std::string host;                     // lower case; IPv6 with its brackets; "" where there is none
  std::optional<std::uint16_t> port;
  std::string path;
  std::optional<std::string> query;     // without '?'
  std::optional<std::string> fragment;  // without '#'

  /// The port, or the scheme's own (http and ws 80, https and wss 443); nothing for other schemes.
  std::optional<std::uint16_t> effective_port() const noexcept;

  /// Scheme, host, and the port when it is not the scheme's own: "https://example.com:8443" (RFC 6454).
  std::string origin() const;
};

/// Splits an absolute URL. http, https, ws and wss must have a host.
std::expected<Url, UrlError> parse_url(std::string_view text);

/// The path of a request as what it names: escapes decoded, "." and ".." resolved (never above the root), valid
/// UTF-8. An encoded slash or backslash is refused, for it would mean one thing here and another behind us.
std::expected<std::string, UrlError> normalise_path(std::string_view path);

}  // namespace troupe::wire
