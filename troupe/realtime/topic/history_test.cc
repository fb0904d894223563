// History: what is kept, what can be read and recovered, held against a vector of all that was ever published.
#include "troupe/realtime/topic/history.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

namespace troupe::realtime {
namespace {

using namespace std::chrono_literals;

EncodedMessage message(std::size_t bytes) { return {base::Bytes{std::string(bytes, 'x')}, {}, PayloadKind::json}; }

History filled(Offset count, HistoryLimits limits = {}) {
  History history{Epoch{"e"}, limits};
  for (Offset offset = 1; offset <= count; ++offset) history.append(offset * 10, {}, {}, message(1));
  return history;
}

std::vector<Offset> offsets(const std::vector<KeptMessage>& items) {
  std::vector<Offset> found;
  for (const auto& item : items) found.push_back(item.offset);
  return found;
}

using Offsets = std::vector<Offset>;

TEST_CASE("a new topic stands at offset 0 of its epoch, and recovery from there is complete") {
  History history{Epoch{"e"}, {}};
  CHECK_EQ(history.top(), Position{Epoch{"e"}, 0});
  REQUIRE(history.recover({Epoch{"e"}, 0}).has_value());
  CHECK(history.recover({Epoch{"e"}, 0})->empty());
  CHECK(history.newest(5).complete);
  CHECK(history.since({Epoch{"e"}, 0}, 5).complete);
  CHECK(history.before({Epoch{"e"}, 1}, 5).complete);
}

TEST_CASE("recovery is complete or refused") {
  auto history = filled(10, {.count_max = 4});  // keeps 7 to 10
  auto recovered = [&](Offset offset, std::string epoch = "e") { return history.recover({Epoch{epoch}, offset}); };
  CHECK_EQ(offsets(*recovered(6)), Offsets{7, 8, 9, 10});
  CHECK_EQ(offsets(*recovered(9)), Offsets{10});
  CHECK_EQ(offsets(*recovered(10)), Offsets{});
  CHECK_FALSE(recovered(5).has_value());
  CHECK_FALSE(recovered(0).has_value());
  CHECK_FALSE(recovered(11).has_value());
  CHECK_FALSE(recovered(8, "other").has_value());
  CHECK_EQ(history.dropped_seq(), 60);
}

TEST_CASE("how far a topic is in its shard's stream is not forgotten for messages of the disk, which are not in it") {
  auto history = filled(3);
  history.restart(Epoch{"disk"}, 7);
  for (int i = 0; i < 2; ++i) history.append(0, {}, {}, message(1));
  CHECK_EQ(history.dropped_seq(), 30);
  CHECK_EQ(history.last_seq(), 30);
  history.append(90, {}, {}, message(1));
  history.drop_oldest();
  CHECK_EQ(history.dropped_seq(), 30);
  CHECK_EQ(history.last_seq(), 90);
}

TEST_CASE("the position outlives the messages") {
  auto history = filled(3, {.age_max = 10s});
  history.expire(base::Instant{} + 10s);
  CHECK_EQ(history.count(), 0);
  CHECK_EQ(history.bytes(), 0);
  CHECK_EQ(history.top().offset, 3);
  CHECK(history.recover({Epoch{"e"}, 3}).has_value());
  CHECK_FALSE(history.recover({Epoch{"e"}, 2}).has_value());
}

TEST_CASE("bytes bound what is kept, and a message larger than the bound is not kept at all") {
  History history{Epoch{"e"}, {.bytes_max = 100}};
  for (int i = 0; i < 5; ++i) history.append(1, {}, {}, message(30));
  CHECK_EQ(history.count(), 3);
  history.append(1, {}, {}, message(101));
  CHECK_EQ(history.count(), 0);
  CHECK_EQ(history.top().offset, 6);
}

TEST_CASE("pages say whether something that was asked for is missing") {
  auto history = filled(10, {.count_max = 4});  // keeps 7 to 10
  auto check = [](const HistoryPage& page, const Offsets& expected, bool complete) {
    CHECK_EQ(offsets(page.items), expected);
    CHECK_EQ(page.complete, complete);
    CHECK_EQ(page.epoch, Epoch{"e"});
  };
  Epoch e{"e"};
  check(history.newest(2), {9, 10}, true);
  check(history.newest(4), {7, 8, 9, 10}, true);
  check(history.newest(5), {7, 8, 9, 10}, false);
  check(history.since({e, 8}, 5), {9, 10}, true);
  check(history.since({e, 6}, 2), {7, 8}, true);
  check(history.since({e, 5}, 2), {7, 8}, false);
  check(history.since({e, 10}, 2), {}, true);
  check(history.since({e, 11}, 2), {7, 8}, false);
  check(history.since({Epoch{"other"}, 9}, 2), {7, 8}, false);
  check(history.before({e, 10}, 2), {8, 9}, true);
  check(history.before({e, 9}, 5), {7, 8}, false);
  check(history.before({e, 7}, 5), {}, false);
  check(history.before({e, 11}, 1), {10}, true);
  check(history.before({e, 12}, 1), {}, false);
  check(history.before({e, 1}, 1), {}, true);
  check(history.before({e, 0}, 1), {}, false);
  check(history.before({Epoch{"other"}, 9}, 1), {}, false);
}

TEST_CASE("when the offsets of an epoch are spent, another begins") {
  auto history = filled(3);
  history.restart(Epoch{"f"});
  CHECK_EQ(history.top(), Position{Epoch{"f"}, 0});
  CHECK_FALSE(history.recover({Epoch{"e"}, 3}).has_value());
  history.append(40, {}, {}, message(1));
  CHECK_EQ(offsets(*history.recover({Epoch{"f"}, 0})), Offsets{1});
}

TEST_CASE("under any bounds and times, what is read is a piece of what was published, and complete means complete") {
  CHECK(rc::check("the history equals the model", [] {
    HistoryLimits limits{.count_max = *rc::gen::inRange<std::size_t>(1, 8),
                         .bytes_max = *rc::gen::inRange<std::size_t>(1, 60),
                         .age_max = 10s};
    History history{Epoch{"e"}, limits};
    std::vector<std::pair<std::size_t, base::Instant>> all;  // size and time of every publication
    base::Instant now;
    for (int step = *rc::gen::inRange(0, 40); step > 0; --step) {
      now = now + std::chrono::seconds{*rc::gen::inRange(0, 4)};
      auto bytes = *rc::gen::inRange<std::size_t>(0, 20);
      all.emplace_back(bytes, now);
      history.append(all.size(), {}, now, message(bytes));
    }
    // The longest tail that keeps within all three bounds.
    std::size_t kept = 0, total = 0;
    while (kept < all.size() && kept < limits.count_max) {
      const auto& [bytes, time] = all[all.size() - 1 - kept];
      if (total + bytes > limits.bytes_max || time + limits.age_max <= now) break;
      total += bytes;
      ++kept;
    }
    RC_ASSERT(history.count() == kept);
    RC_ASSERT(history.bytes() == total);
    for (Offset from = 0; from <= all.size() + 1; ++from) {
      auto recovered = history.recover({Epoch{"e"}, from});
      RC_ASSERT(recovered.has_value() == (from <= all.size() && from + kept >= all.size()));
      if (!recovered) continue;
      RC_ASSERT(recovered->size() == all.size() - from);
      for (std::size_t i = 0; i < recovered->size(); ++i) RC_ASSERT((*recovered)[i].offset == from + 1 + i);
    }
  }));
}

}  // namespace
}  // namespace troupe::realtime
