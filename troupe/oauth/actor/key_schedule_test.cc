// The schedule of keys: every algorithm always signs, successors are announced, what has
// signed stays readable for its time.
#include "troupe/oauth/actor/key_schedule.h"

#include <doctest/doctest.h>

#include "troupe/oauth/actor/testing/fixture.h"

namespace troupe::oauth {
namespace {

using namespace std::chrono_literals;
using fixture::start;

const KeyOptions es256_only{.algorithms = {crypto::Algorithm::es256}};

struct Ring {
  MemoryTables rows;
  Tables tables = rows.all();
  std::map<std::string, crypto::PrivateKey> parsed;

  /// What the Key Actor does from time to time; gives how many keys were made.
  std::size_t maintain(base::UnixTime now) {
    remove_retired(tables, now);
    const auto orders = keys_to_make(tables.keys.signing(), now, es256_only);
    for (const KeyOrder& order : orders) tables.keys.insert_signing(make_key(order, now, es256_only));
    return orders.size();
  }
  KeySetPtr set(base::UnixTime now) { return key_set_of(tables.keys.signing(), tables.keys.token_keys(), now, parsed); }
};

TEST_CASE("at the first start each algorithm gets a key that signs at once") {
  const auto orders = keys_to_make({}, start, KeyOptions{});
  REQUIRE_EQ(orders.size(), 3);
  for (const KeyOrder& order : orders) CHECK_EQ(order.signs_from, start);
}

TEST_CASE("a successor is shown two weeks before it signs, and the old key stays after") {
  Ring ring;
  CHECK_EQ(ring.maintain(start), 1);
  const std::string first = ring.set(start)->signing.front().kid();
  CHECK_EQ(ring.maintain(start + 75 * 24h), 0);
  CHECK_EQ(ring.maintain(start + 76 * 24h), 1);
  CHECK_EQ(ring.maintain(start + 76 * 24h), 0);

  const KeySetPtr announced = ring.set(start + 80 * 24h);
  CHECK_EQ(announced->verifying.size(), 2);
  CHECK_EQ(announced->signing.front().kid(), first);

  const KeySetPtr turned = ring.set(start + 90 * 24h);
  REQUIRE_EQ(turned->signing.size(), 1);
  CHECK_NE(turned->signing.front().kid(), first);
  CHECK_EQ(turned->verifying.size(), 2);

  CHECK_EQ(ring.set(start + 104 * 24h)->verifying.size(), 1);
  ring.maintain(start + 104 * 24h);
  CHECK_EQ(ring.tables.keys.signing().size(), 1);
}

TEST_CASE("after a rotation the new key signs at once and the old one is still shown") {
  Ring ring;
  ring.maintain(start);
  const std::string first = ring.set(start)->signing.front().kid();
  const base::UnixTime later = start + 24h;
  replace_keys(ring.tables, {make_key({crypto::Algorithm::es256, later}, later, es256_only)}, later, es256_only);
  const KeySetPtr set = ring.set(later);
  REQUIRE_EQ(set->signing.size(), 1);
  CHECK_NE(set->signing.front().kid(), first);
  CHECK_EQ(set->verifying.size(), 2);
  CHECK_EQ(ring.set(later + 15 * 24h)->verifying.size(), 1);
}

TEST_CASE("a key that somebody else may have is shown no longer, and whoever relies on it is told") {
  Ring ring;
  ring.maintain(start);
  const std::string stolen = ring.tables.keys.signing().front().id;
  CHECK_FALSE(revoke_key(ring.tables, "another", start));
  replace_keys(ring.tables, {make_key({crypto::Algorithm::es256, start + 1s}, start + 1s, es256_only)}, start + 1s,
               es256_only);
  CHECK(revoke_key(ring.tables, stolen, start + 1s));
  const KeySetPtr set = ring.set(start + 1s);
  REQUIRE_EQ(set->verifying.size(), 1);
  CHECK_NE(set->verifying.front().kid(), stolen);
  const auto endings = ring.tables.grants.endings_after(0, 10);
  REQUIRE_EQ(endings.size(), 1);
  CHECK_EQ(endings.front().ending.owner(), stolen);
  CHECK_EQ(endings.front().ending.at, start + 1s);
}

TEST_CASE("the key set document holds public parts only, and its tag follows its content") {
  Ring ring;
  ring.maintain(start);
  const KeySetPtr set = ring.set(start);
  CHECK(set->jwks.starts_with(R"({"keys":[{)"));
  CHECK_EQ(set->jwks.find(R"("d":)"), std::string::npos);
  CHECK_EQ(ring.set(start + 1h)->jwks_etag, set->jwks_etag);
  ring.maintain(start + 80 * 24h);
  CHECK_NE(ring.set(start + 80 * 24h)->jwks_etag, set->jwks_etag);
}

TEST_CASE("new tokens are made with the newest token key and old ones stay readable") {
  Ring ring;
  base::SeededRandom random{1};
  for (const std::uint8_t id : {1, 2}) ring.tables.keys.insert_token_key(make_token_key(id, start, random));
  const KeySetPtr set = ring.set(start);
  CHECK_EQ(set->token_key, 2);
  CHECK_EQ(set->token_keys.by_id.size(), 2);
}

}  // namespace
}  // namespace troupe::oauth
