// The public keys of a client, as its JWK Set has them (RFC 7517).
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "troupe/crypto/key.h"

namespace troupe::oauth {

/// One of them, with the name that the client gives it; "" where it gives none.
struct ClientKey {
  std::string kid;
  crypto::PublicKey key;
};

using ClientKeys = std::vector<ClientKey>;
using ClientKeysPtr = std::shared_ptr<const ClientKeys>;

inline constexpr std::size_t jwks_bytes_max = 64 * 1024;
inline constexpr std::size_t client_keys_max = 20;

enum class JwksFault : std::uint8_t {
  malformed,  // no JSON object with a list `keys`, too large, or too many keys
  secret,     // a private or a symmetric key in it: it is known to others now, and proves nothing
};

/// The keys of a set that check signatures by an algorithm that is spoken here. Others are passed over, as the RFC
/// wants it: keys for encryption, of other kinds, and what is malformed.
std::expected<ClientKeys, JwksFault> read_client_keys(std::string_view jwks);

}  // namespace troupe::oauth
