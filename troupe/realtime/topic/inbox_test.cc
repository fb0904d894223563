// Inbox: direct messages wait until they are received, and what is lost is told.
#include "troupe/realtime/topic/inbox.h"

#include <doctest/doctest.h>

namespace troupe::realtime {
namespace {

using namespace std::chrono_literals;

Inbox filled(ByteLedger& ledger, int count, InboxLimits limits = {}) {
  Inbox inbox{{Epoch{"e"}, 0}, limits, ledger};
  for (int i = 0; i < count; ++i) {
    inbox.append(base::Instant{} + std::chrono::seconds{i}, UserId{i % 2 == 0 ? "alice" : "carol"},
                 base::Bytes{"12345"});
  }
  return inbox;
}

TEST_CASE("a message waits until the user has received it") {
  ByteLedger ledger;
  auto inbox = filled(ledger, 3);
  CHECK_EQ(inbox.waiting().size(), 3);
  inbox.received(2);
  REQUIRE_EQ(inbox.waiting().size(), 1);
  CHECK_EQ(inbox.waiting().front().offset, 3);
  inbox.received(99);
  CHECK(inbox.is_idle());
  CHECK_EQ(inbox.top().offset, 3);
}

TEST_CASE("too many, too large and too old messages are lost, and the loss is remembered") {
  ByteLedger ledger;
  auto many = filled(ledger, 5, {.count_max = 2});
  REQUIRE(many.lost().has_value());
  CHECK_EQ(many.lost()->from, 1);
  CHECK_EQ(many.lost()->to, 3);
  CHECK_EQ(many.waiting().front().offset, 4);

  auto large = filled(ledger, 5, {.bytes_max = 14});
  CHECK_EQ(large.lost()->to, 3);

  auto old = filled(ledger, 5, {.age_max = 10s});
  old.expire(base::Instant{} + 12s);
  CHECK_EQ(old.lost()->to, 3);
  CHECK_EQ(old.waiting().size(), 2);
}

TEST_CASE("a loss is forgotten once something later was received") {
  ByteLedger ledger;
  auto inbox = filled(ledger, 5, {.count_max = 2});
  inbox.received(3);
  CHECK_FALSE(inbox.lost().has_value());
  CHECK_EQ(inbox.waiting().size(), 2);
}

TEST_CASE("the ledger has what waits, by sender, whether it was received, displaced or too old") {
  ByteLedger ledger;
  const UserId alice{"alice"}, carol{"carol"};
  auto inbox = filled(ledger, 5, {.count_max = 4, .age_max = 10s});  // of alice, carol, alice, carol, alice
  auto other = filled(ledger, 1);
  CHECK_EQ(ledger.bytes(), 25);
  CHECK_EQ(ledger.bytes_of(alice), 15);
  CHECK_EQ(ledger.bytes_of(carol), 10);
  inbox.received(2);
  CHECK_EQ(ledger.bytes_of(carol), 5);
  inbox.expire(base::Instant{} + 13s);
  CHECK_EQ(ledger.bytes_of(carol), 0);
  CHECK_EQ(ledger.bytes(), 10);
  inbox.received(5);
  other.received(1);
  CHECK_EQ(ledger.bytes(), 0);
  CHECK_EQ(ledger.bytes_of(alice), 0);
}

TEST_CASE("an idle user's inbox holds nothing") {
  ByteLedger ledger;
  auto inbox = filled(ledger, 1);
  CHECK_FALSE(inbox.is_idle());
  inbox.received(1);
  CHECK(inbox.is_idle());
}

}  // namespace
}  // namespace troupe::realtime
