// JWT: the examples of RFC 7515, and every trick of RFC 8725 that a header can play.
#include "troupe/crypto/jwt.h"

#include <doctest/doctest.h>

#include "troupe/crypto/testing/vectors.h"
#include "troupe/wire/base64.h"

namespace troupe::crypto {
namespace {

using enum JwtExpectation::MissingTyp;

Verifier verifier_of(std::string_view jwk) { return Verifier{PublicKey::from_jwk(jwk).value()}; }

Signer ec_signer() { return Signer{PrivateKey::from_jwk(base::Secret{std::string{vectors::rfc7515_ec}}).value()}; }

/// A token with this header over `{}`, truly signed by the key: only the header can be the reason to refuse it.
std::string signed_with(std::string_view header, std::string_view claims = "{}") {
  Signer signer = ec_signer();
  std::string token = wire::to_base64url(header) + "." + wire::to_base64url(claims);
  const std::string signature = signer.sign(token);
  return token + "." + wire::to_base64url(signature);
}

TEST_CASE("the signed examples of RFC 7515 verify") {
  struct Row {
    std::string_view key, token;
  };
  constexpr Row rows[] = {{vectors::rfc7515_rsa, vectors::rfc7515_rs256},
                          {vectors::rfc7515_ec, vectors::rfc7515_es256}};
  for (const auto& [key, token] : rows) {
    Verifier verifier = verifier_of(key);
    const auto jwt = verify_jwt(verifier, token, {.missing = accepted});
    REQUIRE(jwt.has_value());
    CHECK_EQ(jwt->claims, vectors::rfc7515_claims);
    CHECK_EQ(verify_jwt(verifier, token, {.missing = refused}).error(), JwtError::wrong_type);
  }
}

TEST_CASE("what is signed here verifies here, with its kid and type") {
  for (const Algorithm algorithm : {Algorithm::rs256, Algorithm::es256, Algorithm::eddsa}) {
    Signer signer{PrivateKey::generate(algorithm)};
    Verifier verifier{signer.key().public_key()};
    const std::string token = sign_jwt(signer, "at+jwt", R"({"sub":"alice"})");
    const auto jwt = verify_jwt(verifier, token, {.typ = "at+jwt"});
    REQUIRE(jwt.has_value());
    CHECK_EQ(jwt->claims, R"({"sub":"alice"})");
    const auto hint = read_unverified_jwt(token);
    REQUIRE(hint.has_value());
    CHECK_EQ(hint->kid, signer.key().kid());
    CHECK_EQ(hint->alg, name_of(algorithm));
  }
}

TEST_CASE("a token of one type does not pass for another") {
  Signer signer = ec_signer();
  Verifier verifier = verifier_of(vectors::rfc7515_ec);
  const std::string id_token = sign_jwt(signer, "JWT", "{}");
  CHECK_EQ(verify_jwt(verifier, id_token, {.typ = "at+jwt"}).error(), JwtError::wrong_type);
  CHECK(verify_jwt(verifier, sign_jwt(signer, "application/AT+jwt", "{}"), {.typ = "at+jwt"}).has_value());
}

struct Row {
  const char* name;
  std::string token;
  JwtError error;
};

TEST_CASE("a header cannot choose the key, the algorithm or how it is read") {
  Verifier verifier = verifier_of(vectors::rfc7515_ec);
  const Row rows[] = {
      {"alg none", signed_with(R"({"alg":"none"})"), JwtError::wrong_alg},
      {"alg HS256", signed_with(R"({"alg":"HS256"})"), JwtError::wrong_alg},
      {"alg of another key", signed_with(R"({"alg":"RS256"})"), JwtError::wrong_alg},
      {"alg in other case", signed_with(R"({"alg":"es256"})"), JwtError::wrong_alg},
      {"alg missing", signed_with(R"({})"), JwtError::wrong_alg},
      {"alg no text", signed_with(R"({"alg":["ES256"]})"), JwtError::wrong_alg},
      {"alg twice", signed_with(R"({"alg":"ES256","alg":"ES256"})"), JwtError::malformed},
      {"crit", signed_with(R"({"alg":"ES256","crit":["exp"],"exp":1})"), JwtError::forbidden},
      {"empty crit", signed_with(R"({"alg":"ES256","crit":[]})"), JwtError::forbidden},
      {"jku", signed_with(R"({"alg":"ES256","jku":"https://evil.example/keys"})"), JwtError::forbidden},
      {"x5u", signed_with(R"({"alg":"ES256","x5u":"https://evil.example/cert"})"), JwtError::forbidden},
      {"x5c", signed_with(R"({"alg":"ES256","x5c":["AAAA"]})"), JwtError::forbidden},
      {"jwk", signed_with(R"({"alg":"ES256","jwk":{"kty":"EC"}})"), JwtError::forbidden},
      {"zip", signed_with(R"({"alg":"ES256","zip":"DEF"})"), JwtError::forbidden},
      {"b64 false", signed_with(R"({"alg":"ES256","b64":false})"), JwtError::forbidden},
      {"typ no text", signed_with(R"({"alg":"ES256","typ":null})"), JwtError::wrong_type},
      {"kid no text", signed_with(R"({"alg":"ES256","kid":5})"), JwtError::malformed},
      {"header no object", signed_with(R"(["ES256"])"), JwtError::malformed},
      {"header no JSON", signed_with("{"), JwtError::malformed},
      {"header no UTF-8", signed_with("{\"alg\":\"ES256\",\"kid\":\"\xff\"}"), JwtError::malformed},
      {"claims no object", signed_with(R"({"alg":"ES256"})", "[]"), JwtError::malformed},
      {"claims twice", signed_with(R"({"alg":"ES256"})", R"({"sub":"a","sub":"b"})"), JwtError::malformed},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    const auto jwt = verify_jwt(verifier, row.token, {.missing = accepted});
    REQUIRE_FALSE(jwt.has_value());
    CHECK_EQ(jwt.error(), row.error);
  }
  CHECK(verify_jwt(verifier, signed_with(R"({"alg":"ES256","kid":"../../key"})"), {.missing = accepted}).has_value());
}

TEST_CASE("a text that is not three parts of strict base64url is refused") {
  Verifier verifier = verifier_of(vectors::rfc7515_ec);
  const std::string good{vectors::rfc7515_es256};
  const std::string bad[] = {"",
                             ".",
                             "..",
                             "a.b",
                             good + ".",
                             good + ".x",
                             good + "=",
                             " " + good,
                             good + "\n",
                             "." + good,
                             good.substr(0, good.rfind('.'))};
  for (const std::string& token : bad) {
    CAPTURE(token);
    CHECK_EQ(verify_jwt(verifier, token, {.missing = accepted}).error(), JwtError::malformed);
  }
}

TEST_CASE("a changed byte anywhere refuses the token") {
  Verifier verifier = verifier_of(vectors::rfc7515_ec);
  const std::string good{vectors::rfc7515_es256};
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = bad[i] == 'A' ? 'B' : 'A';
    CHECK_FALSE(verify_jwt(verifier, bad, {.missing = accepted}).has_value());
  }
}

TEST_CASE("a token above the size limit is refused unread") {
  Signer signer = ec_signer();
  Verifier verifier = verifier_of(vectors::rfc7515_ec);
  const std::string token = sign_jwt(signer, "JWT", "{\"x\":\"" + std::string(20'000, 'x') + "\"}");
  CHECK_EQ(verify_jwt(verifier, token, {}).error(), JwtError::too_large);
  CHECK(verify_jwt(verifier, token, {.bytes_max = 64 * 1024}).has_value());
}

TEST_CASE("an unsigned example of RFC 7519 never verifies") {
  Verifier verifier = verifier_of(vectors::rfc7515_ec);
  const auto jwt = verify_jwt(verifier, "eyJhbGciOiJub25lIn0.eyJpc3MiOiJqb2UifQ.", {.missing = accepted});
  CHECK_EQ(jwt.error(), JwtError::wrong_alg);
}

}  // namespace
}  // namespace troupe::crypto
