// Key sets of clients: what is taken of them, and what makes one worthless.
#include "troupe/oauth/model/client_keys.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "troupe/wire/json.h"

namespace troupe::oauth {
namespace {

const crypto::PrivateKey& signing_key(crypto::Algorithm algorithm) {
  static const std::array keys{crypto::PrivateKey::generate(crypto::Algorithm::rs256),
                               crypto::PrivateKey::generate(crypto::Algorithm::es256),
                               crypto::PrivateKey::generate(crypto::Algorithm::eddsa)};
  return *std::ranges::find(keys, algorithm, &crypto::PrivateKey::algorithm);
}

/// The public JWK with these members in the place of its own; null removes one.
std::string jwk_with(crypto::Algorithm algorithm, const wire::Json::Object& changes) {
  wire::Json jwk = wire::parse_json(signing_key(algorithm).public_key().jwk()).value();
  for (const auto& [name, value] : changes) {
    std::erase_if(*jwk.object(), [&](const auto& member) { return member.name == name; });
    if (!value.is_null()) jwk.object()->push_back({name, value});
  }
  return wire::write_json(jwk);
}

std::string set_of(const std::vector<std::string>& keys) {
  std::string all;
  for (const std::string& key : keys) all += (all.empty() ? "" : ",") + key;
  return fmt::format(R"({{"keys":[{}]}})", all);
}

TEST_CASE("the keys of a set are read with the names that their client gives them") {
  const auto keys = read_client_keys(set_of({jwk_with(crypto::Algorithm::rs256, {{"kid", "one"}}),
                                             jwk_with(crypto::Algorithm::es256, {{"kid", nullptr}, {"alg", nullptr}}),
                                             jwk_with(crypto::Algorithm::eddsa, {{"use", nullptr}})}));
  REQUIRE(keys);
  REQUIRE_EQ(keys->size(), 3);
  CHECK_EQ((*keys)[0].kid, "one");
  CHECK_EQ((*keys)[1].kid, "");
  CHECK_EQ((*keys)[1].key.algorithm(), crypto::Algorithm::es256);
  CHECK_EQ((*keys)[2].kid, signing_key(crypto::Algorithm::eddsa).kid());
}

TEST_CASE("keys that are no use here are passed over") {
  using wire::Json;
  const std::string useless[] = {
      jwk_with(crypto::Algorithm::es256, {{"use", "enc"}}),
      jwk_with(crypto::Algorithm::es256, {{"use", 1}}),
      jwk_with(crypto::Algorithm::es256, {{"key_ops", Json::Array{"deriveKey"}}}),
      jwk_with(crypto::Algorithm::es256, {{"key_ops", "verify"}}),
      jwk_with(crypto::Algorithm::es256, {{"alg", "RS256"}}),
      jwk_with(crypto::Algorithm::es256, {{"crv", "P-521"}}),
      jwk_with(crypto::Algorithm::es256, {{"x", "AA"}}),
      jwk_with(crypto::Algorithm::rs256, {{"n", "AQAB"}, {"kid", "short"}}),
      jwk_with(crypto::Algorithm::rs256, {{"alg", "PS256"}}),
      jwk_with(crypto::Algorithm::eddsa, {{"kid", std::string(257, 'x')}}),
      R"({"kty":"lattice"})",
      "{}",
  };
  for (const std::string& one : useless) {
    CAPTURE(one);
    const auto keys = read_client_keys(set_of({one, jwk_with(crypto::Algorithm::rs256, {})}));
    REQUIRE(keys);
    CHECK_EQ(keys->size(), 1);
  }
}

TEST_CASE("a set that is none, or that tells a secret, gives no key at all") {
  const std::string good = jwk_with(crypto::Algorithm::es256, {});
  for (const std::string& text :
       {std::string{}, std::string{"[]"}, std::string{"{}"}, std::string{R"({"keys":{}})"}, set_of({"1"}),
        set_of(std::vector(21, good)), std::string(jwks_bytes_max + 1, ' '), set_of({good}) + "x"}) {
    CAPTURE(text.substr(0, 100));
    const auto keys = read_client_keys(text);
    REQUIRE_FALSE(keys);
    CHECK(keys.error() == JwksFault::malformed);
  }
  for (const std::string& told :
       {signing_key(crypto::Algorithm::es256).jwk().expose(), signing_key(crypto::Algorithm::rs256).jwk().expose(),
        std::string{R"({"kty":"oct","k":"AAAA"})"}, std::string{R"({"kty":"oct"})"},
        std::string{R"({"kty":"RSA","n":"AQAB","e":"AQAB","p":"AQAB"})"}}) {
    const auto keys = read_client_keys(set_of({good, told}));
    REQUIRE_FALSE(keys);
    CHECK(keys.error() == JwksFault::secret);
  }
}

}  // namespace
}  // namespace troupe::oauth
