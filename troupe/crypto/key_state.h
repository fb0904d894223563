// What a key is inside: OpenSSL's object and what is derived from it once. Internal to crypto/.
#pragma once

#include "troupe/crypto/key.h"
#include "troupe/crypto/openssl.h"
#include "troupe/wire/json.h"

namespace troupe::crypto {

/// Shared by all copies of a key and never changed; a private key's object holds both parts.
struct PublicKey::State {
  KeyHandle key;
  Algorithm algorithm = Algorithm::es256;
  std::string kid;
  std::string jwk;

  /// EVP_PKEY is counted inside OpenSSL and its functions want it mutable, though they only read.
  EVP_PKEY* object() const noexcept { return key.get(); }
};

enum class Part { public_only, with_private };

/// The key that a JWK describes; its kind is checked by `state_of`.
std::expected<KeyHandle, KeyError> key_from_jwk(const wire::Json& jwk, Part part);

/// `key` with its algorithm, thumbprint and public JWK; refuses kinds and sizes that are not used here.
std::expected<std::shared_ptr<const PublicKey::State>, KeyError> state_of(KeyHandle key);

/// The number of that name, by OpenSSL's names of parameters, which a key of its kind has.
BigNumber number_in(EVP_PKEY* key, const char* name);

/// The private JWK of a key that has a private part.
base::Secret<std::string> private_jwk_of(const PublicKey::State& state);

}  // namespace troupe::crypto
