// PKCE: the example of the RFC, and texts outside the grammar.
#include "troupe/oauth/model/pkce.h"

#include <string>

#include <doctest/doctest.h>

namespace troupe::oauth {
namespace {

TEST_CASE("a verifier proves its challenge (RFC 7636, appendix B)") {
  constexpr auto verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
  constexpr auto challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
  CHECK(is_pkce_verifier(verifier));
  CHECK(is_pkce_challenge(challenge));
  CHECK(pkce_matches(challenge, verifier));
  CHECK_FALSE(pkce_matches(challenge, "another-verifier-of-the-right-length-and-more"));
  CHECK_FALSE(pkce_matches("", verifier));
}

TEST_CASE("verifiers and challenges outside the grammar are none (T18)") {
  CHECK_FALSE(is_pkce_verifier(std::string(42, 'a')));
  CHECK(is_pkce_verifier(std::string(43, 'a')));
  CHECK(is_pkce_verifier(std::string(128, '~')));
  CHECK_FALSE(is_pkce_verifier(std::string(129, 'a')));
  CHECK_FALSE(is_pkce_verifier(std::string(43, '+')));
  CHECK_FALSE(is_pkce_challenge(std::string(44, 'a')));
  CHECK_FALSE(is_pkce_challenge(std::string(43, '=')));
}

}  // namespace
}  // namespace troupe::oauth
