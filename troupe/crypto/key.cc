// See key.h.
#include "troupe/crypto/key.h"

#include <vector>

#include "troupe/crypto/key_state.h"

namespace troupe::crypto {
namespace {

constexpr std::size_t document_bytes_max = 64 * 1024;  // the largest RSA key that is read here takes 10 KiB

std::expected<std::shared_ptr<const PublicKey::State>, KeyError> read(KeyHandle key) {
  if (!key) {
    ERR_clear_error();
    return std::unexpected(KeyError::malformed);
  }
  return state_of(std::move(key));
}

Bio reader_of(std::string_view text) {
  return Bio{need(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), "memory")};
}

std::string text_of(const Bio& bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

/// Refuses to ask anybody for a password: an encrypted key is not read here.
int no_password(char*, int, int, void*) { return -1; }

/// Whether what the private part of `key` signs holds under its public part. Of what an RSA key says twice, its
/// exponent and the factors, one may be wrong: OpenSSL signs by the other.
bool signs_for_itself(EVP_PKEY* key) {
  constexpr std::string_view said = "whole";
  const DigestContext signing{need(EVP_MD_CTX_new(), "key check")}, checking{need(EVP_MD_CTX_new(), "key check")};
  std::vector<unsigned char> signature(static_cast<std::size_t>(EVP_PKEY_get_size(key)));
  std::size_t size = signature.size();
  const bool whole = EVP_DigestSignInit(signing.get(), nullptr, EVP_sha256(), nullptr, key) == 1 &&
                     EVP_DigestSign(signing.get(), signature.data(), &size, octets(said), said.size()) == 1 &&
                     EVP_DigestVerifyInit(checking.get(), nullptr, EVP_sha256(), nullptr, key) == 1 &&
                     EVP_DigestVerify(checking.get(), signature.data(), size, octets(said), said.size()) == 1;
  ERR_clear_error();
  return whole;
}

/// Whether the private and the public part of `key` belong together.
bool is_whole(EVP_PKEY* key) {
  // OpenSSL would test the primes for a tenth of a second, on the core that reads its keys at each start.
  if (EVP_PKEY_is_a(key, "RSA") == 1) return signs_for_itself(key);
  const KeyContext context{need(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr), "key check")};
  const bool whole = EVP_PKEY_pairwise_check(context.get()) == 1;
  ERR_clear_error();
  return whole;
}

/// Whether `key` is fit to check signatures with: its point is on the curve, its modulus is no nonsense.
bool is_sound(EVP_PKEY* key) {
  if (EVP_PKEY_is_a(key, "RSA") == 1) return true;  // bounded by its bits; a full check costs a primality test
  const KeyContext context{need(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr), "key check")};
  const bool sound = EVP_PKEY_public_check(context.get()) == 1;
  ERR_clear_error();
  return sound;
}

std::expected<std::shared_ptr<const PublicKey::State>, KeyError> read_private(KeyHandle key) {
  auto state = read(std::move(key));
  if (state && !is_whole((*state)->object())) return std::unexpected(KeyError::malformed);
  return state;
}

std::expected<std::shared_ptr<const PublicKey::State>, KeyError> read_public(KeyHandle key) {
  auto state = read(std::move(key));
  if (state && !is_sound((*state)->object())) return std::unexpected(KeyError::malformed);
  return state;
}

}  // namespace

std::string_view name_of(Algorithm algorithm) noexcept {
  switch (algorithm) {
    case Algorithm::rs256:
      return "RS256";
    case Algorithm::es256:
      return "ES256";
    case Algorithm::eddsa:
      return "EdDSA";
  }
  std::unreachable();
}

std::optional<Algorithm> algorithm_named(std::string_view name) noexcept {
  for (const Algorithm algorithm : {Algorithm::rs256, Algorithm::es256, Algorithm::eddsa})
    if (name == name_of(algorithm)) return algorithm;
  if (name == "Ed25519") return Algorithm::eddsa;  // EdDSA with its curve, as younger clients write it (RFC 9864, 2.2)
  return std::nullopt;
}

std::expected<PublicKey, KeyError> PublicKey::of(Read state) {
  if (!state) return std::unexpected(state.error());
  return PublicKey{std::move(*state)};
}

std::expected<PrivateKey, KeyError> PrivateKey::of(PublicKey::Read state) {
  if (!state) return std::unexpected(state.error());
  return PrivateKey{PublicKey{std::move(*state)}};
}

