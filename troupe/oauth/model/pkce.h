// PKCE (RFC 7636) with S256, the only method that is spoken here: `plain` protects nobody
// who can read the request.
#pragma once

#include <string_view>

namespace troupe::oauth {

/// Whether `challenge` can be one: 43 characters of base64url, the SHA-256 of a verifier (section 4.2).
bool is_pkce_challenge(std::string_view challenge) noexcept;

/// Whether `verifier` can be one: 43 to 128 unreserved characters (section 4.1).
bool is_pkce_verifier(std::string_view verifier) noexcept;

/// Whether `challenge` is base64url(SHA-256(verifier)); compared in constant time.
bool pkce_matches(std::string_view challenge, std::string_view verifier);

}  // namespace troupe::oauth
