// See token_factory.h.
#include "troupe/oauth/actor/token_factory.h"

#include <fmt/format.h>

#include <stdexcept>

#include "troupe/base/check.h"
#include "troupe/crypto/jwt.h"
#include "troupe/oauth/model/claims_request.h"
#include "troupe/wire/base64.h"
#include "troupe/wire/json.h"

namespace troupe::oauth {
namespace {

constexpr std::string_view access_token_type = "at+jwt";  // RFC 9068, section 2.1
constexpr std::string_view id_token_type = "JWT";
constexpr std::string_view logout_token_type = "logout+jwt";  // Back-Channel Logout, section 2.4
constexpr std::string_view logout_event = "http://schemas.openid.net/event/backchannel-logout";
constexpr std::chrono::seconds logout_token_ttl{2 * 60};  // the same: two minutes at most

/// One audience as a text, several as an array (RFC 7519, section 4.1.3).
void append_audience(wire::JsonWriter& claims, const std::vector<std::string>& audience) {
  claims.key("aud");
  if (audience.size() == 1) {
    claims.value(audience.front());
    return;
  }
  claims.begin_array();
  for (const std::string& each : audience) claims.value(each);
  claims.end_array();
}

/// The left half of the access token's digest, by the hash of the ID token's algorithm (OpenID Connect Core, section
/// 3.1.3.6). That of Ed25519 is SHA-512.
std::string at_hash(const TokenText& access_token, crypto::Algorithm algorithm) {
  const std::string& text = access_token.expose();
  if (algorithm == crypto::Algorithm::eddsa) return wire::to_base64url(crypto::sha512(text).substr(0, 32));
  return wire::to_base64url(crypto::sha256(text).view().substr(0, 16));
}

/// The claims of a JWT access token (RFC 9068, section 2.2). The row keeps the digest of the text, so tokens that were
/// made of another text stay what they are.
std::string claims_of(const std::string& issuer, const AccessRecord& token) {
  std::string text;
  wire::JsonWriter claims{text};
  claims.begin_object()
      .member("iss", issuer)
      .member("sub", token.grant.subject())
      .member("client_id", token.grant.client.value())
      .member("jti", token.id.text())
      .member("iat", token.issued_at.seconds())
      .member("exp", token.expires_at.seconds());
  if (!token.grant.scope.empty()) claims.member("scope", token.grant.scope.text());
  append_audience(claims, token.grant.audience);
  if (const auto& by = token.grant.authentication)
    claims.member("auth_time", by->time.seconds()).member("sid", by->session.value());
  claims.end_object();
  return text;
}

/// The claims of the user that the request wants in the ID token, as far as the scopes that show them were granted
/// (OpenID Connect Core, section 5.5).
void append_wanted(wire::JsonWriter& claims, const Grant& grant, const User& user) {
  const auto append = [&](std::string_view claim, std::string_view scope, const std::string& value) {
    if (grant.scope.contains(scope) && is_wanted(grant.id_token_claims, claim, value)) claims.member(claim, value);
  };
  append("preferred_username", "profile", user.name.value());
  if (user.email) append("email", "email", *user.email);
}

}  // namespace

TokenFactory::TokenFactory(std::string issuer, KeySetPtr keys)
    : issuer_(std::move(issuer)), codec_(crypto::TokenCodec{{}}) {
  use(std::move(keys));
}

TokenFactory::~TokenFactory() = default;
TokenFactory::TokenFactory(TokenFactory&&) noexcept = default;
TokenFactory& TokenFactory::operator=(TokenFactory&&) noexcept = default;

void TokenFactory::use(KeySetPtr keys) {
  if (keys_ && keys->number < keys_->number) return;
  keys_ = std::move(keys);
  signers_.clear();
  proven_.clear();  // what a key proved that is held no more is proven no more
  for (const crypto::PrivateKey& key : keys_->signing) signers_.emplace(key.algorithm(), crypto::Signer{key});
  verifiers_.clear();
  for (const crypto::PublicKey& key : keys_->verifying) verifiers_.emplace(key.kid(), crypto::Verifier{key});
  codec_ = crypto::TokenCodec{keys_->token_keys};
}

crypto::Signer& TokenFactory::signer_for(crypto::Algorithm algorithm) {
  const auto signer = signers_.find(algorithm);
  // Keys come and go while a request waits for the database, and a row may be of an algorithm that is used no more.
  if (signer == signers_.end())
    throw std::runtime_error(fmt::format("no key signs by {} now", crypto::name_of(algorithm)));
  return signer->second;
}

TokenText TokenFactory::code(const crypto::TokenId& id, const crypto::TokenSecret& secret) {
  return codec_.write(crypto::TokenKind::code, id, secret);
}

TokenText TokenFactory::refresh_token(const crypto::TokenId& id, const crypto::TokenSecret& secret) {
  return codec_.write(crypto::TokenKind::refresh, id, secret);
}

TokenText TokenFactory::access_token(const AccessRecord& token, const crypto::TokenSecret& secret) {
  if (token.format == AccessTokenFormat::opaque) return codec_.write(crypto::TokenKind::access, token.id, secret);
  return TokenText{crypto::sign_jwt(signer_for(token.algorithm), access_token_type, claims_of(issuer_, token))};
}

AccessHash TokenFactory::hasher(AccessTokenFormat format, const crypto::TokenId& id,
                                const crypto::TokenSecret& secret) {
  if (format == AccessTokenFormat::opaque) {
    const crypto::Digest text = crypto::sha256(codec_.write(crypto::TokenKind::access, id, secret).expose());
    return [text](const AccessRecord&) { return text; };
  }
  // Of a JWT the claims: its signature is another one each time it is written, and is checked by the key.
  return [issuer = issuer_](const AccessRecord& token) { return crypto::sha256(claims_of(issuer, token)); };
}

TokenText TokenFactory::id_token(const Client& client, const Grant& grant, const TokenText& access_token,
                                 base::UnixTime issued_at, base::UnixTime expires_at,
                                 const std::optional<User>& told_of) {
  INVARIANT(grant.authentication, "an ID token speaks of a user");
  std::string text;
  wire::JsonWriter claims{text};
  claims.begin_object()
      .member("iss", issuer_)
      .member("sub", grant.subject())
      .member("aud", client.id.value())
      .member("iat", issued_at.seconds())
      .member("exp", expires_at.seconds())
      .member("auth_time", grant.authentication->time.seconds())
      .member("sid", grant.authentication->session.value());
  if (!grant.nonce.empty()) claims.member("nonce", grant.nonce);
  claims.key("amr").begin_array();
  for (const std::string& method : grant.authentication->methods) claims.value(method);
  claims.end_array();
  claims.member("acr", acr_password);
  if (told_of) append_wanted(claims, grant, *told_of);
  const crypto::Algorithm algorithm = client.metadata.id_token_alg;
  claims.member("at_hash", at_hash(access_token, algorithm)).end_object();
  return TokenText{crypto::sign_jwt(signer_for(algorithm), id_token_type, text)};
}

TokenText TokenFactory::logout_token(const Client& client, const LogoutNotice& notice, base::UnixTime issued_at) {
  const std::string name = fmt::format("logout {} {}", notice.number, notice.made_at.milliseconds);
  std::string text;
  wire::JsonWriter claims{text};
  claims.begin_object()
      .member("iss", issuer_)
      .member("aud", client.id.value())
      .member("iat", issued_at.seconds())
      .member("exp", (issued_at + logout_token_ttl).seconds())
      .member("jti", wire::to_base64url(crypto::sha256(name).view().substr(0, 16)))
      .member("sub", notice.user.value())
      .member("sid", notice.session.value());
  claims.key("events").begin_object().key(logout_event).begin_object().end_object().end_object();
  claims.end_object();
  return TokenText{crypto::sign_jwt(signer_for(client.metadata.id_token_alg), logout_token_type, text)};
}

crypto::TokenSecret TokenFactory::secret_after(const TokenText& presented, const crypto::TokenId& id) {
  const auto key = keys_->token_keys.by_id.find(id.key());
  if (key == keys_->token_keys.by_id.end())  // the id may come out of a row
    throw std::runtime_error(fmt::format("the token key {} is not held", id.key()));
  // A key of its own, so that these bytes never mean anything as the HMAC of a token.
  const crypto::Digest own = crypto::hmac_sha256(key->second.expose(), "secrets of successors");
  std::string message{id.view()};
  message += presented.expose();
  const crypto::Digest digest = crypto::hmac_sha256(own.view(), message);
  crypto::TokenSecret secret;
  std::ranges::copy(digest.view().substr(0, secret.size()), secret.begin());
  return secret;
}

std::optional<TokenFactory::ReadIdToken> TokenFactory::read_id_token(std::string_view text) {
  const auto hint = crypto::read_unverified_jwt(text);
  if (!hint) return std::nullopt;
  const auto verifier = verifiers_.find(hint->kid);
  if (verifier == verifiers_.end()) return std::nullopt;
  const auto jwt = crypto::verify_jwt(verifier->second, text, {.typ = id_token_type});
  const auto claims = jwt ? wire::parse_json(jwt->claims) : std::unexpected(wire::JsonError::malformed);
  if (!claims) return std::nullopt;
  const std::string* issuer = claims->string_at("iss");
  const std::string* subject = claims->string_at("sub");
  const std::string* audience = claims->string_at("aud");
  if (issuer == nullptr || *issuer != issuer_ || subject == nullptr || audience == nullptr) return std::nullopt;
  return ReadIdToken{UserId{*subject}, ClientId{*audience}};
}

std::optional<ReadToken> TokenFactory::read_code(std::string_view text) {
  const auto id = codec_.read(crypto::TokenKind::code, text);
  if (!id) return std::nullopt;
  return ReadToken{.id = *id, .hash = crypto::sha256(text)};
}

std::optional<ReadToken> TokenFactory::read(std::string_view text) {
  const auto kind = crypto::kind_of(text);
  if (!kind) return read_jwt(text);
  if (*kind != crypto::TokenKind::access && *kind != crypto::TokenKind::refresh) return std::nullopt;
  const auto id = codec_.read(*kind, text);
  if (!id) return std::nullopt;
  const TokenUse use = *kind == crypto::TokenKind::access ? TokenUse::access : TokenUse::refresh;
  return ReadToken{.use = use, .id = *id, .hash = crypto::sha256(text)};
}

std::optional<ReadToken> TokenFactory::read_jwt(std::string_view text) {
  const crypto::Digest digest = crypto::sha256(text);
  if (const ReadToken* known = proven_.find(digest)) return *known;
  auto read = prove_jwt(text);
  if (read) proven_.insert(digest, *read);
  return read;
}

std::optional<ReadToken> TokenFactory::prove_jwt(std::string_view text) {
  const auto hint = crypto::read_unverified_jwt(text);
  if (!hint) return std::nullopt;
  const auto verifier = verifiers_.find(hint->kid);  // chooses among our own keys, and nothing else
  if (verifier == verifiers_.end()) return std::nullopt;
  ++verified_;
  const auto jwt = crypto::verify_jwt(verifier->second, text, {.typ = access_token_type});
  if (!jwt) return std::nullopt;

  const auto claims = wire::parse_json(jwt->claims);
  const std::string* issuer = claims ? claims->string_at("iss") : nullptr;
  const std::string* jti = claims ? claims->string_at("jti") : nullptr;
  if (issuer == nullptr || *issuer != issuer_ || jti == nullptr) return std::nullopt;
  const auto id = crypto::TokenId::parse(*jti);
  if (!id) return std::nullopt;
  return ReadToken{
      .use = TokenUse::access, .id = *id, .hash = crypto::sha256(jwt->claims), .signed_by = verifier->first};
}

}  // namespace troupe::oauth
