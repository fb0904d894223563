// TokenBridge: between the two wings. It answers the real-time service whom a token stands
// for, and tells it when such a token is good no longer.
//
// One in the system. It remembers which tokens it has vouched for until they expire, by family
// with client and user, since a revocation may name no more than one of these; and what was
// revoked lately, since a revocation may overtake an answer that is on its way. All of this
// outlives a restart: what was let in before a fault must still be closed after it.
//
// A token that it still vouches for is not verified again for a short time: it is known by its
// digest. That a revocation gets lost on its way must not make a token good for long.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>

#include "troupe/actor/actor.h"
#include "troupe/oauth/actor/token_actor.h"
#include "troupe/realtime/protocol/identity.h"

namespace troupe::app {

/// Whom the bridge asks, and whom it tells. Said once, when both services have started.
struct ConnectBridge {
  actor::Ref<oauth::TokenActor> tokens;
  actor::Ref<actor::Protocol<realtime::TokenRevoked>> realtime;
};

/// What the bridge knows. Given to it when it is spawned and touched by it alone.
struct BridgeMemory {
  struct Token {
    base::UnixTime issued_at;
    base::UnixTime expires_at;
    std::string signed_by;  // the id of a key; "": by none
  };
  struct Family {
    oauth::ClientId client;
    std::optional<oauth::UserId> user;
    std::map<std::string, Token, std::less<>> tokens;
  };
  struct Ended {
    base::UnixTime at;
    base::Instant heard;
  };

  struct Known {
    realtime::Identity identity;
    oauth::FamilyId family;
    base::Instant verified_at;
  };

  ConnectBridge ends;
  std::map<oauth::FamilyId, Family> vouched;
  std::map<std::string, Known> known;  // by the digest of the token's text; good as long as its token is vouched for
  std::map<std::string, base::Instant> revoked;  // families by their name and tokens by their id, lately
  std::map<std::string, Ended> ended;            // clients, users and signing keys by their id, lately
};

class TokenBridge {
 public:
  static constexpr bool interleaves = true;  // many tokens are looked at at once

  /// `audience`: what a token must be meant for, our issuer.
  TokenBridge(std::string audience, std::shared_ptr<BridgeMemory> memory)
      : audience_(std::move(audience)), memory_(std::move(memory)) {}

  void started(actor::Context& context);
  void handle(ConnectBridge message) { memory_->ends = std::move(message); }
  actor::Task<std::expected<realtime::Identity, realtime::TokenRefusal>> handle(realtime::VerifyToken message,
                                                                                actor::Context& context);
  void handle(oauth::TokensRevoked message, actor::Context& context);
  oauth::EndingsHeard handle(oauth::GrantsEnded message, actor::Context& context);

  /// Told by itself: forgets what can matter no longer.
  struct Forget {};
  void handle(Forget message, actor::Context& context);
  void inspect(actor::Inspection& out) const;

 private:
  std::optional<realtime::Identity> recall(const std::string& digest, actor::Context& context) const;
  const BridgeMemory::Token* vouched_for(const BridgeMemory::Known& known) const;
  bool was_revoked(const oauth::TokenClaims& claims) const;
  bool has_ended(const std::string& owner, base::UnixTime issued_at) const;
  bool is_over(const BridgeMemory::Family& family, const BridgeMemory::Token& token) const;
  void tell(const std::string& token) const {
    memory_->ends.realtime.tell(realtime::TokenRevoked{realtime::TokenId{token}});
  }

  std::string audience_;
  std::shared_ptr<BridgeMemory> memory_;
};

}  // namespace troupe::app
