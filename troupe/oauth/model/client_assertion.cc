// See client_assertion.h.
#include "troupe/oauth/model/client_assertion.h"

#include <algorithm>
#include <cmath>

#include "troupe/crypto/jwt.h"
#include "troupe/wire/json.h"
#include "troupe/wire/utf8.h"

namespace troupe::oauth {
namespace {

using wire::Json;

constexpr std::size_t assertion_bytes_max = 8 * 1024;  // what a form's value may have
constexpr std::size_t jti_bytes_max = 255;
constexpr std::chrono::seconds lifetime_max{60 * 60};
// The second is how the successor of RFC 7523 wants them; most clients send the first, or none.
constexpr std::string_view types[] = {"JWT", "client-authentication+jwt"};

/// A NumericDate (RFC 7519, section 2), which may have a fraction; nothing for what is no moment of this age.
std::optional<base::UnixTime> moment_at(const Json& claims, std::string_view name) {
  const Json* claim = claims.find(name);
  const auto seconds = claim != nullptr ? claim->number() : std::nullopt;
  if (!seconds || *seconds < 0 || *seconds > 1e11) return std::nullopt;
  return base::UnixTime{static_cast<std::int64_t>(std::floor(*seconds * 1000))};
}

/// The key that it must be signed with: the one of that name, or, where it names none, the only one of its algorithm.
const ClientKey* key_for(const crypto::JwtHint& hint, std::span<const ClientKey> keys) {
  const ClientKey* found = nullptr;
  for (const ClientKey& each : keys) {
    if (crypto::algorithm_named(hint.alg) != each.key.algorithm()) continue;
    if (!hint.kid.empty() && each.kid == hint.kid) return &each;
    if (hint.kid.empty() && found != nullptr) return nullptr;
    if (hint.kid.empty()) found = &each;
  }
  return found;
}

std::expected<crypto::Jwt, AssertionFault> verified(std::string_view assertion, const ClientKey& key) {
  crypto::Verifier verifier{key.key};
  for (const std::string_view typ : types) {
    auto jwt = crypto::verify_jwt(
        verifier, assertion,
        {.typ = typ, .missing = crypto::JwtExpectation::MissingTyp::accepted, .bytes_max = assertion_bytes_max});
    if (jwt) return *std::move(jwt);
    if (jwt.error() == crypto::JwtError::wrong_type) continue;
    const bool is_forged = jwt.error() == crypto::JwtError::bad_signature;
    return std::unexpected(is_forged ? AssertionFault::bad_signature : AssertionFault::malformed);
  }
  return std::unexpected(AssertionFault::malformed);
}

bool is_for(const Json& claims, std::span<const std::string> audiences) {
  const auto is_ours = [&](const Json& each) {
    return each.string() != nullptr && std::ranges::find(audiences, *each.string()) != audiences.end();
  };
  const Json* audience = claims.find("aud");
  if (audience == nullptr) return false;
  if (audience->array() == nullptr) return is_ours(*audience);
  return !audience->array()->empty() && std::ranges::all_of(*audience->array(), is_ours);
}

/// What is wrong with its times; `expires_at` is its end.
std::optional<AssertionFault> fault_in_times(const Json& claims, base::UnixTime expires_at, base::UnixTime now) {
  if (expires_at + assertion_skew <= now) return AssertionFault::expired;
  if (expires_at > now + lifetime_max + assertion_skew) return AssertionFault::lives_too_long;
  for (const std::string_view name : {"nbf", "iat"}) {
    if (claims.find(name) == nullptr) continue;
    const auto moment = moment_at(claims, name);
    if (!moment) return AssertionFault::malformed;
    if (*moment > now + assertion_skew) return AssertionFault::not_yet_good;
    if (name == "iat" && *moment + lifetime_max + assertion_skew < now) return AssertionFault::lives_too_long;
  }
  return std::nullopt;
}

std::expected<GoodAssertion, AssertionFault> judge(const Json& claims, const Client& client,
                                                   std::span<const std::string> audiences, base::UnixTime now) {
  const std::string* issuer = claims.string_at("iss");
  const std::string* subject = claims.string_at("sub");
  const std::string* jti = claims.string_at("jti");
  const auto expires_at = moment_at(claims, "exp");
  const bool has_jti = jti != nullptr && !jti->empty() && jti->size() <= jti_bytes_max;
  if (issuer == nullptr || subject == nullptr || !expires_at || !has_jti) {
    return std::unexpected(AssertionFault::malformed);
  }
  if (*issuer != client.id.value() || *subject != client.id.value()) {
    return std::unexpected(AssertionFault::wrong_client);
  }
  if (!is_for(claims, audiences)) return std::unexpected(AssertionFault::wrong_audience);
  if (const auto fault = fault_in_times(claims, *expires_at, now)) return std::unexpected(*fault);
  return GoodAssertion{*jti, *expires_at};
}

}  // namespace

std::string_view text(AssertionFault fault) noexcept {
  switch (fault) {
    case AssertionFault::malformed:
      return "assertion_malformed";
    case AssertionFault::wrong_algorithm:
      return "assertion_wrong_algorithm";
    case AssertionFault::unknown_key:
      return "assertion_unknown_key";
    case AssertionFault::bad_signature:
      return "assertion_bad_signature";
    case AssertionFault::wrong_client:
      return "assertion_of_another";
    case AssertionFault::wrong_audience:
      return "assertion_wrong_audience";
    case AssertionFault::expired:
      return "assertion_expired";
    case AssertionFault::lives_too_long:
      return "assertion_lives_too_long";
    case AssertionFault::not_yet_good:
      return "assertion_not_yet_good";
  }
  return "assertion_malformed";
}

std::optional<AssertionHint> read_assertion_hint(std::string_view assertion) {
  auto hint = crypto::read_unverified_jwt(assertion, assertion_bytes_max);
  if (!hint) return std::nullopt;
  const auto claims = wire::parse_json(hint->claims);
  const std::string* subject = claims ? claims->string_at("sub") : nullptr;
  // Nothing is proven yet: what can be nobody's id is not looked up, and a database may not take it at all.
  if (subject == nullptr || subject->empty() || !wire::is_plain_utf8(*subject)) return std::nullopt;
  return AssertionHint{ClientId{*subject}, std::move(hint->kid)};
}

std::expected<GoodAssertion, AssertionFault> check_assertion(std::string_view assertion, const Client& client,
                                                             std::span<const ClientKey> keys,
                                                             std::span<const std::string> audiences,
                                                             base::UnixTime now) {
  const auto hint = crypto::read_unverified_jwt(assertion, assertion_bytes_max);
  if (!hint) return std::unexpected(AssertionFault::malformed);
  const auto algorithm = crypto::algorithm_named(hint->alg);
  const auto wanted = client.metadata.auth_signing_alg;
  if (!algorithm || (wanted && *wanted != *algorithm)) return std::unexpected(AssertionFault::wrong_algorithm);
  const ClientKey* key = key_for(*hint, keys);
  if (key == nullptr) return std::unexpected(AssertionFault::unknown_key);
  const auto jwt = verified(assertion, *key);
  if (!jwt) return std::unexpected(jwt.error());
  const auto claims = wire::parse_json(jwt->claims);
  if (!claims) return std::unexpected(AssertionFault::malformed);
  return judge(*claims, client, audiences, now);
}

}  // namespace troupe::oauth
