// JWK (RFC 7517, 7518 section 6, 8037) to OpenSSL's keys and back. See key_state.h.
#include <fmt/format.h>

#include "troupe/crypto/digest.h"
#include "troupe/crypto/key_state.h"
#include "troupe/wire/base64.h"

namespace troupe::crypto {
namespace {

constexpr std::size_t p256_bytes = 32;
constexpr int rsa_bits_min = 2048;
constexpr int rsa_bits_max = 8192;

/// The decoded bytes of the member `name`; nothing when it is absent or not base64url.
std::optional<std::string> bytes_in(const wire::Json& jwk, std::string_view name) {
  const std::string* text = jwk.string_at(name);
  return text != nullptr ? wire::from_base64url(*text) : std::nullopt;
}

bool is_curve(const wire::Json& jwk, std::string_view name) {
  const std::string* curve = jwk.string_at("crv");
  return curve != nullptr && *curve == name;
}

BigNumber number_of(std::string_view big_endian) {
  return BigNumber{need(BN_bin2bn(octets(big_endian), static_cast<int>(big_endian.size()), nullptr), "number")};
}

/// Collects the numbers of a key; OpenSSL wants them alive until the parameters are made.
class KeyParts {
 public:
  bool add_number(const char* name, const std::optional<std::string>& bytes) {
    if (!bytes || bytes->empty()) return false;
    numbers_.push_back(number_of(*bytes));
    need_ok(OSSL_PARAM_BLD_push_BN(builder_.get(), name, numbers_.back().get()), "key part");
    return true;
  }
  void add_text(const char* name, const char* text) {
    need_ok(OSSL_PARAM_BLD_push_utf8_string(builder_.get(), name, text, 0), "key part");
  }
  /// `bytes` must live until `build` has returned.
  void add_octets(const char* name, const std::string& bytes) {
    need_ok(OSSL_PARAM_BLD_push_octet_string(builder_.get(), name, bytes.data(), bytes.size()), "key part");
  }

  std::expected<KeyHandle, KeyError> build(const char* type, Part part) {
    const Params params{need(OSSL_PARAM_BLD_to_param(builder_.get()), "key parts")};
    const KeyContext context{need(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr), type)};
    need_ok(EVP_PKEY_fromdata_init(context.get()), type);
    EVP_PKEY* made = nullptr;
    const int selection = part == Part::with_private ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY;
    const int ok = EVP_PKEY_fromdata(context.get(), &made, selection, params.get());
    KeyHandle key{made};
    if (ok != 1) {
      ERR_clear_error();
      return std::unexpected(KeyError::malformed);
    }
    return key;
  }

