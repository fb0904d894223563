// Key Actor: owns the signing keys: makes them before they are needed, announces them, signs
// with them, and keeps the public part until the last token signed with them has expired.
//
// Whoever signs keeps a KeySet of its own and is sent a new one when it changes, so that no
// signature waits for this actor.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "troupe/crypto/key.h"
#include "troupe/crypto/token.h"
#include "troupe/oauth/model/errors.h"

namespace troupe::oauth {

/// The keys at one moment. Immutable; may be shared between cores.
struct KeySet {
  std::vector<crypto::PrivateKey> signing;   // one for each algorithm that tokens are signed with
  std::vector<crypto::PublicKey> verifying;  // every key whose signatures are still good; includes the above
  std::string jwks;                          // the JWK Set document (RFC 7517, section 5), ready to send
  std::string jwks_etag;                     // with its quotes
  crypto::TokenKeys token_keys;              // of the HMACs in opaque tokens
  std::uint8_t token_key = 0;                // the one that new tokens are made with
};

using KeySetPtr = std::shared_ptr<const KeySet>;

/// The keys of this moment.
struct GetKeys {
  using reply = KeySetPtr;
};

/// The keys have changed. Sent to those that asked by WatchKeys.
struct KeysChanged {
  KeySetPtr keys;
};

/// Makes new keys of every algorithm the signing ones; the old ones stay good for verifying.
struct RotateKeys {
  using reply = KeySetPtr;
};

class KeyActor;

}  // namespace troupe::oauth
