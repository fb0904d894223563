// See key.h.
#include "troupe/crypto/key.h"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <string>
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

/// Whether only who knows the factors can sign: with an exponent of one everybody can, and an even one or an even
/// modulus is none of RSA. Bounded by its bits; a full check costs a primality test.
bool is_sound_rsa(EVP_PKEY* key) {
  constexpr int exponent_bits_max = 64;  // a larger one would make each check as dear as a signature
  const BigNumber modulus = number_in(key, OSSL_PKEY_PARAM_RSA_N);
  const BigNumber exponent = number_in(key, OSSL_PKEY_PARAM_RSA_E);
  return BN_is_odd(modulus.get()) == 1 && BN_is_odd(exponent.get()) == 1 && BN_is_one(exponent.get()) == 0 &&
         BN_num_bits(exponent.get()) <= exponent_bits_max;
}

/// Whether the point has an order of eight at most: then signatures that hold can be guessed without a private key. By
/// the seven ways to write such a y-coordinate, little-endian and without the sign of x (RFC 8032, section 5.1.3).
bool has_small_order(EVP_PKEY* ed25519) {
  static const std::array<std::string, 7> encodings = [] {
    const std::string zeros(30, '\0'), ones(30, '\xff');
    const auto of_order_eight = [](std::initializer_list<int> bytes) {
      return std::string{bytes.begin(), bytes.end()};
    };
    return std::array{
        std::string(1, '\0') + zeros + '\0',     // 0: order 4
        std::string(1, '\1') + zeros + '\0',     // 1: the neutral point
        std::string(1, '\xec') + ones + '\x7f',  // p - 1: order 2
        std::string(1, '\xed') + ones + '\x7f',  // p, which is 0
        std::string(1, '\xee') + ones + '\x7f',  // p + 1, which is 1
        of_order_eight({0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4,
                        0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6,
                        0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05}),
        of_order_eight({0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b,
                        0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39,
                        0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a}),
    };
  }();
  std::string point(32, '\0');
  std::size_t size = point.size();
  need_ok(EVP_PKEY_get_raw_public_key(ed25519, reinterpret_cast<unsigned char*>(point.data()), &size), "Ed25519");
  point.back() = static_cast<char>(point.back() & 0x7f);
  return std::ranges::find(encodings, point) != encodings.end();
}

/// Whether `key` is fit to check signatures with: its point is on the curve and of full order, its modulus is no
/// nonsense.
bool is_sound(EVP_PKEY* key) {
  if (EVP_PKEY_is_a(key, "RSA") == 1) return is_sound_rsa(key);
  if (EVP_PKEY_is_a(key, "ED25519") == 1 && has_small_order(key)) return false;
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
