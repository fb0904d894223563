// See pkce.h.
#include "troupe/oauth/model/pkce.h"

#include <algorithm>

#include "troupe/crypto/digest.h"
#include "troupe/wire/ascii.h"
#include "troupe/wire/base64.h"

namespace troupe::oauth {

bool is_pkce_challenge(std::string_view challenge) noexcept {
  auto is_base64url = [](char c) { return wire::is_alphanumeric(c) || c == '-' || c == '_'; };
  return challenge.size() == 43 && std::ranges::all_of(challenge, is_base64url);
}

bool is_pkce_verifier(std::string_view verifier) noexcept {
  auto is_unreserved = [](char c) { return wire::is_alphanumeric(c) || std::string_view{"-._~"}.contains(c); };
  return verifier.size() >= 43 && verifier.size() <= 128 && std::ranges::all_of(verifier, is_unreserved);
}

bool pkce_matches(std::string_view challenge, std::string_view verifier) {
  return crypto::equal_in_constant_time(challenge, wire::to_base64url(crypto::sha256(verifier).view()));
}

}  // namespace troupe::oauth
