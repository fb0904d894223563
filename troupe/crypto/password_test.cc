// Passwords: argon2id in PHC form, at a cost that tests can pay.
#include "troupe/crypto/password.h"

#include <doctest/doctest.h>

namespace troupe::crypto {
namespace {

constexpr PasswordCost cheap{.memory_kib = 64, .passes = 1, .lanes = 1};

Password password(std::string_view text) { return Password{std::string{text}}; }

TEST_CASE("a password verifies against its own hash and no other does") {
  base::SeededRandom random{1};
  const std::string phc = hash_password(password("correct horse"), cheap, fresh_salt(random)).value();
  CHECK(phc.starts_with("$argon2id$v=19$m=64,t=1,p=1$"));
  CHECK(verify_password(password("correct horse"), phc));
  CHECK_FALSE(verify_password(password("correct horsf"), phc));
  CHECK_FALSE(verify_password(password(""), phc));
}

TEST_CASE("the same password hashes differently each time") {
  base::SeededRandom random{1};
  CHECK_NE(hash_password(password("same"), cheap, fresh_salt(random)).value(),
           hash_password(password("same"), cheap, fresh_salt(random)).value());
}

TEST_CASE("a hash of the reference implementation verifies") {
  // From the test suite of the argon2 reference code: t=2, m=2^8, p=1, "password", "somesalt".
  const std::string phc = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";
  CHECK(verify_password(password("password"), phc));
  CHECK_FALSE(verify_password(password("passwore"), phc));
}

TEST_CASE("a password of more than 256 bytes is refused, not cut") {
  base::SeededRandom random{1};
  const std::string longest(256, 'x');
  const std::string phc = hash_password(password(longest), cheap, fresh_salt(random)).value();
  CHECK(verify_password(password(longest), phc));
  CHECK_FALSE(verify_password(password(longest + "y"), phc));
  CHECK_EQ(hash_password(password(longest + "y"), cheap, fresh_salt(random)).error(), PasswordError::too_long);
}

TEST_CASE("a password may hold any byte") {
  base::SeededRandom random{1};
  const Password strange{std::string("a\0b\xff", 4)};
  const std::string phc = hash_password(strange, cheap, fresh_salt(random)).value();
  CHECK(verify_password(strange, phc));
  CHECK_FALSE(verify_password(password("a"), phc));
}

TEST_CASE("a hash of another cost wants to be made anew") {
  base::SeededRandom random{1};
  const std::string phc = hash_password(password("x"), cheap, fresh_salt(random)).value();
  CHECK_FALSE(needs_rehash(phc, cheap));
  CHECK(needs_rehash(phc, PasswordCost{}));
  CHECK(needs_rehash("$argon2i$v=19$m=64,t=1,p=1$c29tZXNhbHQ$AAAA", cheap));
  CHECK(needs_rehash("", cheap));
  CHECK(needs_rehash(phc.substr(0, phc.find(",t=")), cheap));
}

TEST_CASE("a hash says what it cost, also by its beginning, and of two costs one is dearer") {
  base::SeededRandom random{1};
  const std::string phc = hash_password(password("x"), cheap, fresh_salt(random)).value();
  CHECK_EQ(cost_of(phc), cheap);
  CHECK_EQ(cost_of(phc.substr(0, phc.rfind('$', phc.rfind('$') - 1) + 1)), cheap);
  for (const char* text : {"", "$argon2id$", "$argon2id$v=19$m=64,t=1,p=1", "$argon2i$v=19$m=64,t=1,p=1$"})
    CHECK_FALSE(cost_of(text));
  const PasswordCost twice{cheap.memory_kib, 2 * cheap.passes, 1}, wide{8 * cheap.memory_kib, cheap.passes, 1};
  CHECK_EQ(dearer(cheap, twice), twice);
  CHECK_EQ(dearer(wide, twice), wide);
}

TEST_CASE("two calibrations that differ a little ask for no other hash") {
  struct Row {
    std::uint32_t kept, wanted;
    bool is_another;
  };
  for (const Row& row : {Row{20, 20, false},
                         {20, 24, false},
                         {24, 20, false},
                         {20, 15, true},
                         {15, 20, false},
                         {14, 20, true},
                         {2, 20, true},
                         {20, 2, true},
                         {3, 2, true}}) {
    CAPTURE(row.kept);
    CAPTURE(row.wanted);
    PasswordCost kept = cheap, wanted = cheap;
    kept.passes = row.kept;
    wanted.passes = row.wanted;
    CHECK_EQ(needs_rehash(unmatchable_hash(kept), wanted), row.is_another);
  }
}

TEST_CASE("the hash for unknown users is checked at full cost and matches nothing") {
  base::SeededRandom random{1};
  const std::string phc = unmatchable_hash(cheap);
  CHECK_FALSE(needs_rehash(phc, cheap));
  CHECK_EQ(phc.size(), hash_password(password("x"), cheap, fresh_salt(random)).value().size());
  for (const char* text : {"", "x", "password"}) CHECK_FALSE(verify_password(password(text), phc));
}

TEST_CASE("a text that is no hash matches nothing") {
  for (const char* phc : {"", "x", "$argon2id$", "$argon2id$v=19$m=64,t=1,p=1$$", "$2b$12$abcdefghijklmnopqrstuv"})
    CHECK_FALSE(verify_password(password("x"), phc));
}

}  // namespace
}  // namespace troupe::crypto
