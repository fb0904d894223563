// Opaque tokens: their form, their order in time, and that nothing but our own passes.
#include "troupe/crypto/token.h"

#include <doctest/doctest.h>

#include <set>

namespace troupe::crypto {
namespace {

TokenKeys keys() {
  TokenKeys keys;
  keys.by_id.emplace(std::uint8_t{7}, base::Secret{std::string(32, 'k')});
  return keys;
}

struct Mint {
  base::SeededRandom random{1};
  TokenIds ids;
  TokenCodec codec{keys()};

  std::string token(TokenKind kind) {
    return codec.write(kind, ids.next({1000}, random, 0x1234, 7), fresh_secret(random)).expose();
  }
};

TEST_CASE("a token reads back as the id that it was made of") {
  Mint mint;
  const TokenId id = mint.ids.next({1'700'000'000'123}, mint.random, 0x1234, 7);
  const std::string text = mint.codec.write(TokenKind::refresh, id, fresh_secret(mint.random)).expose();
  CHECK_EQ(text.size(), 70);
  CHECK(text.starts_with("rt_"));
  CHECK_EQ(mint.codec.read(TokenKind::refresh, text), id);
  CHECK_EQ(id.time().milliseconds, 1'700'000'000'123);
  CHECK_EQ(id.shard(), 0x1234);
  CHECK_EQ(id.key(), 7);
}

TEST_CASE("a token of one kind is not one of another") {
  Mint mint;
  const std::string code = mint.token(TokenKind::code);
  CHECK_EQ(kind_of(code), TokenKind::code);
  CHECK_FALSE(mint.codec.read(TokenKind::refresh, code).has_value());
  CHECK_FALSE(mint.codec.read(TokenKind::refresh, "rt" + code.substr(2)).has_value());
}

TEST_CASE("a token that was cut, lengthened or altered in one bit is refused") {
  Mint mint;
  const std::string token = mint.token(TokenKind::access);
  for (std::size_t size = 0; size < token.size(); ++size)
    CHECK_FALSE(mint.codec.read(TokenKind::access, token.substr(0, size)).has_value());
  CHECK_FALSE(mint.codec.read(TokenKind::access, token + "A").has_value());
  for (std::size_t i = 0; i < token.size(); ++i)
    for (int bit = 0; bit < 8; ++bit) {
      std::string bad = token;
      bad[i] = static_cast<char>(bad[i] ^ (1 << bit));
      CHECK_FALSE(mint.codec.read(TokenKind::access, bad).has_value());
    }
}

TEST_CASE("a token under a key that is not held is refused") {
  Mint mint;
  TokenCodec other{{.by_id = {{7, base::Secret{std::string(32, 'x')}}}}};
  TokenCodec none{{}};
  const std::string token = mint.token(TokenKind::access);
  CHECK_FALSE(other.read(TokenKind::access, token).has_value());
  CHECK_FALSE(none.read(TokenKind::access, token).has_value());
}

TEST_CASE("a JWT is no opaque token") { CHECK_FALSE(kind_of("eyJhbGciOiJFUzI1NiJ9.e30.AAAA").has_value()); }

TEST_CASE("ids of one maker strictly rise, whatever the clock does") {
  base::SeededRandom random{3};
  TokenIds ids;
  std::int64_t now = 1'700'000'000'000;
  TokenId last = ids.next({now}, random);
  for (int i = 0; i < 20'000; ++i) {
    if (random.below(100) == 0) now += static_cast<std::int64_t>(random.below(5)) - 2;  // also back
    const TokenId id = ids.next({now}, random);
    REQUIRE(last < id);
    last = id;
  }
}

TEST_CASE("ids of different makers order by their millisecond") {
  base::SeededRandom random{3};
  TokenIds a, b;
  const TokenId first = a.next({1000}, random, 1);
  const TokenId second = b.next({1001}, random, 2);
  CHECK(first < second);
  CHECK(TokenId::first_at({1000}) <= first);
  CHECK(first < TokenId::first_at({1001}));
  CHECK(TokenId::first_at({1001}) <= second);
}

TEST_CASE("an id's text reads back, and other texts are no id") {
  base::SeededRandom random{3};
  const TokenId id = TokenIds{}.next({1'700'000'000'000}, random, 5, 9);
  CHECK_EQ(id.text().size(), 22);
  CHECK_EQ(TokenId::parse(id.text()), id);
  for (const char* text : {"", "AAAA", "AAAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAAAA", "../../etc/passwd......."})
    CHECK_FALSE(TokenId::parse(text).has_value());
}

TEST_CASE("the time of a UUID of version 7 is where RFC 9562 has it") {
  // RFC 9562, A.6: 017F22E2-79B0-7CC3-98C4-DC0C0C07398F is 2022-02-22T19:22:22Z.
  const auto id = TokenId::from_bytes("\x01\x7f\x22\xe2\x79\xb0\x7c\xc3\x98\xc4\xdc\x0c\x0c\x07\x39\x8f");
  REQUIRE(id.has_value());
  CHECK_EQ(id->time().milliseconds, 1'645'557'742'000);
}

TEST_CASE("no two of many tokens are the same") {
  Mint mint;
  std::set<std::string> seen;
  for (int i = 0; i < 20'000; ++i) CHECK(seen.insert(mint.token(TokenKind::code)).second);
}

}  // namespace
}  // namespace troupe::crypto
