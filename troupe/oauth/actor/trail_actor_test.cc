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

TEST_CASE("of many refusals for want of a scope some are noted, and the next one says how many were not") {
  ActorWorld oauth{3};
  const auto trail = oauth.world.spawn<TrailActor>({.name = "trail"}, oauth.storage);
  const auto refuse = [&] { return oauth.world.block_on(trail.ask(RecordRefusal{ClientId{"c_desk"}, "admin.keys"})); };
  const auto events = [&] { return oauth.world.block_on(trail.ask(ListEvents{.count = 500}))->events; };
  for (int i = 0; i < 100; ++i) CHECK(refuse().has_value());
  CHECK_LE(events().size(), 3 * RefusalBudget::noted_in_a_second);
  oauth.world.advance(std::chrono::seconds{2});
  CHECK(refuse().has_value());
  CHECK(events().front().reason.starts_with("lacks admin.keys (after "));
}

TEST_CASE("strangers who knock hide no refusal of somebody with a token") {
  ActorWorld oauth{4};
  const auto trail = oauth.world.spawn<TrailActor>({.name = "trail"}, oauth.storage);
  for (int i = 0; i < 100; ++i) trail.tell(NoteRefusedCall{.reason = "no_token"});
  REQUIRE(oauth.world.block_on(trail.ask(RecordRefusal{ClientId{"c_desk"}, "admin.keys"})).has_value());
  const ListEvents of_desk{.filter = {.client = ClientId{"c_desk"}}};
  CHECK_EQ(oauth.world.block_on(trail.ask(of_desk))->events.size(), 1);
}

}  // namespace
}  // namespace troupe::oauth
