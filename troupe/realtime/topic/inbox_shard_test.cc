// InboxShard: inboxes live while something waits or somebody is there.
#include "troupe/realtime/topic/inbox_shard.h"

#include <doctest/doctest.h>

namespace troupe::realtime {
namespace {

using namespace std::chrono_literals;

struct Shard {
  explicit Shard(InboxOptions options = {}) : shard(options) {}
  auto send(std::string user, std::string from = "alice") {
    return shard.send({UserId{std::move(from)}, {UserId{std::move(user)}, {PayloadKind::json, "1"}}}, moment());
  }
  Moment moment() { return {now, {}, random}; }

  base::SeededRandom random{1};
  base::Instant now;
  InboxShard shard;
};

const UserId bob{"bob"};

TEST_CASE("a message waits for a user who is away, and is forgotten with the inbox once received") {
  Shard shard;
  auto sent = shard.send("bob");
  CHECK_EQ(sent->position.offset, 1);
  CHECK(sent->cores.empty());
  CHECK_EQ(shard.shard.open(bob, 1, shard.moment()).waiting.size(), 1);
  CHECK_EQ(shard.send("bob")->cores, std::vector<CoreIndex>{1});
  shard.shard.close(bob, 1);
  CHECK_EQ(shard.shard.size(), 1);
  shard.shard.received(bob, 2);
  CHECK_EQ(shard.shard.size(), 0);
}

TEST_CASE("a later inbox of the same user goes on where the last one was, while that is known") {
  Shard shard{{.limits = {.age_max = 10s}, .inboxes_max = 2}};
  const auto receive = [&](const std::string& user) {
    const auto sent = shard.send(user);
    shard.shard.received(UserId{user}, sent->position.offset);
    return sent->position;
  };
  const Position first = receive("bob");
  CHECK_EQ(shard.shard.size(), 0);
  CHECK_EQ(receive("bob"), Position{first.epoch, 2});
  CHECK_EQ(shard.shard.open(bob, 0, shard.moment()).top, Position{first.epoch, 2});
  shard.shard.close(bob, 0);
  CHECK_EQ(shard.shard.open(bob, 0, shard.moment()).top, Position{first.epoch, 2});
  shard.shard.close(bob, 0);

  shard.now = shard.now + 10s;
  shard.shard.expire(shard.now);
  const Position anew = receive("bob");
  CHECK_NE(anew.epoch, first.epoch);
  CHECK_EQ(anew.offset, 1);

  receive("carol");
  receive("dave");  // one more than can be remembered
  CHECK_NE(receive("bob").epoch, anew.epoch);
}

TEST_CASE("what was received of an inbox that is over says nothing of the one that came after it") {
  Shard shard{{.limits = {.age_max = 10s}}};
  const auto old = shard.send("bob")->position;
  shard.shard.received(bob, old.offset);
  shard.now = shard.now + 10s;
  shard.shard.expire(shard.now);  // nobody knows any more how far it was
  const auto anew = shard.send("bob")->position;
  REQUIRE_NE(anew.epoch, old.epoch);
  shard.shard.received(bob, old.offset, old.epoch);
  CHECK_EQ(shard.shard.open(bob, 0, shard.moment()).waiting.size(), 1);
  shard.shard.received(bob, anew.offset, anew.epoch);
  CHECK(shard.shard.open(bob, 0, shard.moment()).waiting.empty());
}

TEST_CASE("an inbox of a user who is there stays, whatever was received") {
  Shard shard;
  shard.shard.open(bob, 0, shard.moment());
  shard.send("bob");
  shard.shard.received(bob, 1);
  CHECK_EQ(shard.send("bob")->position.offset, 2);
  shard.shard.received(bob, 2);
  shard.shard.close(bob, 0);
  CHECK_EQ(shard.shard.size(), 0);
}

TEST_CASE("what expires unread is told to the next connection") {
  Shard shard{{.limits = {.age_max = 10s}}};
  shard.send("bob");
  shard.now = shard.now + 10s;
  shard.shard.expire(shard.now);
  auto contents = shard.shard.open(bob, 0, shard.moment());
  REQUIRE(contents.lost.has_value());
  CHECK_EQ(contents.lost->to, 1);
  CHECK(contents.waiting.empty());
}

TEST_CASE("each message lives its own time, whatever was received, lost and forgotten of its inbox meanwhile") {
  Shard shard{{.limits = {.age_max = 10s}}};
  shard.shard.open(bob, 0, shard.moment());
  for (int second = 0; second < 40; ++second) {
    const auto sent = shard.send("bob");
    if (second % 3 == 0) shard.shard.received(bob, sent->position.offset);  // nothing waits for a moment
    if (second % 7 == 0) {
      shard.send("carol");
      shard.shard.received(UserId{"carol"}, 1'000);  // forgotten, and begun anew later
    }
    shard.now = shard.now + 1s;
    shard.shard.expire(shard.now);
    CHECK_EQ(shard.shard.size(), 1);
  }
  shard.send("bob");
  shard.now = shard.now + 10s;
  shard.shard.expire(shard.now);
  CHECK_EQ(shard.shard.bytes(), 0);
  shard.shard.close(bob, 0);
  CHECK_EQ(shard.shard.size(), 1);  // he is to be told of it
  shard.now = shard.now + 10s;
  shard.shard.expire(shard.now);
  CHECK_EQ(shard.shard.size(), 0);
}

TEST_CASE("when a core has ended, inboxes of those who do not come back are forgotten with the next look") {
  Shard shard;
  for (const char* user : {"bob", "carol", "dave"}) shard.shard.open(UserId{user}, 1, shard.moment());
  shard.shard.open(UserId{"erin"}, 0, shard.moment());
  shard.send("dave");
  shard.shard.close_all(1);
  CHECK_EQ(shard.shard.size(), 4);
  shard.shard.open(bob, 2, shard.moment());
  shard.shard.expire(shard.now);
  CHECK_EQ(shard.shard.size(), 3);  // bob came back, for dave something waits, erin was elsewhere
  shard.shard.close(bob, 2);
  shard.shard.received(UserId{"dave"}, 1);
  CHECK_EQ(shard.shard.size(), 1);
}

TEST_CASE("the inbox of a user who never comes back is forgotten, with what was lost of it") {
  Shard shard{{.limits = {.age_max = 10s}, .inboxes_max = 1}};
  shard.send("bob");
  shard.now = shard.now + 10s;
  shard.shard.expire(shard.now);
  CHECK_EQ(shard.send("carol").error(), DirectError::overloaded);  // bob may still come, and is told then
  shard.now = shard.now + 10s;
  shard.shard.expire(shard.now);
  CHECK_EQ(shard.shard.size(), 0);
  CHECK(shard.send("carol").has_value());
}

TEST_CASE(
    "inboxes that one user has begun, of users who have not come, are bounded, and others have room beside them") {
  Shard shard{{.limits = {.age_max = 10s}, .inboxes_max = 10, .by_sender_max = 2}};
  shard.shard.open(UserId{"here"}, 0, shard.moment());
  CHECK(shard.send("a", "eve").has_value());
  CHECK(shard.send("b", "eve").has_value());
  CHECK_EQ(shard.send("c", "eve").error(), DirectError::too_many_inboxes);
  CHECK_EQ(shard.shard.size(), 3);
  CHECK(shard.send("a", "eve").has_value());     // of those that there are
  CHECK(shard.send("here", "eve").has_value());  // who has come
  CHECK(shard.send("c", "bob").has_value());
  CHECK(shard.send("c", "eve").has_value());
  shard.shard.open(UserId{"a"}, 1, shard.moment());  // he comes at last
  CHECK(shard.send("d", "eve").has_value());
  CHECK_EQ(shard.send("e", "eve").error(), DirectError::too_many_inboxes);
  for (int i = 0; i < 2; ++i) {
    shard.now = shard.now + 10s;
    shard.shard.expire(shard.now);
  }
  CHECK(shard.send("e", "eve").has_value());
}

TEST_CASE("what waits in all inboxes is bounded, and room comes back when it was received or is too old") {
  const auto one = Shard{}.send("a")->frame.size();
  Shard shard{{.limits = {.age_max = 10s}, .bytes_of_all_max = 2 * one}};
  CHECK(shard.send("a").has_value());
  CHECK(shard.send("b").has_value());
  CHECK_EQ(shard.send("c").error(), DirectError::overloaded);
  CHECK_EQ(shard.send("b").error(), DirectError::overloaded);
  CHECK_EQ(shard.shard.size(), 2);  // what is refused begins none
  shard.shard.received(UserId{"a"}, 1);
  CHECK(shard.send("c").has_value());
  CHECK_EQ(shard.send("d").error(), DirectError::overloaded);
  shard.now = shard.now + 10s;
  shard.shard.expire(shard.now);
  CHECK_EQ(shard.shard.bytes(), 0);
  CHECK(shard.send("d").has_value());
}

TEST_CASE("who has sent as much as may wait is refused until some of it was received, and others are not") {
  const auto one = Shard{}.send("a", "eve")->frame.size();
  Shard shard{{.bytes_by_sender_max = 2 * one}};
  CHECK(shard.send("a", "eve").has_value());
  CHECK(shard.send("b", "eve").has_value());
  CHECK_EQ(shard.send("c", "eve").error(), DirectError::too_many_inboxes);
  CHECK_EQ(shard.send("a", "eve").error(), DirectError::too_many_inboxes);
  CHECK(shard.send("a", "bob").has_value());
  CHECK(shard.send("c", "bob").has_value());
  shard.shard.received(UserId{"a"}, 2);
  CHECK(shard.send("c", "eve").has_value());
  CHECK_EQ(shard.send("c", "eve").error(), DirectError::too_many_inboxes);
  CHECK(shard.send("d", "bob").has_value());
}

TEST_CASE("mail that makes room for newer mail, and inboxes that are forgotten, count no more") {
  const auto one = Shard{}.send("a")->frame.size();
  Shard shard{{.limits = {.count_max = 2, .age_max = 10s}, .bytes_of_all_max = 3 * one}};
  for (int i = 0; i < 9; ++i) CHECK(shard.send("a").has_value());
  CHECK_EQ(shard.shard.bytes(), 2 * one);
  shard.shard.open(UserId{"a"}, 1, shard.moment());
  shard.shard.close_all(1);
  CHECK_EQ(shard.shard.bytes(), 2 * one);
  for (int i = 0; i < 2; ++i) {
    shard.now = shard.now + 10s;
    shard.shard.expire(shard.now);
  }
  CHECK_EQ(shard.shard.size(), 0);
  CHECK_EQ(shard.shard.bytes(), 0);
}

TEST_CASE("past the limit there is no room for another inbox") {
  Shard shard{{.inboxes_max = 1}};
  CHECK(shard.send("bob").has_value());
  CHECK_EQ(shard.send("carol").error(), DirectError::overloaded);
  CHECK(shard.send("bob").has_value());
}

TEST_CASE("who is here gets what is sent, however many inboxes of others wait") {
  Shard shard{{.limits = {.age_max = 10s}, .inboxes_max = 1}};
  REQUIRE(shard.send("absent").has_value());
  shard.shard.open(bob, 1, shard.moment());
  CHECK_EQ(shard.send("bob")->cores, std::vector<CoreIndex>{1});
  CHECK_EQ(shard.send("carol").error(), DirectError::overloaded);
  shard.now = shard.now + 10s;
  shard.shard.expire(shard.now);
  CHECK_EQ(shard.send("bob")->cores, std::vector<CoreIndex>{1});
}

TEST_CASE("what is larger than an inbox is refused, and takes no place of what waits") {
  Shard shard{{.limits = {.bytes_max = 300}}};
  REQUIRE(shard.send("bob").has_value());
  const SendDirect large{UserId{"alice"}, {bob, {PayloadKind::json, '"' + std::string(300, 'x') + '"'}}};
  const auto refused = shard.shard.send(large, shard.moment());
  REQUIRE_FALSE(refused.has_value());
  CHECK_EQ(refused.error(), DirectError::too_large);
  const auto contents = shard.shard.open(bob, 0, shard.moment());
  CHECK_EQ(contents.waiting.size(), 1);
  CHECK_FALSE(contents.lost.has_value());
}

}  // namespace
}  // namespace troupe::realtime
