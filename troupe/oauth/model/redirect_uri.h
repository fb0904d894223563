// Redirect URIs: which may be registered, and which one a request may name.
//
// A request's URI must be one of the registered ones byte for byte: nothing is normalised,
// because whatever we repair somebody else reads differently (RFC 9700, section 2.1). The one
// exception is the port of a native application on the loopback interface (RFC 8252, 7.3).
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace troupe::oauth {

inline constexpr std::size_t redirect_uri_bytes_max = 2048;  // errors::invalid_redirect_uri says so

/// Whether `uri` may be registered: absolute, without fragment, userinfo and odd characters; https, http on
/// a loopback host, or a private scheme with a dot in its name, as native applications use (RFC 8252, 7.1).
bool may_be_registered(std::string_view uri);

/// Whether the query of `uri` says what is ours to say behind it: its reader could take that for the answer (RFC 6749,
/// section 3.1: no parameter comes twice; RFC 9207).
bool says_an_answer(std::string_view uri);

/// Whether `requested` is `registered`: byte-exact, or both are http on the same loopback address
/// (127.0.0.1 or [::1], not a name) and differ in the port alone.
bool matches_redirect_uri(std::string_view registered, std::string_view requested);

/// Whether any of the registered URIs matches.
bool is_registered(std::span<const std::string> registered, std::string_view requested);

}  // namespace troupe::oauth
