// The conformance suite of the table of notices, and of the assertions that were spent.
#include "troupe/oauth/storage/logouts.h"

#include <doctest/doctest.h>

#include "troupe/oauth/storage/testing/stores.h"

namespace troupe::oauth {
namespace {

using stores::at;
using stores::BySql;
using stores::id;
using stores::InMemory;

LogoutNotice notice(const char* client, int due) {
  return {.client = ClientId{client},
          .user = UserId{"u_alice"},
          .session = SessionId{id(1).text()},
          .made_at = at(0),
          .next_at = at(due)};
}

TEST_CASE_TEMPLATE("notices come back when their time has come, the longest due first", Store, InMemory, BySql) {
  Store{}.with([](Tables t) {
    t.logouts.append(notice("c_late", 20));
    t.logouts.append(notice("c_early", 10));
    t.logouts.append(notice("c_later", 30));
    CHECK(t.logouts.due(at(9), 10).empty());
    const auto first = t.logouts.due(at(10), 10);
    REQUIRE_EQ(first.size(), 1);
    CHECK_EQ(first[0].client.value(), "c_early");
    CHECK_EQ(first[0].user.value(), "u_alice");
    CHECK_EQ(first[0].session.value(), id(1).text());
    CHECK_EQ(first[0].made_at, at(0));
    CHECK_EQ(first[0].attempts, 0);
    CHECK_EQ(first[0].next_at, at(10));
    const auto two = t.logouts.due(at(100), 2);
    REQUIRE_EQ(two.size(), 2);
    CHECK_EQ(two[1].client.value(), "c_late");
    CHECK_NE(two[0].number, two[1].number);
  });
}

TEST_CASE_TEMPLATE("a notice that was told is gone, and one that was not waits for its next time", Store, InMemory,
                   BySql) {
  Store{}.with([](Tables t) {
    t.logouts.append(notice("c_one", 1));
    t.logouts.append(notice("c_two", 2));
    const auto both = t.logouts.due(at(5), 10);
    REQUIRE_EQ(both.size(), 2);
    const auto others = t.logouts.due(at(5), 10, {both[0].client});
    REQUIRE_EQ(others.size(), 1);
    CHECK_EQ(others[0].number, both[1].number);
    CHECK(t.logouts.remove(both[0].number));
    CHECK_FALSE(t.logouts.remove(both[0].number));
    CHECK(t.logouts.postpone(both[1].number, 3, at(50)));
    CHECK_FALSE(t.logouts.postpone(both[0].number, 3, at(50)));
    CHECK(t.logouts.due(at(49), 10).empty());
    const auto later = t.logouts.due(at(50), 10);
    REQUIRE_EQ(later.size(), 1);
    CHECK_EQ(later[0].attempts, 3);
    t.logouts.remove(later[0].number);
    t.logouts.append(notice("c_three", 1));
    CHECK_GT(t.logouts.due(at(50), 10).at(0).number, both[1].number);  // no number comes again
  });
}

TEST_CASE_TEMPLATE("an assertion is spent once, and forgotten when it has ended", Store, InMemory, BySql) {
  Store{}.with([](Tables t) {
    const crypto::Digest one = stores::hash("one"), two = stores::hash("two");
    CHECK(t.clients.use_assertion(one, at(10)));
    CHECK(t.clients.use_assertion(two, at(20)));
    CHECK_FALSE(t.clients.use_assertion(one, at(10)));
    CHECK_FALSE(t.clients.use_assertion(one, at(30)));
    CHECK_EQ(t.clients.remove_assertions_expired(at(9), 10), 0);
    CHECK_EQ(t.clients.remove_assertions_expired(at(10), 10), 1);
    CHECK(t.clients.use_assertion(one, at(30)));
    CHECK_FALSE(t.clients.use_assertion(two, at(20)));
    CHECK_EQ(t.clients.remove_assertions_expired(at(40), 1), 1);
    CHECK_EQ(t.clients.remove_assertions_expired(at(40), 10), 1);
  });
}

}  // namespace
}  // namespace troupe::oauth
