// Signatures: a `Signer` or `Verifier` is one key with one OpenSSL context, set up once, and
// belongs to one owner.
//
// Signatures are in the form of JOSE: ES256 is r || s of 64 bytes (RFC 7518, section 3.4).
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "troupe/crypto/key.h"

namespace troupe::crypto {

class Signer {
 public:
  explicit Signer(PrivateKey key);
  ~Signer();
  Signer(Signer&&) noexcept;
  Signer& operator=(Signer&&) noexcept;

  /// The signature of `message`. Throws std::runtime_error when OpenSSL fails.
  std::string sign(std::string_view message);
  const PrivateKey& key() const noexcept { return key_; }

 private:
  struct Context;
  PrivateKey key_;
  std::unique_ptr<Context> context_;
};

class Verifier {
 public:
  explicit Verifier(PublicKey key);
  ~Verifier();
  Verifier(Verifier&&) noexcept;
  Verifier& operator=(Verifier&&) noexcept;

  /// Whether `signature` is this key's for `message`. Any bytes may be given.
  bool verify(std::string_view message, std::string_view signature);
  const PublicKey& key() const noexcept { return key_; }

 private:
  struct Context;
  PublicKey key_;
  std::unique_ptr<Context> context_;
};

}  // namespace troupe::crypto
