// AuthCode: the record behind an authorization code. The Auth Actor that owns the code's
// shard owns the record; it is live once, and used ever after.
#pragma once

#include <cstdint>
#include <string>

#include "troupe/base/clock.h"
#include "troupe/crypto/digest.h"
#include "troupe/crypto/token.h"
#include "troupe/oauth/model/grant.h"

namespace troupe::oauth {

enum class CodeState : std::uint8_t { live, used };

struct AuthCode {
  crypto::TokenId id;
  crypto::Digest hash;  // of the whole text
  Grant grant;
  std::string redirect_uri;  // as it was sent; "" when it was not
  std::string code_challenge;
  base::UnixTime expires_at;
  CodeState state = CodeState::live;
};

}  // namespace troupe::oauth
