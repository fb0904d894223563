// See token.h.
#include "troupe/oauth/model/token.h"

#include <algorithm>

#include "troupe/crypto/jwt.h"
#include "troupe/wire/base64.h"
#include "troupe/wire/json.h"

namespace troupe::oauth {
namespace {

constexpr std::size_t id_bytes = 16;

/// The id in an opaque token's text, taken at its word.
std::optional<crypto::TokenId> id_in_opaque(std::string_view token) {
  constexpr std::size_t prefix_bytes = 3;    // "at_"
  constexpr std::size_t id_characters = 24;  // 18 bytes, of which the id is the first 16
  if (token.size() < prefix_bytes + id_characters) return std::nullopt;
  auto bytes = wire::from_base64url(token.substr(prefix_bytes, id_characters));
  if (!bytes) return std::nullopt;
  return crypto::TokenId::from_bytes(std::string_view{*bytes}.substr(0, id_bytes));
}

std::optional<crypto::TokenId> id_in_jwt(std::string_view token) {
  auto hint = crypto::read_unverified_jwt(token);
  if (!hint) return std::nullopt;
  auto claims = wire::parse_json(hint->claims);
  const std::string* jti = claims ? claims->string_at("jti") : nullptr;
  if (!jti) return std::nullopt;
  return crypto::TokenId::parse(*jti);
}

}  // namespace

std::optional<crypto::TokenId> unproven_id(std::string_view token) {
  return crypto::kind_of(token) ? id_in_opaque(token) : id_in_jwt(token);
}

std::uint64_t owner_key(std::string_view token) {
  auto id = unproven_id(token);
  return id ? id->shard() : 0;
}

}  // namespace troupe::oauth
