// Fuzzes JWT, JWK and opaque tokens: nothing that this process did not sign is ever taken for
// signed, and a key that is read can be written and read again.
#include "troupe/crypto/jwt.h"

#include "fuzz/property.h"
#include "troupe/crypto/token.h"

namespace {

using namespace troupe::crypto;

constexpr JwtExpectation anything{.missing = JwtExpectation::MissingTyp::accepted};

struct Known {
  Signer signer;
  Verifier verifier;
  std::string token;
};

/// One key of each algorithm with one token of each. The keys are new in every process, so no input can hold them.
std::vector<Known>& known() {
  static std::vector<Known> all = [] {
    std::vector<Known> made;
    for (const Algorithm algorithm : {Algorithm::rs256, Algorithm::es256, Algorithm::eddsa}) {
      Signer signer{PrivateKey::generate(algorithm)};
      Verifier verifier{signer.key().public_key()};
      std::string token = sign_jwt(signer, "JWT", "{}");
      made.push_back({std::move(signer), std::move(verifier), std::move(token)});
    }
    return made;
  }();
  return all;
}

void check_foreign(std::string_view text) {
  for (Known& key : known()) INVARIANT(!verify_jwt(key.verifier, text, anything), "a foreign token was taken");
  (void)read_unverified_jwt(text);
  if (text.empty()) return;
  // A good token of ours with the input put somewhere inside it.
  for (Known& key : known()) {
    std::string token = key.token;
    token.insert(static_cast<unsigned char>(text[0]) % token.size(), text.substr(1));
    INVARIANT(token == key.token || !verify_jwt(key.verifier, token, anything), "an altered token was taken");
  }
}

void check_key(std::string_view text) {
  const auto key = PublicKey::from_jwk(text);
  if (!key) return;
  const auto again = PublicKey::from_jwk(key->jwk());
  INVARIANT(again && again->kid() == key->kid(), "a key does not survive being written and read");
  Verifier verifier{*key};
  INVARIANT(!verifier.verify("message", text), "a text verifies that nobody signed");
}

void check_opaque(std::string_view text) {
  static TokenCodec codec{{.by_id = {{0, troupe::base::Secret{std::string(32, 'k')}}}}};
  if (const auto kind = kind_of(text)) (void)codec.read(*kind, text);
  if (const auto id = TokenId::parse(text)) INVARIANT(id->text() == text, "one id has two texts");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = troupe::fuzz::as_text(data, size);
  check_foreign(text);
  check_key(text);
  check_opaque(text);
  return 0;
}
