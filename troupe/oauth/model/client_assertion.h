// Client assertion: a JWT by which a client proves itself with a key of its own (RFC 7523, sections 2.2 and 3; OpenID
// Connect Core, section 9, private_key_jwt).
//
// Pure functions: whose it says it is, and whether it holds. That it is shown for the first time is the Client Actor's
// to say. Algorithm and key are the client's, never the header's.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "troupe/base/clock.h"
#include "troupe/oauth/model/client.h"
#include "troupe/oauth/model/client_keys.h"

namespace troupe::oauth {

inline constexpr std::string_view assertion_type = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

enum class AssertionFault : std::uint8_t {
  malformed,  // no JWT, or a claim is missing or of another kind
  wrong_algorithm,
  unknown_key,
  bad_signature,
  wrong_client,    // `iss` or `sub` is not the client
  wrong_audience,  // not for us, or for others too
  expired,
  lives_too_long,
  not_yet_good,
};

/// The fault as the audit trail names it: "assertion_expired".
std::string_view text(AssertionFault fault) noexcept;

/// What it says of itself, without proof: whose keys to look for.
struct AssertionHint {
  ClientId client;
  std::string kid;  // "" where it names none
};
std::optional<AssertionHint> read_assertion_hint(std::string_view assertion);

/// An assertion that holds. Of one client no two may have the same `jti`.
struct GoodAssertion {
  std::string jti;
  base::UnixTime expires_at;
};

/// Checks an assertion of this client against its keys. `audiences` are our names, each good alone; one that names
/// others beside us could be shown here by one of them, and is refused. It may live for an hour at most, and clocks may
/// differ by 15 seconds.
std::expected<GoodAssertion, AssertionFault> check_assertion(std::string_view assertion, const Client& client,
                                                             std::span<const ClientKey> keys,
                                                             std::span<const std::string> audiences,
                                                             base::UnixTime now);

/// How long a good assertion must be remembered after its end: so long it may still be shown.
inline constexpr std::chrono::seconds assertion_skew{15};

}  // namespace troupe::oauth
