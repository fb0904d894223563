// Seals: what was sealed comes back for the same key and place, and for nothing else.
#include "troupe/crypto/seal.h"

#include <doctest/doctest.h>

#include <array>

namespace troupe::crypto {
namespace {

const base::Secret<std::string> plain{std::string{"a private key \0 and more", 24}};
constexpr const char* hex_key = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

TEST_CASE("what was sealed comes back for the same key and place") {
  const SealKey key = *SealKey::parse(SealKey::generate().expose());
  const std::string sealed = key.seal(plain, "signing_keys/1");
  CHECK_EQ(sealed.size(), plain.expose().size() + 28);
  CHECK_FALSE(sealed.contains("private"));
  CHECK_EQ(key.unseal(sealed, "signing_keys/1")->expose(), plain.expose());
  CHECK_NE(key.seal(plain, "signing_keys/1"), sealed);  // a nonce of its own
  CHECK_EQ(key.unseal(key.seal(base::Secret<std::string>{}, "empty"), "empty")->expose(), "");
}

TEST_CASE("another key, another place, a changed bit or missing bytes give nothing") {
  const SealKey key = *SealKey::parse(hex_key);
  const SealKey other = *SealKey::parse(SealKey::generate().expose());
  const std::string sealed = key.seal(plain, "signing_keys/1");
  CHECK_FALSE(other.unseal(sealed, "signing_keys/1").has_value());
  CHECK_FALSE(key.unseal(sealed, "signing_keys/2").has_value());
  CHECK_FALSE(key.unseal(sealed, "").has_value());
  for (std::size_t at = 0; at < sealed.size(); ++at) {
    std::string changed = sealed;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    CHECK_FALSE(key.unseal(changed, "signing_keys/1").has_value());
    CHECK_FALSE(key.unseal(sealed.substr(0, at), "signing_keys/1").has_value());
  }
}

TEST_CASE("a key is 32 bytes in base64url or hexadecimal digits, and its id says which without saying it") {
  const SealKey key = *SealKey::parse(hex_key);
  CHECK_EQ(key.id(), SealKey::parse("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\n")->id());
  CHECK_EQ(key.id().size(), 16);
  CHECK_NE(key.id(), SealKey::parse(SealKey::generate().expose())->id());
  for (const char* wrong : std::array{"", "short", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg",
                                      "a secret of 43 characters is no key, is it?",
                                      "zz0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"}) {
    CAPTURE(wrong);
    CHECK_FALSE(SealKey::parse(wrong).has_value());
  }
}

}  // namespace
}  // namespace troupe::crypto
