// Presence: a user counts once, what is undone is not told, and after a loss nothing stays wrong.
#include "troupe/realtime/topic/presence.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <set>

#include "troupe/base/random.h"

namespace troupe::realtime {
namespace {

const UserId alice{"alice"}, bob{"bob"}, carol{"carol"};

std::string text(const std::vector<UserId>& users) {
  std::string joined;
  for (const auto& user : users) joined.append(joined.empty() ? "" : " ").append(user.value().view());
  return joined;
}
/// "t: joined | left", topics in the order in which they changed.
std::string told(PresenceTable& presence) {
  std::string all;
  for (const auto& change : presence.take_changes()) {
    all += fmt::format("{}{}: {} | {}", all.empty() ? "" : "; ", change.topic, text(change.joined), text(change.left));
  }
  return all;
}

TEST_CASE("a user counts once, however many cores report it") {
  PresenceTable presence;
  presence.watch("t", 0);
  presence.came("t", alice, 0);
  presence.came("t", alice, 1);
  presence.came("t", alice, 1);
  CHECK_EQ(told(presence), "t: alice | ");
  CHECK_EQ(presence.page("t", 10, {}).count, 1);
  presence.left("t", alice, 0);
  CHECK_EQ(told(presence), "");
  presence.left("t", alice, 1);
  CHECK_EQ(told(presence), "t:  | alice");
  presence.left("t", alice, 1);
  CHECK_EQ(told(presence), "");
  CHECK_EQ(presence.users(), 0);
}

TEST_CASE("what comes and goes between two looks is not told") {
  PresenceTable presence;
  presence.watch("t", 3);
  presence.came("t", alice, 0);
  CHECK_EQ(told(presence), "t: alice | ");
  presence.came("t", bob, 0);
  presence.left("t", bob, 0);
  presence.left("t", alice, 0);
  presence.came("t", alice, 1);  // on another core, too
  CHECK_EQ(told(presence), "");
  presence.left("t", alice, 1);
  presence.came("t", carol, 0);
  presence.came("u", carol, 0);  // nobody wants to know
  CHECK_EQ(told(presence), "t: carol | alice");
}

TEST_CASE("what a page has shown is told, though it is undone before the next look") {
  PresenceTable presence;
  presence.watch("t", 0);
  for (const auto& user : {alice, bob, carol}) presence.came("t", user, 0);
  CHECK_EQ(told(presence), "t: alice bob carol | ");
  const UserId dave{"dave"}, eve{"eve"};
  presence.came("t", dave, 0);
  presence.came("t", eve, 0);
  presence.left("t", bob, 0);
  CHECK_EQ(text(presence.page("t", 2, alice).users), "carol dave");  // and no bob, but nothing of eve
  for (const auto& user : {dave, eve}) presence.left("t", user, 0);
  presence.came("t", bob, 0);
  CHECK_EQ(told(presence), "t: bob | dave");
}

TEST_CASE("whoever reads all pages and applies what is told knows who is there, however it changes meanwhile") {
  struct Reader {
    std::set<UserId> users;
    std::optional<UserId> next = UserId{};  // none: it has read all
    std::vector<PresenceChange> held{};     // until then
    void apply_held() {
      for (const auto& change : std::exchange(held, {})) {
        users.insert(change.joined.begin(), change.joined.end());
        for (const auto& gone : change.left) users.erase(gone);
      }
    }
  };
  base::SeededRandom random{7};
  PresenceTable presence;
  presence.watch("t", 0);
  std::set<UserId> there;
  std::vector<Reader> readers;
  for (int step = 0; step < 20'000; ++step) {
    const UserId user{fmt::format("user{}", random.below(12))};
    switch (random.below(6)) {
      case 0:
      case 1:
        presence.came("t", user, 0);
        there.insert(user);
        break;
      case 2:
      case 3:
        presence.left("t", user, 0);
        there.erase(user);
        break;
      case 4:
        if (readers.size() < 5) readers.emplace_back();
        for (Reader& reader : readers) {
          if (!reader.next || random.below(2) == 0) continue;
          auto page = presence.page("t", 3, *reader.next);
          reader.users.insert(page.users.begin(), page.users.end());
          reader.next = page.next;
          if (!reader.next) reader.apply_held();
        }
        break;
      default: {
        const auto changes = presence.take_changes();
        for (Reader& reader : readers) {
          reader.held.insert(reader.held.end(), changes.begin(), changes.end());
          if (reader.next) continue;
          reader.apply_held();
          REQUIRE(reader.users == there);
        }
        if (random.below(10) == 0) readers.clear();
      }
    }
  }
}

TEST_CASE("changes go to the cores that watch the topic, and to no other") {
  PresenceTable presence;
  for (CoreIndex core : {0, 2, 63}) presence.watch("t", core);
  presence.unwatch("t", 2);
  presence.came("t", alice, 5);
  auto changes = presence.take_changes();
  REQUIRE_EQ(changes.size(), 1);
  CHECK_EQ(changes[0].cores, std::vector<CoreIndex>{0, 63});
}

TEST_CASE("pages are sorted by name, and the next begins after the last") {
  PresenceTable presence;
  for (int i = 9; i >= 0; --i) presence.came("t", UserId{fmt::format("user{}", i)}, 0);
  auto page = presence.page("t", 4, {});
  CHECK_EQ(page.count, 10);
  CHECK_EQ(text(page.users), "user0 user1 user2 user3");
  REQUIRE(page.next.has_value());
  page = presence.page("t", 4, *page.next);
  CHECK_EQ(text(page.users), "user4 user5 user6 user7");
  page = presence.page("t", 4, UserId{"user5x"});  // one who has left meanwhile does as well
  CHECK_EQ(text(page.users), "user6 user7 user8 user9");
  CHECK_FALSE(page.next.has_value());
  CHECK(presence.page("t", 4, UserId{"z"}).users.empty());
  CHECK_EQ(presence.page("never", 4, {}).count, 0);
}

TEST_CASE("a topic without users, watchers and news is forgotten") {
  PresenceTable presence;
  presence.came("t", alice, 0);
  presence.watch("u", 0);
  CHECK_EQ(presence.topics(), 2);
  presence.left("t", alice, 0);
  presence.left("never", alice, 0);
  presence.unwatch("u", 0);
  presence.unwatch("u", 0);
  CHECK_EQ(told(presence), "");
  CHECK_EQ(presence.topics(), 0);
  CHECK_FALSE(presence.has_changes());
}

TEST_CASE("after a loss all who are there are told as joined, and those who left meanwhile as left") {
  PresenceTable presence;
  presence.begin_rebuild();
  presence.left("t", bob, 0);  // said before the tables were asked for
  presence.watch("t", 0);
  presence.left("t", carol, 1);  // of one core; on another she still is
  presence.came("t", carol, 0);
  presence.came("t", alice, 0);
  presence.end_rebuild();
  CHECK_EQ(told(presence), "t: alice carol | bob");
  presence.left("t", alice, 0);
  presence.left("t", bob, 0);
  CHECK_EQ(told(presence), "t:  | alice");
}

}  // namespace
}  // namespace troupe::realtime
