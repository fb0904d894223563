// Trail Actor: what is found of the audit trail, and how much of it is looked at for one page.
#include "troupe/oauth/actor/trail_actor.h"

#include <doctest/doctest.h>

#include "troupe/oauth/actor/testing/actor_world.h"

namespace troupe::oauth {
namespace {

using fixture::ActorWorld;

TEST_CASE("a page that finds nothing says where to go on, until the trail ends") {
  ActorWorld oauth{1};
  const auto trail = oauth.world.spawn<TrailActor>({.name = "trail"}, oauth.storage);
  const auto ask = [&](ListEvents message) { return oauth.world.block_on(trail.ask(std::move(message))).value(); };
  fixture::Ids ids;
  oauth.disk->transact([&](store::Transaction& transaction) {
    SqlTables tables{transaction};
    for (int n = 0; n < 10'500; ++n)
      tables.all().audit.append({.id = ids.next(), .kind = n == 3 ? "rare" : "usual", .reason = ""});
  });
  const ListEvents rare{.filter = {.kind = "rare"}};
  auto first = ask(rare);
  CHECK(first.events.empty());
  REQUIRE(first.next.has_value());
  auto second = ask({.filter = rare.filter, .before = first.next});
  CHECK_EQ(second.events.size(), 1);
  CHECK_FALSE(second.next.has_value());
  CHECK_EQ(ask({.filter = {.kind = "usual"}, .count = 7}).events.size(), 7);
}

TEST_CASE("a refusal is noted of the client that was refused") {
  ActorWorld oauth{2};
  const auto trail = oauth.world.spawn<TrailActor>({.name = "trail"}, oauth.storage);
  REQUIRE(oauth.world.block_on(trail.ask(RecordRefusal{ClientId{"c_desk"}, "admin.keys"})).has_value());
  const auto page = oauth.world.block_on(trail.ask(ListEvents{.filter = {.client = ClientId{"c_desk"}}})).value();
  REQUIRE_EQ(page.events.size(), 1);
  CHECK_EQ(page.events.front().kind, "administration_refused");
  CHECK_EQ(page.events.front().reason, "lacks admin.keys");
}

}  // namespace
}  // namespace troupe::oauth
