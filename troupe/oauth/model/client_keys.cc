// See client_keys.h.
#include "troupe/oauth/model/client_keys.h"

#include <algorithm>

#include "troupe/wire/json.h"

namespace troupe::oauth {
namespace {

constexpr std::size_t kid_bytes_max = 256;

/// Whether it holds what only its owner may know: any private part of a key (RFC 7518, sections 6.2.2 and 6.3.2), or
/// all of a symmetric one.
bool is_secret(const wire::Json& jwk) {
  constexpr std::string_view private_members[] = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"};
  const std::string* type = jwk.string_at("kty");
  return (type != nullptr && *type == "oct") ||
         std::ranges::any_of(private_members, [&](std::string_view name) { return jwk.find(name) != nullptr; });
}

/// Whether the client means it for signatures that others check.
bool is_for_signatures(const wire::Json& jwk) {
  const wire::Json* use = jwk.find("use");
  if (use != nullptr && (use->string() == nullptr || *use->string() != "sig")) return false;
  const wire::Json* operations = jwk.find("key_ops");
  if (operations == nullptr) return true;
  if (operations->array() == nullptr) return false;
  return std::ranges::any_of(*operations->array(), [](const wire::Json& each) {
    return each.string() != nullptr && *each.string() == "verify";
  });
}

std::optional<ClientKey> key_in(const wire::Json& jwk) {
  if (!is_for_signatures(jwk)) return std::nullopt;
  auto key = crypto::PublicKey::from_jwk(wire::write_json(jwk));
  if (!key) return std::nullopt;
  const wire::Json* algorithm = jwk.find("alg");
  const bool is_meant = algorithm == nullptr || (algorithm->string() != nullptr &&
                                                 crypto::algorithm_named(*algorithm->string()) == key->algorithm());
  if (!is_meant) return std::nullopt;
  const std::string* kid = jwk.string_at("kid");
  if (kid != nullptr && kid->size() > kid_bytes_max) return std::nullopt;
  return ClientKey{kid != nullptr ? *kid : "", *std::move(key)};
}

}  // namespace

std::expected<ClientKeys, JwksFault> read_client_keys(std::string_view jwks) {
  const auto document = wire::parse_json(jwks, {.bytes_max = jwks_bytes_max, .depth_max = 8});
  const wire::Json* list = document ? document->find("keys") : nullptr;
  if (list == nullptr || list->array() == nullptr || list->array()->size() > client_keys_max) {
    return std::unexpected(JwksFault::malformed);
  }
  ClientKeys keys;
  for (const wire::Json& jwk : *list->array()) {
    if (jwk.object() == nullptr) return std::unexpected(JwksFault::malformed);
    if (is_secret(jwk)) return std::unexpected(JwksFault::secret);
    if (auto key = key_in(jwk)) keys.push_back(*std::move(key));
  }
  return keys;
}

}  // namespace troupe::oauth
