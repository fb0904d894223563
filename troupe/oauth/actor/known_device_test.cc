// Known devices: what the cookie is good for, and what it is not.
#include "troupe/oauth/actor/known_device.h"

#include <doctest/doctest.h>

#include "troupe/oauth/actor/testing/fixture.h"

namespace troupe::oauth {
namespace {

using namespace std::chrono_literals;
using fixture::start;

constexpr std::chrono::seconds lifetime = 24h;

UserRecord with_hash(std::string hash, std::string id = "u_alice") {
  UserRecord user = fixture::alice();
  user.user.id = UserId{std::move(id)};
  user.password_hash = std::move(hash);
  return user;
}

TEST_CASE("a browser is known again until its time is over, each under a name of its own") {
  base::SeededRandom random{1};
  const UserRecord alice = with_hash("$argon2id$one");
  const DeviceToken first = new_known_device(alice, start, random);
  const DeviceToken second = new_known_device(alice, start, random);
  const auto name = known_device(first, alice, start, lifetime);
  REQUIRE(name);
  CHECK_NE(*name, *known_device(second, alice, start, lifetime));
  CHECK_EQ(known_device(first, alice, start + 24h - 1s, lifetime), name);
  CHECK_FALSE(known_device(first, alice, start + 24h, lifetime));
  CHECK_EQ(known_device(first, alice, start - 1h, lifetime), name);  // a clock that was set back
  CHECK_FALSE(known_device(first, alice, start, 0s));                // nobody is remembered
}

TEST_CASE("it is of one account, and of one password") {
  base::SeededRandom random{2};
  const DeviceToken token = new_known_device(with_hash("$argon2id$one"), start, random);
  CHECK_FALSE(known_device(token, with_hash("$argon2id$two"), start, lifetime));
  CHECK_FALSE(known_device(token, with_hash("$argon2id$one", "u_bob"), start, lifetime));
}

TEST_CASE("what was changed, cut, or never ours is no cookie") {
  base::SeededRandom random{3};
  const UserRecord alice = with_hash("$argon2id$one");
  const std::string good = new_known_device(alice, start, random).expose();
  for (std::size_t at = 0; at < good.size(); ++at) {
    std::string changed = good;
    changed[at] = changed[at] == 'A' ? 'B' : 'A';
    CAPTURE(changed);
    CHECK_FALSE(known_device(DeviceToken{changed}, alice, start, lifetime));
    CHECK_FALSE(known_device(DeviceToken{good.substr(0, at)}, alice, start, lifetime));
  }
  for (const char* text : {"", ".", "..", "a.b", "a..c", "a.99999999999999999999.c", "a.1x.c", "a.1.2.c"}) {
    CAPTURE(text);
    CHECK_FALSE(known_device(DeviceToken{text}, alice, start, lifetime));
  }
  CHECK_FALSE(known_device(DeviceToken{good + std::string(200, 'A')}, alice, start, lifetime));
}

}  // namespace
}  // namespace troupe::oauth
