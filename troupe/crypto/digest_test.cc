// Digests: the published test vectors of FIPS 180-4 and RFC 4231.
#include "troupe/crypto/digest.h"

#include <doctest/doctest.h>

namespace troupe::crypto {
namespace {

std::string unhex(std::string_view text) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2)
    bytes += static_cast<char>(std::stoi(std::string{text.substr(i, 2)}, nullptr, 16));
  return bytes;
}

TEST_CASE("SHA-256 gives the published digests") {
  CHECK_EQ(hex(sha256("").view()), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK_EQ(hex(sha256("abc").view()), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK_EQ(hex(sha256(std::string(1'000'000, 'a')).view()),
           "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("SHA-1 gives the digest of FIPS 180-4") {
  CHECK_EQ(hex(sha1("abc")), "a9993e364706816aba3e25717850c26c9cd0d89d");
}

TEST_CASE("SHA-512 gives the digests of FIPS 180-4") {
  CHECK_EQ(hex(sha512("abc")),
           "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
           "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
}

struct MacRow {
  const char* name;
  std::string key;
  std::string message;
  const char* mac;
};

TEST_CASE("HMAC-SHA-256 gives the MACs of RFC 4231") {
  const MacRow rows[] = {
      {"4.2", std::string(20, '\x0b'), "Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
      {"4.3", "Jefe", "what do ya want for nothing?",
       "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
      {"4.4", std::string(20, '\xaa'), std::string(50, '\xdd'),
       "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
      {"4.5", unhex("0102030405060708090a0b0c0d0e0f10111213141516171819"), std::string(50, '\xcd'),
       "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
      {"4.7", std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First",
       "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
  };
  for (const MacRow& row : rows) {
    CAPTURE(row.name);
    CHECK_EQ(hex(hmac_sha256(row.key, row.message).view()), row.mac);
  }
}

TEST_CASE("an Hmac signs many messages under its one key") {
  Hmac hmac{base::Secret{std::string{"Jefe"}}};
  const Digest first = hmac.sign("one");
  CHECK_NE(hmac.sign("two"), first);
  CHECK_EQ(hmac.sign("one"), first);
  CHECK_EQ(hmac.sign("one"), hmac_sha256("Jefe", "one"));
}

TEST_CASE("an empty key is a key") { CHECK_NE(hmac_sha256("", "message"), hmac_sha256("x", "message")); }

TEST_CASE("texts are equal only when every byte is") {
  CHECK(equal_in_constant_time("", ""));
  CHECK(equal_in_constant_time("secret", "secret"));
  CHECK_FALSE(equal_in_constant_time("secret", "secreT"));
  CHECK_FALSE(equal_in_constant_time("secret", "secrets"));
}

}  // namespace
}  // namespace troupe::crypto
