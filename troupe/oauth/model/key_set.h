// KeySet: the server's keys at one moment, for whoever signs, checks or shows them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "troupe/crypto/key.h"
#include "troupe/crypto/token.h"

namespace troupe::oauth {

/// The keys at one moment. Immutable; may be shared between cores.
struct KeySet {
  std::vector<crypto::PrivateKey> signing;   // one for each algorithm that tokens are signed with
  std::vector<crypto::PublicKey> verifying;  // every key whose signatures are still good; includes the above
  std::string jwks;                          // the JWK Set document (RFC 7517, section 5), ready to send
  std::string jwks_etag;                     // with its quotes
  crypto::TokenKeys token_keys;              // of the HMACs in opaque tokens
  std::uint8_t token_key = 0;                // the one that new tokens are made with
  std::int64_t number = 0;                   // of two sets of one process the later has the larger
  bool is_complete = true;                   // false: at the first start, until the key of RSA is made
};

/// The key that signs with this algorithm; null while there is none.
inline const crypto::PrivateKey* find_signer(const KeySet& keys, crypto::Algorithm algorithm) {
  const auto found = std::ranges::find(keys.signing, algorithm, &crypto::PrivateKey::algorithm);
  return found == keys.signing.end() ? nullptr : &*found;
}

using KeySetPtr = std::shared_ptr<const KeySet>;

}  // namespace troupe::oauth
