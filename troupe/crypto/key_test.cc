// Keys and signatures: the printed keys of the RFCs, round trips of our own, and what is refused.
#include "troupe/crypto/key.h"

#include <doctest/doctest.h>

#include "troupe/crypto/signature.h"
#include "troupe/crypto/testing/vectors.h"
#include "troupe/wire/base64.h"

namespace troupe::crypto {
namespace {

base::Secret<std::string> secret(std::string_view text) { return base::Secret{std::string{text}}; }

constexpr Algorithm all[] = {Algorithm::rs256, Algorithm::es256, Algorithm::eddsa};

TEST_CASE("a key's id is its RFC 7638 thumbprint") {
  CHECK_EQ(PublicKey::from_jwk(vectors::rfc7638_rsa).value().kid(), vectors::rfc7638_thumbprint);
  CHECK_EQ(PublicKey::from_jwk(vectors::rfc8037_ed25519).value().kid(), vectors::rfc8037_thumbprint);
}

TEST_CASE("Ed25519 signs as RFC 8037 prints it") {
  Signer signer{PrivateKey::from_jwk(secret(vectors::rfc8037_ed25519)).value()};
  CHECK_EQ(wire::to_base64url(signer.sign(vectors::rfc8037_signed_text)), vectors::rfc8037_signature);
  CHECK_EQ(wire::to_base64url(signer.sign(vectors::rfc8037_signed_text)), vectors::rfc8037_signature);
}

TEST_CASE("RS256 signs as RFC 7515 prints it") {
  Signer signer{PrivateKey::from_jwk(secret(vectors::rfc7515_rsa)).value()};
  const std::string_view whole = vectors::rfc7515_rs256;
  const auto dot = whole.rfind('.');
  CHECK_EQ(wire::to_base64url(signer.sign(whole.substr(0, dot))), whole.substr(dot + 1));
}

TEST_CASE("what a key signs, it alone verifies, in every form that it is stored in") {
  for (const Algorithm algorithm : all) {
    CAPTURE(name_of(algorithm));
    const PrivateKey key = PrivateKey::generate(algorithm);
    const PrivateKey copies[] = {key, PrivateKey::from_jwk(key.jwk()).value(), PrivateKey::from_der(key.der()).value(),
                                 PrivateKey::from_pem(key.pem()).value()};
    const PublicKey& shown = key.public_key();
    const PublicKey readers[] = {shown, PublicKey::from_jwk(shown.jwk()).value(),
                                 PublicKey::from_der(shown.der()).value(), PublicKey::from_pem(shown.pem()).value()};
    Verifier stranger{PrivateKey::generate(algorithm).public_key()};
    for (const PrivateKey& copy : copies) {
      CHECK_EQ(copy.kid(), key.kid());
      Signer signer{copy};
      std::string signature = signer.sign("message");
      signature = signer.sign("message");  // a context is used more than once
      CHECK_FALSE(stranger.verify("message", signature));
      for (const PublicKey& reader : readers) {
        Verifier verifier{reader};
        CHECK(verifier.verify("message", signature));
        CHECK_FALSE(verifier.verify("massage", signature));
        CHECK(verifier.verify("message", signature));
      }
    }
  }
}

TEST_CASE("a signature that was altered, cut, emptied or lengthened does not verify") {
  for (const Algorithm algorithm : all) {
    CAPTURE(name_of(algorithm));
    Signer signer{PrivateKey::generate(algorithm)};
    Verifier verifier{signer.key().public_key()};
    const std::string good = signer.sign("message");
    for (std::size_t i = 0; i < good.size(); i += 7) {
      std::string bad = good;
      bad[i] = static_cast<char>(bad[i] ^ 1);
      CHECK_FALSE(verifier.verify("message", bad));
    }
    CHECK_FALSE(verifier.verify("message", ""));
    CHECK_FALSE(verifier.verify("message", good.substr(1)));
    CHECK_FALSE(verifier.verify("message", good + "x"));
    CHECK_FALSE(verifier.verify("message", std::string(good.size(), '\0')));
  }
}

TEST_CASE("an ES256 signature is r and s of 32 bytes each") {
  Signer signer{PrivateKey::generate(Algorithm::es256)};
  for (int i = 0; i < 300; ++i) CHECK_EQ(signer.sign("message").size(), 64);  // short numbers are padded
}

TEST_CASE("a public JWK says what it is for and keeps the private part to itself") {
  const PrivateKey key = PrivateKey::generate(Algorithm::es256);
  const std::string& jwk = key.public_key().jwk();
  CHECK_NE(jwk.find(R"("use":"sig")"), std::string::npos);
  CHECK_NE(jwk.find(R"("alg":"ES256")"), std::string::npos);
  CHECK_NE(jwk.find(R"("kid":")" + key.kid()), std::string::npos);
  CHECK_EQ(jwk.find(R"("d":)"), std::string::npos);
}

struct Refused {
  const char* name;
  const char* jwk;
  KeyError error;
};

TEST_CASE("a JWK that is no usable key is refused") {
  constexpr Refused rows[] = {
      {"no JSON", "{", KeyError::malformed},
      {"no object", "[]", KeyError::malformed},
      {"no kty", "{}", KeyError::malformed},
      {"kty is no text", R"({"kty":1})", KeyError::malformed},
      {"a symmetric key", R"({"kty":"oct","k":"AAAA"})", KeyError::unsupported},
      {"another curve", R"({"kty":"EC","crv":"P-384","x":"AA","y":"AA"})", KeyError::unsupported},
      {"X25519", R"({"kty":"OKP","crv":"X25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})",
       KeyError::unsupported},
      {"a short coordinate", R"({"kty":"EC","crv":"P-256","x":"AA","y":"AA"})", KeyError::malformed},
      {"a point off the curve",
       R"({"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
          "y":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"})",
       KeyError::malformed},
      {"RSA without e", R"({"kty":"RSA","n":"AQAB"})", KeyError::malformed},
      {"a tiny RSA key", R"({"kty":"RSA","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTc","e":"AQAB"})",
       KeyError::weak},
      {"padding in a number", R"({"kty":"RSA","n":"AQ==","e":"AQAB"})", KeyError::malformed},
      {"a name twice", R"({"kty":"OKP","kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})",
       KeyError::malformed},
  };
  for (const Refused& row : rows) {
    CAPTURE(row.name);
    const auto key = PublicKey::from_jwk(row.jwk);
    REQUIRE_FALSE(key.has_value());
    CHECK_EQ(key.error(), row.error);
  }
}