std::expected<PublicKey, KeyError> PublicKey::from_jwk(std::string_view json) {
  const auto members = wire::parse_json(json, {.bytes_max = document_bytes_max});
  if (!members) return std::unexpected(KeyError::malformed);
  auto key = key_from_jwk(*members, Part::public_only);
  if (!key) return std::unexpected(key.error());
  return of(read_public(std::move(*key)));
}

std::expected<PublicKey, KeyError> PublicKey::from_der(std::string_view der) {
  if (der.size() > document_bytes_max) return std::unexpected(KeyError::malformed);
  const unsigned char* at = octets(der);
  KeyHandle key{d2i_PUBKEY(nullptr, &at, static_cast<long>(der.size()))};
  if (key && at != octets(der) + der.size()) return std::unexpected(KeyError::malformed);
  return of(read_public(std::move(key)));
}

std::expected<PublicKey, KeyError> PublicKey::from_pem(std::string_view pem) {
  if (pem.size() > document_bytes_max) return std::unexpected(KeyError::malformed);
  const Bio bio = reader_of(pem);
  KeyHandle key{PEM_read_bio_PUBKEY(bio.get(), nullptr, no_password, nullptr)};
  return of(read_public(std::move(key)));
}

Algorithm PublicKey::algorithm() const noexcept { return state_->algorithm; }
const std::string& PublicKey::kid() const noexcept { return state_->kid; }
const std::string& PublicKey::jwk() const noexcept { return state_->jwk; }

std::string PublicKey::der() const {
  const Bio bio{need(BIO_new(BIO_s_mem()), "memory")};
  need_ok(i2d_PUBKEY_bio(bio.get(), state_->object()), "public key");
  return text_of(bio);
}

std::string PublicKey::pem() const {
  const Bio bio{need(BIO_new(BIO_s_mem()), "memory")};
  need_ok(PEM_write_bio_PUBKEY(bio.get(), state_->object()), "public key");
  return text_of(bio);
}

PrivateKey PrivateKey::generate(Algorithm algorithm) {
  KeyHandle key;
  switch (algorithm) {
    case Algorithm::rs256:
      key.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t{2048}));
      break;
    case Algorithm::es256:
      key.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"));
      break;
    case Algorithm::eddsa:
      key.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
      break;
  }
  need(key.get(), "generating a key");
  return PrivateKey{PublicKey{state_of(std::move(key)).value()}};
}

std::expected<PrivateKey, KeyError> PrivateKey::from_jwk(const base::Secret<std::string>& json) {
  const auto members = wire::parse_json(json.expose(), {.bytes_max = document_bytes_max});
  if (!members) return std::unexpected(KeyError::malformed);
  auto key = key_from_jwk(*members, Part::with_private);
  if (!key) return std::unexpected(key.error());
  return of(read_private(std::move(*key)));
}

std::expected<PrivateKey, KeyError> PrivateKey::from_der(const base::Secret<std::string>& der) {
  const std::string& bytes = der.expose();
  if (bytes.size() > document_bytes_max) return std::unexpected(KeyError::malformed);
  const unsigned char* at = octets(bytes);
  KeyHandle key{d2i_AutoPrivateKey(nullptr, &at, static_cast<long>(bytes.size()))};
  if (key && at != octets(bytes) + bytes.size()) return std::unexpected(KeyError::malformed);
  return of(read_private(std::move(key)));
}

std::expected<PrivateKey, KeyError> PrivateKey::from_pem(const base::Secret<std::string>& pem) {
  if (pem.expose().size() > document_bytes_max) return std::unexpected(KeyError::malformed);
  const Bio bio = reader_of(pem.expose());
  KeyHandle key{PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, nullptr)};
  return of(read_private(std::move(key)));
}

base::Secret<std::string> PrivateKey::jwk() const { return private_jwk_of(*public_key_.state_); }

base::Secret<std::string> PrivateKey::der() const {
  const Bio bio{need(BIO_new(BIO_s_mem()), "memory")};
  need_ok(i2d_PKCS8PrivateKey_bio(bio.get(), public_key_.state_->object(), nullptr, nullptr, 0, nullptr, nullptr),
          "private key");
  return base::Secret{text_of(bio)};
}

base::Secret<std::string> PrivateKey::pem() const {
  const Bio bio{need(BIO_new(BIO_s_mem()), "memory")};
  need_ok(PEM_write_bio_PKCS8PrivateKey(bio.get(), public_key_.state_->object(), nullptr, nullptr, 0, nullptr, nullptr),
          "private key");
  return base::Secret{text_of(bio)};
}

}  // namespace troupe::crypto
