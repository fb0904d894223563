// See jwt.h.
#include "troupe/crypto/jwt.h"

#include <fmt/format.h>

#include "troupe/base/check.h"
#include "troupe/wire/base64.h"
#include "troupe/wire/json.h"

namespace troupe::crypto {
namespace {

// Members that let a token choose its key or change how it is read (RFC 7515, 4.1; RFC 7797; RFC 8725, 3.10).
constexpr std::string_view forbidden_members[] = {"crit", "jku", "jwk", "x5u", "x5c", "zip", "b64", "enc"};

struct Parts {
  std::string_view signed_text;  // header "." claims, as they were sent
  std::string header;
  std::string claims;
  std::string signature;
};

/// The three parts, decoded; nothing when there are not exactly three, or one is not strict base64url.
std::optional<Parts> split(std::string_view token) {
  const auto first = token.find('.');
  if (first == std::string_view::npos) return std::nullopt;
  const auto second = token.find('.', first + 1);
  if (second == std::string_view::npos) return std::nullopt;
  auto header = wire::from_base64url(token.substr(0, first));
  auto claims = wire::from_base64url(token.substr(first + 1, second - first - 1));
  auto signature = wire::from_base64url(token.substr(second + 1));  // a third dot is no base64url
  if (!header || !claims || !signature) return std::nullopt;
  return Parts{token.substr(0, second), std::move(*header), std::move(*claims), std::move(*signature)};
}

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

/// Media types compare without case, and "application/" may be left out (RFC 7515, 4.1.9).
bool is_type(std::string_view typ, std::string_view expected) {
  constexpr std::string_view prefix = "application/";
  const auto same = [](char a, char b) { return lower(a) == lower(b); };
  if (typ.size() > prefix.size() && std::ranges::equal(typ.substr(0, prefix.size()), prefix, same))
    typ.remove_prefix(prefix.size());
  return std::ranges::equal(typ, expected, same);
}

struct Opened {
  Parts parts;
  wire::Json header;
};

/// The JSON object `text`; nothing when it is anything else, or says a name twice (RFC 7515, section 4).
std::optional<wire::Json> object_of(std::string_view text) {
  auto json = wire::parse_json(text);
  if (!json || json->object() == nullptr) return std::nullopt;
  return std::move(*json);
}

/// The parts of a token whose header asks for nothing that is forbidden; its signature is still unchecked.
std::expected<Opened, JwtError> open(std::string_view token, std::size_t bytes_max) {
  if (token.size() > bytes_max) return std::unexpected(JwtError::too_large);
  auto parts = split(token);
  if (!parts) return std::unexpected(JwtError::malformed);
  auto header = object_of(parts->header);
  if (!header) return std::unexpected(JwtError::malformed);
  for (const std::string_view name : forbidden_members)
    if (header->find(name) != nullptr) return std::unexpected(JwtError::forbidden);
  if (header->find("kid") != nullptr && header->string_at("kid") == nullptr)  // RFC 7515, section 4.1.4
    return std::unexpected(JwtError::malformed);
  return Opened{std::move(*parts), std::move(*header)};
}

bool has_expected_type(const wire::Json& header, const JwtExpectation& expected) {
  if (header.find("typ") == nullptr) return expected.missing == JwtExpectation::MissingTyp::accepted;
  const std::string* typ = header.string_at("typ");
  return typ != nullptr && is_type(*typ, expected.typ);
}

}  // namespace

std::string sign_jwt(Signer& signer, std::string_view typ, std::string_view claims) {
  INVARIANT(claims.starts_with('{') && claims.ends_with('}'), "the claims of a JWT are a JSON object");
  const PrivateKey& key = signer.key();
  const std::string header =
      fmt::format(R"({{"alg":"{}","typ":"{}","kid":"{}"}})", name_of(key.algorithm()), typ, key.kid());
  std::string token = wire::to_base64url(header) + "." + wire::to_base64url(claims);
  const std::string signature = signer.sign(token);
  token += "." + wire::to_base64url(signature);
  return token;
}

std::expected<Jwt, JwtError> verify_jwt(Verifier& verifier, std::string_view token, const JwtExpectation& expected) {
  auto opened = open(token, expected.bytes_max);
  if (!opened) return std::unexpected(opened.error());
  auto& [parts, header] = *opened;
  const std::string* alg = header.string_at("alg");
  if (alg == nullptr || algorithm_named(*alg) != verifier.key().algorithm())
    return std::unexpected(JwtError::wrong_alg);
  if (!has_expected_type(header, expected)) return std::unexpected(JwtError::wrong_type);
  if (!verifier.verify(parts.signed_text, parts.signature)) return std::unexpected(JwtError::bad_signature);
  if (!object_of(parts.claims)) return std::unexpected(JwtError::malformed);
  return Jwt{std::move(parts.header), std::move(parts.claims)};
}

std::expected<JwtHint, JwtError> read_unverified_jwt(std::string_view token, std::size_t bytes_max) {
  auto opened = open(token, bytes_max);
  if (!opened) return std::unexpected(opened.error());
  if (!object_of(opened->parts.claims)) return std::unexpected(JwtError::malformed);
  const std::string* kid = opened->header.string_at("kid");
  const std::string* alg = opened->header.string_at("alg");
  return JwtHint{
      .kid = kid != nullptr ? *kid : "", .alg = alg != nullptr ? *alg : "", .claims = std::move(opened->parts.claims)};
}

}  // namespace troupe::crypto
