// Identity: whom a token stands for. This wing asks for it and knows no more of tokens; who
// answers is handed in.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "troupe/actor/message.h"
#include "troupe/base/clock.h"
#include "troupe/base/strong.h"
#include "troupe/realtime/protocol/ids.h"

namespace troupe::realtime {

struct Identity {
  UserId user;
  std::vector<std::string> scopes;
  TokenId token;  // by which its revocation is told; empty for anonymous ones
  std::optional<base::UnixTime> expires_at;

  bool has_scope(std::string_view scope) const { return std::ranges::find(scopes, scope) != scopes.end(); }
};

enum class TokenRefusal : std::uint8_t {
  invalid,      // malformed, forged, expired, revoked, or not for us
  unavailable,  // it could not be looked at now
};

/// Is this access token good, and whose is it?
struct VerifyToken {
  base::Secret<std::string> token;
  using reply = Identity;
  using error = TokenRefusal;
};

/// A token is good no longer: every connection that uses it closes with 4001. Told to the SystemSupervisor.
struct TokenRevoked {
  static constexpr auto message_class = actor::MessageClass::control;
  TokenId token;
};

}  // namespace troupe::realtime
