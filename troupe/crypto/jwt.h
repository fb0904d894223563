// JWT: signed claims in the compact form of JWS (RFC 7515, 7519), as RFC 8725 wants them handled.
//
// Algorithm and key are the caller's, never the header's: the header must name the key's own
// algorithm. A header that would bring a key, compress the payload or demand an extension
// (jwk, jku, x5u, x5c, zip, crit, b64) is refused before any signature is checked. What is
// claimed is not judged here: `claims` is handed back as JSON text whose signature holds.
#pragma once

#include <cstddef>
#include <expected>
#include <string>
#include <string_view>

#include "troupe/crypto/signature.h"

namespace troupe::crypto {

enum class JwtError {
  too_large,      // longer than the caller allows
  malformed,      // not three parts of strict base64url, or header or claims are no JSON object
  forbidden,      // the header has a member that is never obeyed here
  wrong_alg,      // the header's algorithm is not the key's; "none" ends here
  wrong_type,     // the header's typ is not the one that is expected
  bad_signature,  // not signed by this key, or altered since
};

/// Which "typ" a token must have; "application/" in front of it makes no difference (RFC 7515, section 4.1.9).
struct JwtExpectation {
  std::string_view typ = "JWT";                                               // compared without regard to case
  enum class MissingTyp { refused, accepted } missing = MissingTyp::refused;  // ID tokens of others often have none
  std::size_t bytes_max = 16 * 1024;  // our own take about 1 KiB; room for other issuers' claims
};

struct Jwt {
  std::string header;  // JSON text
  std::string claims;  // JSON text of an object, valid UTF-8
};

/// The JWT with these claims (JSON text of an object), signed; its header has alg, typ and the key's kid.
std::string sign_jwt(Signer& signer, std::string_view typ, std::string_view claims);

/// The token's header and claims when it is of the expected type and signed by the verifier's key.
std::expected<Jwt, JwtError> verify_jwt(Verifier& verifier, std::string_view token, const JwtExpectation& expected);

/// What a token says about itself, for choosing among keys that are known already: nothing here is proven.
struct JwtHint {
  std::string kid;  // empty when the header names none
  std::string alg;
  std::string claims;  // JSON text, unproven: good for finding the client that an assertion names
};

/// Reads the hint under the same limits and refusals as `verify_jwt`, but checks no signature.
std::expected<JwtHint, JwtError> read_unverified_jwt(std::string_view token, std::size_t bytes_max = 16 * 1024);

}  // namespace troupe::crypto