 private:
  ParamBuilder builder_{need(OSSL_PARAM_BLD_new(), "key parts")};
  std::vector<BigNumber> numbers_;
};

std::expected<KeyHandle, KeyError> rsa_from_jwk(const wire::Json& jwk, Part part) {
  struct Member {
    const char* jwk_name;
    const char* openssl_name;
  };
  static constexpr Member public_members[] = {{"n", OSSL_PKEY_PARAM_RSA_N}, {"e", OSSL_PKEY_PARAM_RSA_E}};
  static constexpr Member private_members[] = {
      {"d", OSSL_PKEY_PARAM_RSA_D},          {"p", OSSL_PKEY_PARAM_RSA_FACTOR1},
      {"q", OSSL_PKEY_PARAM_RSA_FACTOR2},    {"dp", OSSL_PKEY_PARAM_RSA_EXPONENT1},
      {"dq", OSSL_PKEY_PARAM_RSA_EXPONENT2}, {"qi", OSSL_PKEY_PARAM_RSA_COEFFICIENT1},
  };
  KeyParts parts;
  for (const Member& member : public_members)
    if (!parts.add_number(member.openssl_name, bytes_in(jwk, member.jwk_name)))
      return std::unexpected(KeyError::malformed);
  if (part == Part::with_private)
    for (const Member& member : private_members)
      if (!parts.add_number(member.openssl_name, bytes_in(jwk, member.jwk_name)))
        return std::unexpected(KeyError::malformed);
  return parts.build("RSA", part);
}

std::expected<KeyHandle, KeyError> ec_from_jwk(const wire::Json& jwk, Part part) {
  if (!is_curve(jwk, "P-256")) return std::unexpected(KeyError::unsupported);
  const auto x = bytes_in(jwk, "x");
  const auto y = bytes_in(jwk, "y");
  // Coordinates have their full length, leading zeros included (RFC 7518, 6.2.1.2).
  if (!x || !y || x->size() != p256_bytes || y->size() != p256_bytes) return std::unexpected(KeyError::malformed);

  KeyParts parts;
  parts.add_text(OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1");
  const std::string point = "\x04" + *x + *y;  // not compressed
  parts.add_octets(OSSL_PKEY_PARAM_PUB_KEY, point);
  if (part == Part::with_private) {
    const auto d = bytes_in(jwk, "d");
    if (!d || d->size() != p256_bytes || !parts.add_number(OSSL_PKEY_PARAM_PRIV_KEY, d))
      return std::unexpected(KeyError::malformed);
  }
  return parts.build("EC", part);
}

std::expected<KeyHandle, KeyError> okp_from_jwk(const wire::Json& jwk, Part part) {
  if (!is_curve(jwk, "Ed25519")) return std::unexpected(KeyError::unsupported);
  const auto x = bytes_in(jwk, "x");
  const auto d = bytes_in(jwk, "d");
  const bool is_private = part == Part::with_private;
  if (!x || x->size() != 32) return std::unexpected(KeyError::malformed);
  if (is_private && (!d || d->size() != 32)) return std::unexpected(KeyError::malformed);
  if (!is_private) {
    return KeyHandle{
        need(EVP_PKEY_new_raw_public_key_ex(nullptr, "ED25519", nullptr, octets(*x), x->size()), "Ed25519")};
  }
  KeyHandle key{need(EVP_PKEY_new_raw_private_key_ex(nullptr, "ED25519", nullptr, octets(*d), d->size()), "Ed25519")};
  // OpenSSL computes the public part from the private one; a JWK that names another is no key.
  unsigned char computed[32];
  std::size_t size = sizeof computed;
  need_ok(EVP_PKEY_get_raw_public_key(key.get(), computed, &size), "Ed25519");
  if (std::memcmp(computed, x->data(), sizeof computed) != 0) return std::unexpected(KeyError::malformed);
  return key;
}

/// The number `name` of `key` as base64url, padded on the left to `width` bytes (0: as short as it is).
std::string number_text(EVP_PKEY* key, const char* name, std::size_t width = 0) {
  const BigNumber number = number_in(key, name);
  std::string bytes(std::max(width, static_cast<std::size_t>(BN_num_bytes(number.get()))), '\0');
  BN_bn2binpad(number.get(), reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  return wire::to_base64url(bytes);
}

std::string raw_public(EVP_PKEY* key) {
  std::string bytes(32, '\0');
  std::size_t size = bytes.size();
  need_ok(EVP_PKEY_get_raw_public_key(key, reinterpret_cast<unsigned char*>(bytes.data()), &size), "public key");
  return wire::to_base64url(bytes);
}

/// The members that RFC 7638 digests, in its order and without white space; a JWK begins with the same.
std::string required_members(EVP_PKEY* key, Algorithm algorithm) {
  switch (algorithm) {
    case Algorithm::rs256:
      return fmt::format(R"("e":"{}","kty":"RSA","n":"{}")", number_text(key, OSSL_PKEY_PARAM_RSA_E),
                         number_text(key, OSSL_PKEY_PARAM_RSA_N));
    case Algorithm::es256:
      return fmt::format(R"("crv":"P-256","kty":"EC","x":"{}","y":"{}")",
                         number_text(key, OSSL_PKEY_PARAM_EC_PUB_X, p256_bytes),
                         number_text(key, OSSL_PKEY_PARAM_EC_PUB_Y, p256_bytes));
    case Algorithm::eddsa:
      return fmt::format(R"("crv":"Ed25519","kty":"OKP","x":"{}")", raw_public(key));
  }
  std::unreachable();
}

/// What `key` signs with, or why it is not used here.
std::expected<Algorithm, KeyError> algorithm_of(EVP_PKEY* key) {
  if (EVP_PKEY_is_a(key, "ED25519") == 1) return Algorithm::eddsa;
  if (EVP_PKEY_is_a(key, "RSA") == 1) {
    const int bits = EVP_PKEY_get_bits(key);
    if (bits < rsa_bits_min || bits > rsa_bits_max) return std::unexpected(KeyError::weak);
    return Algorithm::rs256;
  }
  if (EVP_PKEY_is_a(key, "EC") == 1) {
    char group[64] = {};
    std::size_t size = 0;
    const int ok = EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof group, &size);
    if (ok == 1 && std::string_view{group} == "prime256v1") return Algorithm::es256;
    ERR_clear_error();
  }
  return std::unexpected(KeyError::unsupported);
}

}  // namespace

BigNumber number_in(EVP_PKEY* key, const char* name) {
  BIGNUM* number = nullptr;
  need_ok(EVP_PKEY_get_bn_param(key, name, &number), name);
  return BigNumber{number};
}

std::expected<KeyHandle, KeyError> key_from_jwk(const wire::Json& jwk, Part part) {
  const std::string* type = jwk.string_at("kty");
  if (type == nullptr) return std::unexpected(KeyError::malformed);
  if (*type == "RSA") return rsa_from_jwk(jwk, part);
  if (*type == "EC") return ec_from_jwk(jwk, part);
  if (*type == "OKP") return okp_from_jwk(jwk, part);
  return std::unexpected(KeyError::unsupported);
}

std::expected<std::shared_ptr<const PublicKey::State>, KeyError> state_of(KeyHandle key) {
  const auto algorithm = algorithm_of(key.get());
  if (!algorithm) return std::unexpected(algorithm.error());
  auto state = std::make_shared<PublicKey::State>();
  const std::string members = required_members(key.get(), *algorithm);
  state->kid = wire::to_base64url(sha256("{" + members + "}").view());
  state->jwk = fmt::format(R"({{{},"use":"sig","alg":"{}","kid":"{}"}})", members, name_of(*algorithm), state->kid);
  state->algorithm = *algorithm;
  state->key = std::move(key);
  return state;
}

base::Secret<std::string> private_jwk_of(const PublicKey::State& state) {
  EVP_PKEY* key = state.object();
  std::string members;
  if (state.algorithm == Algorithm::rs256) {
    members = fmt::format(
        R"("d":"{}","p":"{}","q":"{}","dp":"{}","dq":"{}","qi":"{}")", number_text(key, OSSL_PKEY_PARAM_RSA_D),
        number_text(key, OSSL_PKEY_PARAM_RSA_FACTOR1), number_text(key, OSSL_PKEY_PARAM_RSA_FACTOR2),
        number_text(key, OSSL_PKEY_PARAM_RSA_EXPONENT1), number_text(key, OSSL_PKEY_PARAM_RSA_EXPONENT2),
        number_text(key, OSSL_PKEY_PARAM_RSA_COEFFICIENT1));
  } else if (state.algorithm == Algorithm::es256) {
    members = fmt::format(R"("d":"{}")", number_text(key, OSSL_PKEY_PARAM_PRIV_KEY, p256_bytes));
  } else {
    std::string bytes(32, '\0');
    std::size_t size = bytes.size();
    need_ok(EVP_PKEY_get_raw_private_key(key, reinterpret_cast<unsigned char*>(bytes.data()), &size), "private key");
    members = fmt::format(R"("d":"{}")", wire::to_base64url(bytes));
  }
  return base::Secret{state.jwk.substr(0, state.jwk.size() - 1) + "," + members + "}"};
}

}  // namespace troupe::crypto
