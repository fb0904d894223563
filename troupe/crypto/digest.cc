// See digest.h.
//
// SHA-256 by OpenSSL's plain functions, which it calls deprecated: a context of EVP costs as much
// as the digest of a token.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "troupe/crypto/digest.h"

#include "troupe/crypto/openssl.h"

namespace troupe::crypto {

struct Hmac::State {
  MacContext context;
};

Digest sha256(std::string_view message) {
  Digest digest;
  SHA256_CTX context;
  need_ok(SHA256_Init(&context), "SHA-256");
  need_ok(SHA256_Update(&context, message.data(), message.size()), "SHA-256");
  need_ok(SHA256_Final(reinterpret_cast<unsigned char*>(digest.bytes.data()), &context), "SHA-256");
  return digest;
}

namespace {

std::string digest_of(std::string_view message, std::size_t bytes, const EVP_MD* kind, const char* name) {
  std::string digest(bytes, '\0');
  unsigned size = 0;
  auto* out = reinterpret_cast<unsigned char*>(digest.data());
  need_ok(EVP_Digest(message.data(), message.size(), out, &size, kind, nullptr), name);
  return digest;
}

}  // namespace

std::string sha1(std::string_view message) { return digest_of(message, 20, EVP_sha1(), "SHA-1"); }
std::string sha512(std::string_view message) { return digest_of(message, 64, EVP_sha512(), "SHA-512"); }

Digest hmac_sha256(std::string_view key, std::string_view message) {
  return Hmac{base::Secret{std::string{key}}}.sign(message);
}

bool equal_in_constant_time(std::string_view a, std::string_view b) noexcept {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string hex(std::string_view bytes) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return text;
}

Hmac::Hmac(const base::Secret<std::string>& key) : state_(std::make_unique<State>()) {
  state_->context.reset(need(EVP_MAC_CTX_new(fetched_hmac()), "HMAC"));
  char name[] = "SHA256";
  const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0), OSSL_PARAM_END};
  // An empty key must not look like "no key": OpenSSL takes a null pointer for "keep the old one".
  const std::string& bytes = key.expose();
  static constexpr unsigned char empty[1] = {};
  const unsigned char* from = bytes.empty() ? empty : octets(bytes);
  need_ok(EVP_MAC_init(state_->context.get(), from, bytes.size(), params), "HMAC key");
}

Hmac::~Hmac() = default;
Hmac::Hmac(Hmac&&) noexcept = default;
Hmac& Hmac::operator=(Hmac&&) noexcept = default;

Digest Hmac::sign(std::string_view message) {
  EVP_MAC_CTX* context = state_->context.get();
  Digest digest;
  std::size_t size = 0;
  need_ok(EVP_MAC_init(context, nullptr, 0, nullptr), "HMAC");  // the key stays, the message begins anew
  need_ok(EVP_MAC_update(context, octets(message), message.size()), "HMAC");
  auto* out = reinterpret_cast<unsigned char*>(digest.bytes.data());
  need_ok(EVP_MAC_final(context, out, &size, digest.bytes.size()), "HMAC");
  return digest;
}

}  // namespace troupe::crypto
