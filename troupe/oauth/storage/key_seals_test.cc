// Key seals: keys stand sealed in the database, come back by the key of now or the one before, and by no other.
#include "troupe/oauth/storage/key_seals.h"

#include <doctest/doctest.h>

#include "troupe/oauth/actor/key_schedule.h"
#include "troupe/oauth/storage/keys.h"
#include "troupe/oauth/storage/schema.h"
#include "troupe/store/migration.h"
#include "troupe/store/sqlite.h"

namespace troupe::oauth {
namespace {

const crypto::SealKey first = *crypto::SealKey::parse(crypto::SealKey::generate().expose());
const crypto::SealKey second = *crypto::SealKey::parse(crypto::SealKey::generate().expose());
const KeySeals in_clear{};
const KeySeals by_first{.current = first, .previous = std::nullopt};
const KeySeals by_second{.current = second, .previous = std::nullopt};
const KeySeals from_first_to_second{.current = second, .previous = first};

SigningKeyRecord signing_key() { return make_key({crypto::Algorithm::es256, {}}, {}, {}); }
const TokenKeyRecord token_key{.id = 7, .secret = base::Secret{std::string(32, 'k')}, .created_at = {}};

/// A database with a signing key and a token key, and looks at it under any seals.
struct Database {
  std::unique_ptr<store::SqliteConnection> connection = store::SqliteConnection::in_memory();
  SigningKeyRecord signing = signing_key();

  Database() { store::migrate(*connection, schema(), {0}); }
  template <class F>
  auto with(const KeySeals& seals, F work) {
    return connection->transact([&](store::Transaction& transaction) {
      SqlKeys keys{transaction, &seals};
      return work(keys);
    });
  }
  void fill(const KeySeals& seals) {
    with(seals, [&](SqlKeys& keys) {
      keys.insert_signing(signing);
      keys.insert_token_key(token_key);
    });
  }
  int seal_anew(const KeySeals& seals) {
    return with(seals, [](SqlKeys& keys) { return keys.seal_anew(); });
  }
  bool reads(const KeySeals& seals) {
    return with(seals, [&](SqlKeys& keys) {
      return keys.signing().at(0).der.expose() == signing.der.expose() &&
             keys.token_keys().at(0).secret.expose() == token_key.secret.expose();
    });
  }
  std::string why_not(const KeySeals& seals) {
    try {
      reads(seals);
      return "";
    } catch (const std::runtime_error& error) {
      return error.what();
    }
  }
  /// Whether a secret stands somewhere in the rows as it is.
  bool shows_secrets() {
    return connection->transact([&](store::Transaction& transaction) {
      bool found = false;
      const auto look = [&](const store::Row& row) {
        found |= row.blob(0) == signing.der.expose() || row.blob(0) == token_key.secret.expose();
      };
      transaction.each("SELECT der FROM signing_keys", {}, look);
      transaction.each("SELECT secret FROM token_keys", {}, look);
      return found;
    });
  }
};

TEST_CASE("keys that are sealed are read by their key, and do not stand in the database") {
  Database database;
  database.fill(by_first);
  CHECK_FALSE(database.shows_secrets());
  CHECK(database.reads(by_first));
  CHECK(database.reads(from_first_to_second));
  CHECK(database.why_not(in_clear).contains("set oauth.encryption_key"));
  CHECK(database.why_not(by_second).contains(first.id()));
}

TEST_CASE("keys in clear are sealed once a key is there, and opened once there is none any more") {
  Database database;
  database.fill(in_clear);
  CHECK(database.shows_secrets());
  CHECK_EQ(database.seal_anew(by_first), 2);
  CHECK_EQ(database.seal_anew(by_first), 0);
  CHECK_FALSE(database.shows_secrets());
  CHECK_EQ(database.seal_anew({.current = std::nullopt, .previous = first}), 2);
  CHECK(database.reads(in_clear));
}

TEST_CASE("another key takes over what the one before has sealed") {
  Database database;
  database.fill(by_first);
  CHECK_EQ(database.seal_anew(from_first_to_second), 2);
  CHECK(database.reads(by_second));
  CHECK(database.why_not(by_first).contains(second.id()));
}

TEST_CASE(
    "of keys that are sealed otherwise the readable ones come, with why the others do not, and times need no seal") {
  Database database;
  database.fill(in_clear);
  CHECK(database.with(in_clear, [](SqlKeys& keys) { return keys.is_sealed_as_configured(); }));
  CHECK_FALSE(database.with(by_first, [](SqlKeys& keys) { return keys.is_sealed_as_configured(); }));
  const SigningKeyRecord other = signing_key();
  database.with(by_first, [&](SqlKeys& keys) { keys.insert_signing(other); });
  database.with(in_clear, [&](SqlKeys& keys) {
    const ReadableKeys readable = keys.readable_signing();
    REQUIRE_EQ(readable.keys.size(), 1);
    CHECK_EQ(readable.keys[0].id, database.signing.id);
    CHECK_EQ(readable.keys[0].der.expose(), database.signing.der.expose());
    REQUIRE_EQ(readable.others.size(), 1);
    CHECK_EQ(readable.others[0].id, other.id);
    CHECK(readable.others[0].why.contains(first.id()));
    CHECK_EQ(keys.signing_times().size(), 2);
    CHECK_EQ(keys.seal_anew(), 0);  // what cannot be read stays as it is
  });
  CHECK_EQ(database.seal_anew(by_first), 2);
  CHECK(database.with(by_first,
                      [](SqlKeys& keys) { return keys.is_sealed_as_configured() && keys.signing().size() == 2; }));
}

TEST_CASE("a key that is damaged is told from one that is sealed otherwise, and stands in no other's way") {
  Database database;
  database.fill(by_first);
  const SigningKeyRecord other = signing_key(), nameless = signing_key();
  database.with(by_first, [&](SqlKeys& keys) {
    for (const auto& key : {other, nameless}) keys.insert_signing(key);
  });
  database.connection->transact([&](store::Transaction& t) {
    t.run("UPDATE signing_keys SET der = x'00' WHERE id = ?1", {other.id});
    t.run("UPDATE signing_keys SET alg = 'none' WHERE id = ?1", {nameless.id});
  });
  const auto look = [&](const KeySeals& seals) {
    return database.with(seals, [](SqlKeys& keys) { return keys.readable_signing(); });
  };
  const ReadableKeys readable = look(by_first);
  REQUIRE_EQ(readable.keys.size(), 1);
  CHECK_EQ(readable.keys[0].id, database.signing.id);
  REQUIRE_EQ(readable.others.size(), 2);
  for (const auto& each : readable.others) CHECK_EQ(each.fault, KeyFault::damaged);
  CHECK_NOTHROW(refuse_other_seals(readable));
  CHECK_THROWS_AS(refuse_other_seals(look(in_clear)), UnsealError);
  CHECK_EQ(database.with(by_first, [](SqlKeys& keys) { return keys.signing_times().size(); }), 3);
  database.seal_anew(from_first_to_second);  // the damaged one stays, and nobody waits for it
  CHECK(database.with(from_first_to_second, [](SqlKeys& keys) { return keys.is_sealed_as_configured(); }));
}

TEST_CASE("a row that stands in another one's place, or was changed, is told and not used") {
  Database database;
  database.fill(by_first);
  database.connection->transact(
      [](store::Transaction& transaction) { transaction.run("UPDATE token_keys SET id = 8", {}); });
  CHECK(database.why_not(by_first).contains("token_keys/8 in the database was changed"));
}

}  // namespace
}  // namespace troupe::oauth
