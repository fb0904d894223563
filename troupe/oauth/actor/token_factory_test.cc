// TokenFactory: what stands in tokens, and that only our own, of the right kind, are read.
#include "troupe/oauth/actor/token_factory.h"

#include <doctest/doctest.h>

#include "troupe/crypto/jwt.h"
#include "troupe/oauth/actor/testing/fixture.h"
#include "troupe/wire/base64.h"
#include "troupe/wire/json.h"

namespace troupe::oauth {
namespace {

constexpr const char* issuer = "https://issuer.example";

struct Mill {
  fixture::Ids ids;
  TokenFactory factory{issuer, fixture::keys()};
  crypto::TokenSecret secret{};

  AccessRecord record(AccessTokenFormat format = AccessTokenFormat::jwt) {
    return {.id = ids.next(),
            .grant = fixture::grant_of(fixture::shop(), ids.next(), ids.next()),
            .format = format,
            .issued_at = fixture::start,
            .expires_at = fixture::start + std::chrono::seconds{600}};
  }
};

wire::Json claims_in(const TokenText& token) {
  return wire::parse_json(crypto::read_unverified_jwt(token.expose())->claims).value();
}

TEST_CASE("a JWT access token says what RFC 9068 asks for") {
  Mill mill;
  const AccessRecord record = mill.record();
  const TokenText token = mill.factory.access_token(record, mill.secret);
  const wire::Json claims = claims_in(token);
  CHECK_EQ(*claims.string_at("iss"), issuer);
  CHECK_EQ(*claims.string_at("sub"), "u_alice");
  CHECK_EQ(*claims.string_at("aud"), "https://issuer.example");
  CHECK_EQ(*claims.string_at("client_id"), "c_shop");
  CHECK_EQ(*claims.string_at("jti"), record.id.text());
  CHECK_EQ(*claims.string_at("scope"), "offline_access openid read");
  CHECK_EQ(*claims.find("iat")->integer(), 1'700'000'000);
  CHECK_EQ(*claims.find("exp")->integer(), 1'700'000'600);
  CHECK_EQ(*claims.find("auth_time")->integer(), 1'700'000'000);
}

TEST_CASE("several audiences are an array, and a client for itself has no sign-in") {
  Mill mill;
  AccessRecord record = mill.record();
  record.grant.audience = {"https://a.example", "https://b.example"};
  record.grant.authentication = std::nullopt;
  const wire::Json claims = claims_in(mill.factory.access_token(record, mill.secret));
  CHECK_EQ(claims.find("aud")->array()->size(), 2);
  CHECK_EQ(*claims.string_at("sub"), "c_shop");
  CHECK(claims.find("auth_time") == nullptr);
  CHECK(claims.find("sid") == nullptr);
}

TEST_CASE("a token without scope has no such claim, and one that was made when it had an empty one is good still") {
  Mill mill;
  AccessRecord record = mill.record();
  record.grant.scope = ScopeSet{};
  const TokenText token = mill.factory.access_token(record, mill.secret);
  CHECK(claims_in(token).find("scope") == nullptr);
  CHECK_EQ(mill.factory.read(token.expose())->hash, mill.factory.hasher(record.format, record.id, mill.secret)(record));

  std::string before{crypto::read_unverified_jwt(token.expose())->claims};
  before.insert(before.find(R"("aud")"), R"("scope":"",)");
  crypto::Signer signer{fixture::keys()->signing[1]};
  const auto read = mill.factory.read(crypto::sign_jwt(signer, "at+jwt", before));
  REQUIRE(read.has_value());
  CHECK_EQ(read->id, record.id);
  CHECK_EQ(read->hash, crypto::sha256(before));  // what its row has kept
}

TEST_CASE("what the factory writes it reads as the same token, in every form") {
  Mill mill;
  for (const auto format : {AccessTokenFormat::jwt, AccessTokenFormat::opaque})
    for (const auto algorithm : {crypto::Algorithm::rs256, crypto::Algorithm::es256, crypto::Algorithm::eddsa}) {
      AccessRecord record = mill.record(format);
      record.algorithm = algorithm;
      const TokenText token = mill.factory.access_token(record, mill.secret);
      const auto read = mill.factory.read(token.expose());
      REQUIRE(read.has_value());
      CHECK_EQ(read->use, TokenUse::access);
      CHECK_EQ(read->id, record.id);
      CHECK_EQ(read->hash, mill.factory.hasher(record.format, record.id, mill.secret)(record));
      const TokenText again = mill.factory.access_token(record, mill.secret);
      CHECK_EQ(mill.factory.read(again.expose())->hash, read->hash);
    }
}

TEST_CASE("only access and refresh tokens are read as tokens, and only codes as codes") {
  Mill mill;
  const crypto::TokenId id = mill.ids.next();
  const TokenText code = mill.factory.code(id, mill.secret);
  const TokenText refresh = mill.factory.refresh_token(id, mill.secret);
  CHECK_FALSE(mill.factory.read(code.expose()).has_value());
  CHECK_EQ(mill.factory.read(refresh.expose())->use, TokenUse::refresh);
  CHECK_EQ(mill.factory.read_code(code.expose())->id, id);
  CHECK_FALSE(mill.factory.read_code(refresh.expose()).has_value());
}

TEST_CASE("a token of another issuer, of other keys or of another type is not ours") {
  Mill mill;
  TokenFactory elsewhere{"https://other.example", fixture::keys()};
  CHECK_FALSE(mill.factory.read(elsewhere.access_token(mill.record(), mill.secret).expose()).has_value());

  crypto::Signer stranger{crypto::PrivateKey::generate(crypto::Algorithm::es256)};
  CHECK_FALSE(
      mill.factory.read(crypto::sign_jwt(stranger, "at+jwt", R"({"iss":"https://issuer.example"})")).has_value());

  const AccessRecord record = mill.record();
  const TokenText access = mill.factory.access_token(record, mill.secret);
  const TokenText id_token =
      mill.factory.id_token(fixture::shop(), record.grant, access, record.issued_at, record.expires_at);
  CHECK_FALSE(mill.factory.read(id_token.expose()).has_value());
  for (const char* text : {"", "x", "at_x", "a.b.c"}) CHECK_FALSE(mill.factory.read(text).has_value());
}

TEST_CASE("a signature that was checked is not checked again, and one that differs in a bit is") {
  Mill mill;
  const TokenText token = mill.factory.access_token(mill.record(), mill.secret);
  const auto first = mill.factory.read(token.expose());
  for (int time = 0; time < 3; ++time) CHECK_EQ(mill.factory.read(token.expose())->hash, first->hash);
  CHECK_EQ(mill.factory.verified(), 1);

  std::string altered = token.expose();
  char& in_signature = altered[altered.size() - 20];
  in_signature = in_signature == 'A' ? 'B' : 'A';
  CHECK_FALSE(mill.factory.read(altered).has_value());
  CHECK_FALSE(mill.factory.read(altered).has_value());
  CHECK_EQ(mill.factory.verified(), 3);
}

TEST_CASE("what a key has proven is nothing once the key is held no more") {
  Mill mill;
  const TokenText token = mill.factory.access_token(mill.record(), mill.secret);
  CHECK(mill.factory.read(token.expose()).has_value());
  auto without = std::make_shared<KeySet>(*fixture::keys());
  without->verifying.clear();
  without->number = 1;
  mill.factory.use(without);
  CHECK_FALSE(mill.factory.read(token.expose()).has_value());
}

TEST_CASE("the access token's hash in an ID token by Ed25519 is of SHA-512") {
  Mill mill;
  const AccessRecord record = mill.record();
  const TokenText access = mill.factory.access_token(record, mill.secret);
  Client client = fixture::shop();
  client.metadata.id_token_alg = crypto::Algorithm::eddsa;
  const wire::Json claims =
      claims_in(mill.factory.id_token(client, record.grant, access, record.issued_at, record.expires_at));
  CHECK_EQ(*claims.string_at("at_hash"), wire::to_base64url(crypto::sha512(access.expose()).substr(0, 32)));
}

TEST_CASE("an ID token is for its client, with nonce, time of sign-in and the access token's hash") {
  Mill mill;
  const AccessRecord record = mill.record();
  const TokenText access = mill.factory.access_token(record, mill.secret);
  Client client = fixture::shop();
  wire::Json claims =
      claims_in(mill.factory.id_token(client, record.grant, access, record.issued_at, record.expires_at));
  CHECK_EQ(*claims.string_at("aud"), "c_shop");
  CHECK_EQ(*claims.string_at("nonce"), "n-1");
  CHECK_EQ(*claims.string_at("at_hash"), wire::to_base64url(crypto::sha256(access.expose()).view().substr(0, 16)));
  CHECK_EQ(claims.find("amr")->array()->size(), 1);
  CHECK_EQ(*claims.string_at("sid"), record.grant.authentication->session.value());
  CHECK_EQ(*claims.find("auth_time")->integer(), 1'700'000'000);

  Grant without_nonce = record.grant;
  without_nonce.nonce = "";
  claims = claims_in(mill.factory.id_token(client, without_nonce, access, record.issued_at, record.expires_at));
  CHECK(claims.find("nonce") == nullptr);
}

TEST_CASE("the secret of a successor follows from the token before it and from nothing else") {
  Mill mill;
  const crypto::TokenId id = mill.ids.next();
  const TokenText one = mill.factory.refresh_token(mill.ids.next(), mill.secret);
  const TokenText two = mill.factory.refresh_token(mill.ids.next(), mill.secret);
  CHECK_EQ(mill.factory.secret_after(one, id), mill.factory.secret_after(one, id));
  CHECK_NE(mill.factory.secret_after(one, id), mill.factory.secret_after(two, id));
  CHECK_NE(mill.factory.secret_after(one, id), mill.factory.secret_after(one, mill.ids.next()));
}

TEST_CASE("what would need a key that is not held is not written, and stops nobody") {
  Mill mill;
  AccessRecord record = mill.record();
  KeySet fewer = *fixture::keys();
  std::erase_if(fewer.signing, [&](const crypto::PrivateKey& key) { return key.algorithm() == record.algorithm; });
  fewer.number += 1;
  mill.factory.use(std::make_shared<const KeySet>(fewer));
  CHECK_THROWS_AS(mill.factory.access_token(record, mill.secret), std::runtime_error);

  const TokenText presented = mill.factory.refresh_token(mill.ids.next(), mill.secret);
  base::SeededRandom random{1};
  const crypto::TokenId of_another_key = crypto::TokenIds{}.next(fixture::start, random, 0, 200);
  CHECK_THROWS_AS(mill.factory.secret_after(presented, of_another_key), std::runtime_error);
}

TEST_CASE("new keys sign at once, and what the old ones signed is read while they verify") {
  Mill mill;
  const TokenText old = mill.factory.access_token(mill.record(), mill.secret);
  auto next = std::make_shared<KeySet>(*fixture::keys());
  next->signing = {crypto::PrivateKey::generate(crypto::Algorithm::es256)};
  next->verifying.push_back(next->signing.front().public_key());
  mill.factory.use(next);
  CHECK(mill.factory.read(old.expose()).has_value());
  const TokenText fresh = mill.factory.access_token(mill.record(), mill.secret);
  CHECK_EQ(crypto::read_unverified_jwt(fresh.expose())->kid, next->signing.front().kid());

  next = std::make_shared<KeySet>(*next);
  next->verifying = {next->signing.front().public_key()};
  mill.factory.use(next);
  CHECK_FALSE(mill.factory.read(old.expose()).has_value());
}

TEST_CASE("a set of keys that comes late does not take the place of a later one") {
  Mill mill;
  auto later = std::make_shared<KeySet>(*fixture::keys());
  later->number = 2;
  later->signing = {crypto::PrivateKey::generate(crypto::Algorithm::es256)};
  auto earlier = std::make_shared<KeySet>(*fixture::keys());
  earlier->number = 1;
  mill.factory.use(later);
  mill.factory.use(earlier);
  const TokenText token = mill.factory.access_token(mill.record(), mill.secret);
  CHECK_EQ(crypto::read_unverified_jwt(token.expose())->kid, later->signing.front().kid());
}

}  // namespace
}  // namespace troupe::oauth