TEST_CASE("a public key by which everybody can sign is none") {
  const std::string rsa = PrivateKey::generate(Algorithm::rs256).public_key().jwk();
  REQUIRE(PublicKey::from_jwk(rsa));
  REQUIRE(rsa.contains(R"("e":"AQAB")"));
  const auto with_exponent = [&](const char* exponent) {
    std::string jwk = rsa;
    return jwk.replace(jwk.find("AQAB"), 4, exponent);
  };
  // 0, 1, 2, 65536, and one of 72 bits, which would make a check as dear as a signature
  for (const char* exponent : {"AA", "AQ", "Ag", "AQAA", "AQAAAAAAAAAB"}) {
    CAPTURE(exponent);
    CHECK_EQ(PublicKey::from_jwk(with_exponent(exponent)).error(), KeyError::malformed);
  }
  CHECK(PublicKey::from_jwk(with_exponent("Aw")));
  std::string even = rsa;
  const auto end_of_modulus = even.find('"', even.find(R"("n":")") + 5);
  even.replace(end_of_modulus - 2, 2, "AA");
  CHECK_EQ(PublicKey::from_jwk(even).error(), KeyError::malformed);

  // Points of an order of eight at most, with both signs of x, and written beyond the modulus.
  for (const char* point :
       {"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "JuiVj8KyJ7BFw_SJ8u-Y8NXfrAXTxjM5sTgCiG1T_AU", "xxdqcD1N2E-6PAt2DRBnDyogU_osOczGTsf9d5KsA_o",
        "7P________________________________________8", "7f________________________________________38",
        "7v________________________________________38"}) {
    CAPTURE(point);
    const std::string jwk = std::string{R"({"kty":"OKP","crv":"Ed25519","x":")"} + point + R"("})";
    CHECK_EQ(PublicKey::from_jwk(jwk).error(), KeyError::malformed);
  }
}

TEST_CASE("a private key whose parts do not belong together is refused") {
  std::string ec{vectors::rfc7515_ec};
  ec.replace(ec.find("jpsQ"), 4, "AAAA");
  CHECK_EQ(PrivateKey::from_jwk(secret(ec)).error(), KeyError::malformed);
  std::string ed{vectors::rfc8037_ed25519};
  ed.replace(ed.find("nWGx"), 4, "AAAA");
  CHECK_EQ(PrivateKey::from_jwk(secret(ed)).error(), KeyError::malformed);
  CHECK_EQ(PrivateKey::from_jwk(secret(PrivateKey::generate(Algorithm::es256).public_key().jwk())).error(),
           KeyError::malformed);
  std::string rsa{vectors::rfc7515_rsa};
  CHECK(PrivateKey::from_jwk(secret(rsa)));
  rsa.replace(rsa.find("CuLj"), 4, "AAAA");
  CHECK_EQ(PrivateKey::from_jwk(secret(rsa)).error(), KeyError::malformed);
}

TEST_CASE("garbage is no key in any encoding") {
  CHECK_EQ(PublicKey::from_der("garbage").error(), KeyError::malformed);
  CHECK_EQ(PublicKey::from_pem("garbage").error(), KeyError::malformed);
  CHECK_EQ(PrivateKey::from_der(secret("")).error(), KeyError::malformed);
  CHECK_EQ(PrivateKey::from_pem(secret("-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n")).error(),
           KeyError::malformed);
  const std::string der = PrivateKey::generate(Algorithm::es256).public_key().der();
  CHECK_EQ(PublicKey::from_der(der + "x").error(), KeyError::malformed);
  CHECK_EQ(PublicKey::from_jwk(std::string(65 * 1024, ' ')).error(), KeyError::malformed);
}

TEST_CASE("only the three algorithms have a name here") {
  for (const Algorithm algorithm : all) CHECK_EQ(algorithm_named(name_of(algorithm)), algorithm);
  CHECK_EQ(algorithm_named("Ed25519"), Algorithm::eddsa);  // RFC 9864, 2.2
  for (const char* name : {"none", "HS256", "es256", "ES256 ", ""}) CHECK_FALSE(algorithm_named(name).has_value());
}

}  // namespace
}  // namespace troupe::crypto
