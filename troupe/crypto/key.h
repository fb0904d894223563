// Keys for signatures: RSA with SHA-256 (RS256), ECDSA on P-256 (ES256) and Ed25519 (EdDSA).
//
// `PublicKey` and `PrivateKey` are immutable values; copies share one key, and any thread
// may hold them; signing and checking is in signature.h. A key knows its only algorithm:
// nothing that comes with a message can choose another one.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "troupe/base/strong.h"

namespace troupe::crypto {

enum class Algorithm : std::uint8_t { rs256, es256, eddsa };

/// "RS256", "ES256" or "EdDSA" (RFC 7518, section 3.1; RFC 8037, section 3.1).
std::string_view name_of(Algorithm algorithm) noexcept;
/// The algorithm of this exact name, or nothing: "none" and the symmetric ones have no value here.
std::optional<Algorithm> algorithm_named(std::string_view name) noexcept;

enum class KeyError {
  malformed,    // not a key, or its parts do not belong together
  unsupported,  // a key type or curve that is not spoken here
  weak,         // RSA of fewer than 2048 bits, or of more than 8192, which only costs time
};

class PublicKey {
 public:
  /// Reads the public part of a JWK (RFC 7517); private parts in it are ignored.
  static std::expected<PublicKey, KeyError> from_jwk(std::string_view json);
  /// Reads a SubjectPublicKeyInfo (RFC 5280), as DER or as PEM.
  static std::expected<PublicKey, KeyError> from_der(std::string_view der);
  static std::expected<PublicKey, KeyError> from_pem(std::string_view pem);

  Algorithm algorithm() const noexcept;
  /// The RFC 7638 thumbprint: base64url of the SHA-256 of the key's required members.
  const std::string& kid() const noexcept;
  /// The key as a JWK with "use", "alg" and "kid".
  const std::string& jwk() const noexcept;
  std::string der() const;
  std::string pem() const;

  struct State;  // key_state.h, for crypto/ alone

 private:
  friend class PrivateKey;
  friend class Signer;
  friend class Verifier;
  using Read = std::expected<std::shared_ptr<const State>, KeyError>;
  static std::expected<PublicKey, KeyError> of(Read state);
  explicit PublicKey(std::shared_ptr<const State> state) : state_(std::move(state)) {}
  std::shared_ptr<const State> state_;
};

class PrivateKey {
 public:
  /// A new key from OpenSSL's generator: RSA with 2048 bits (tens of milliseconds and more: not in a
  /// handler), P-256, or Ed25519.
  static PrivateKey generate(Algorithm algorithm);
  /// Reads a private JWK (RFC 7517; RSA with all its factors) and checks that its parts belong together.
  static std::expected<PrivateKey, KeyError> from_jwk(const base::Secret<std::string>& json);
  /// Reads an unencrypted PKCS #8 key (RFC 5208), as DER or as PEM.
  static std::expected<PrivateKey, KeyError> from_der(const base::Secret<std::string>& der);
  static std::expected<PrivateKey, KeyError> from_pem(const base::Secret<std::string>& pem);

  const PublicKey& public_key() const noexcept { return public_key_; }
  Algorithm algorithm() const noexcept { return public_key_.algorithm(); }
  const std::string& kid() const noexcept { return public_key_.kid(); }
  base::Secret<std::string> jwk() const;
  base::Secret<std::string> der() const;
  base::Secret<std::string> pem() const;

 private:
  friend class Signer;
  static std::expected<PrivateKey, KeyError> of(PublicKey::Read state);
  explicit PrivateKey(PublicKey public_key) : public_key_(std::move(public_key)) {}
  PublicKey public_key_;  // the shared key object holds the private part too
};

}  // namespace troupe::crypto
