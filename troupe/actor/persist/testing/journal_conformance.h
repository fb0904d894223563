// The contract of a journal as tests; every implementation passes them, from its own test file.
//
//   TEST_CASE("the memory journal is a journal") {
//     test::journal_conforms([](test::World& world) -> std::shared_ptr<Journal> { ... });
//   }
//
// The factory gives an empty journal that lives in the world, anew for each part of the contract.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>

#include "troupe/actor/persist/journal.h"
#include "troupe/actor/sim/world.h"

namespace troupe::actor::test {

using MakeJournal = std::function<std::shared_ptr<Journal>(World&)>;

/// A journal in a world of its own, whose calls are waited for.
class JournalBench {
 public:
  JournalBench(const MakeJournal& make, Seed seed) : world(seed), journal(make(world)) {}

  std::optional<Head> find(const std::string& id) { return world.block_on(journal->find(PersistenceId{id})); }
  Head activate(const std::string& id) { return world.block_on(journal->activate(PersistenceId{id})); }
  std::expected<Sequence, Refusal> append(const std::string& id, Head head, std::vector<Record> events) {
    return world.block_on(journal->append(PersistenceId{id}, head, std::move(events)));
  }
  std::vector<StoredEvent> read(const std::string& id, Sequence after = 0, std::size_t count_max = 1000) {
    return world.block_on(journal->read(PersistenceId{id}, after, count_max));
  }
  std::expected<void, Refusal> save(const std::string& id, Head head, Record state, std::size_t keep) {
    return world.block_on(journal->save(PersistenceId{id}, head, std::move(state), keep));
  }
  std::optional<Snapshot> load(const std::string& id, Sequence at_most = INT64_MAX) {
    return world.block_on(journal->load(PersistenceId{id}, at_most));
  }
  std::expected<std::size_t, Refusal> trim(const std::string& id, Head head, Sequence up_to,
                                           std::size_t count_max = 1000) {
    return world.block_on(journal->trim(PersistenceId{id}, head, up_to, count_max));
  }
  std::vector<PersistenceId> entities(const std::string& after, std::size_t count_max) {
    return world.block_on(journal->entities(PersistenceId{after}, count_max));
  }
  /// Appends without waiting; what came of it is noted in `results` later.
  using Results = std::vector<std::expected<Sequence, Refusal>>;
  void append_at_once(const std::string& id, Head head, Record event, Results& results) {
    world.system().run_as_guest(
        [](std::shared_ptr<Journal> to, PersistenceId entity, Head at, Record one, Results& out) -> Task<void> {
          auto result = co_await to->append(std::move(entity), at, {std::move(one)});
          out.push_back(std::move(result));
        }(journal, PersistenceId{id}, head, std::move(event), results));
  }

  World world;
  std::shared_ptr<Journal> journal;
};

inline Record record(std::string bytes, std::string name = "Noted", int version = 1) {
  return {.name = std::move(name), .version = version, .bytes = std::move(bytes)};
}

namespace conformance {

inline void events_in_order(JournalBench& bench) {
  const Head head = bench.activate("Note/a");
  CHECK_EQ(head.sequence, 0);
  CHECK_EQ(bench.append("Note/a", head, {record("1"), record("2", "Other", 7)}).value(), 2);
  CHECK_EQ(bench.append("Note/a", {head.epoch, 2}, {record("3")}).value(), 3);
  const auto all = bench.read("Note/a");
  const std::vector<StoredEvent> expected{{1, record("1")}, {2, record("2", "Other", 7)}, {3, record("3")}};
  CHECK(all == expected);
  CHECK(bench.read("Note/a", 1, 1) == std::vector<StoredEvent>{{2, record("2", "Other", 7)}});
  CHECK(bench.read("Note/a", 3).empty());
  CHECK(bench.read("Note/b").empty());
  CHECK(bench.find("Note/a") == Head{head.epoch, 3});
  CHECK_EQ(bench.activate("Note/a").sequence, 3);
}

inline void nobody_activated(JournalBench& bench) {
  CHECK(bench.append("Note/a", {.epoch = 0}, {record("1")}).error().why == Refused::rejected);
  CHECK(bench.append("Note/a", {.epoch = 1}, {record("1")}).error().why == Refused::rejected);
  CHECK(bench.save("Note/a", {.epoch = 1}, record("s"), 1).error().why == Refused::rejected);
  CHECK(bench.read("Note/a").empty());
  CHECK_FALSE(bench.load("Note/a").has_value());
  CHECK_FALSE(bench.find("Note/a").has_value());
  CHECK(bench.world.block_on(bench.journal->entities({}, 10)).empty());  // to look for it makes none
}

inline void rejected_whole(JournalBench& bench) {
  const Head head = bench.activate("Note/a");
  const Record huge = record(std::string(event_bytes_max + 1, 'x'));
  CHECK(bench.append("Note/a", head, {record("1"), huge}).error().why == Refused::rejected);
  CHECK(bench.append("Note/a", head, {}).error().why == Refused::rejected);
  CHECK(bench.save("Note/a", head, record(std::string(state_bytes_max + 1, 'x')), 1).error().why == Refused::rejected);
  CHECK(bench.read("Note/a").empty());
  CHECK_EQ(bench.append("Note/a", head, {record(std::string(event_bytes_max, 'x'))}).value(), 1);
}

inline void older_activation_is_fenced(JournalBench& bench) {
  const Head older = bench.activate("Note/a");
  REQUIRE(bench.append("Note/a", older, {record("1")}).has_value());
  const Head newer = bench.activate("Note/a");
  CHECK_GT(newer.epoch, older.epoch);
  CHECK_EQ(newer.sequence, 1);
  CHECK(bench.append("Note/a", {older.epoch, 1}, {record("late")}).error().why == Refused::fenced);
  CHECK(bench.append("Note/a", older, {record("later")}).error().why == Refused::fenced);
  CHECK(bench.save("Note/a", {older.epoch, 1}, record("late"), 1).error().why == Refused::fenced);
  CHECK_FALSE(bench.load("Note/a").has_value());
  CHECK_EQ(bench.append("Note/a", newer, {record("2")}).value(), 2);
  CHECK_EQ(bench.read("Note/a").size(), 2);
}

inline void wrong_end_is_a_conflict(JournalBench& bench) {
  const Head head = bench.activate("Note/a");
  REQUIRE(bench.append("Note/a", head, {record("1")}).has_value());
  CHECK(bench.append("Note/a", head, {record("again")}).error().why == Refused::conflict);
  CHECK(bench.append("Note/a", {head.epoch, 2}, {record("ahead")}).error().why == Refused::conflict);
  CHECK(bench.save("Note/a", head, record("s"), 1).error().why == Refused::conflict);
  CHECK(bench.read("Note/a") == std::vector<StoredEvent>{{1, record("1")}});
}

inline void one_of_many_at_once(JournalBench& bench) {
  const Head a = bench.activate("Note/a");
  JournalBench::Results of_a;
  JournalBench::Results of_others;
  for (int i = 0; i < 10; ++i) {
    const Head other = bench.activate("Note/" + std::to_string(i));
    bench.append_at_once("Note/a", a, record("a"), of_a);
    bench.append_at_once("Note/" + std::to_string(i), other, record("other"), of_others);
  }
  bench.world.advance(std::chrono::seconds{20});
  REQUIRE_EQ(of_a.size(), 10);
  CHECK_EQ(std::ranges::count_if(of_a, [](const auto& result) { return result.has_value(); }), 1);
  CHECK_EQ(bench.read("Note/a").size(), 1);
  // Those of the other entities shared transactions with the conflicts, where there are such.
  REQUIRE_EQ(of_others.size(), 10);
  CHECK(std::ranges::all_of(of_others, [](const auto& result) { return result == Sequence{1}; }));
}

inline void snapshots(JournalBench& bench) {
  Head head = bench.activate("Note/a");
  CHECK_FALSE(bench.load("Note/a").has_value());
  for (; head.sequence < 4; ++head.sequence) {
    CHECK(bench.save("Note/a", head, record("state " + std::to_string(head.sequence)), 3).has_value());
    REQUIRE(bench.append("Note/a", head, {record("e")}).has_value());
  }
  CHECK(bench.load("Note/a") == Snapshot{3, record("state 3")});
  CHECK(bench.load("Note/a", 2) == Snapshot{2, record("state 2")});
  CHECK(bench.load("Note/a", 1) == Snapshot{1, record("state 1")});
  CHECK_FALSE(bench.load("Note/a", 0).has_value());  // three are kept
  CHECK(bench.save("Note/a", head, record("first", "S", 2), 1).has_value());
  CHECK(bench.save("Note/a", head, record("second", "S", 3), 1).has_value());
  CHECK(bench.load("Note/a") == Snapshot{4, record("second", "S", 3)});
  CHECK_FALSE(bench.load("Note/a", 3).has_value());
  CHECK_FALSE(bench.load("Note/b").has_value());
}

inline void any_bytes(JournalBench& bench) {
  const std::string odd{"\0\xff\n'\"%", 6};
  for (const std::string& id : {std::string{"Note/O'Hara; --"}, std::string{"note/a"}, std::string{"Note/a"}}) {
    const Head head = bench.activate(id);
    CHECK_EQ(head.sequence, 0);
    CHECK(bench.append(id, head, {record(odd), record(""), record(id)}).has_value());
    CHECK(bench.save(id, {head.epoch, 3}, record(odd + id), 1).has_value());
    CHECK(bench.read(id) == std::vector<StoredEvent>{{1, record(odd)}, {2, record("")}, {3, record(id)}});
    CHECK(bench.load(id) == Snapshot{3, record(odd + id)});
  }
}

inline void pages_are_bounded(JournalBench& bench) {
  Head head = bench.activate("Note/a");
  for (; head.sequence < 6; ++head.sequence) {
    REQUIRE(bench.append("Note/a", head, {record(std::string(400 * 1024, 'x'))}).has_value());
  }
  std::size_t seen = 0;
  for (auto page = bench.read("Note/a"); !page.empty(); page = bench.read("Note/a", page.back().sequence)) {
    CHECK_LE(page.size(), 3);
    seen += page.size();
  }
  CHECK_EQ(seen, 6);
}

inline void old_events_are_forgotten(JournalBench& bench) {
  Head head = bench.activate("Note/a");
  CHECK_EQ(bench.trim("Note/a", head, 5).value(), 0);
  head.sequence = bench.append("Note/a", head, {record("1"), record("2"), record("3"), record("4")}).value();
  CHECK_EQ(bench.trim("Note/a", head, 3, 2).value(), 2);
  CHECK(bench.read("Note/a") == std::vector<StoredEvent>{{3, record("3")}, {4, record("4")}});
  CHECK(bench.read("Note/a", 3) == std::vector<StoredEvent>{{4, record("4")}});
  CHECK_EQ(bench.trim("Note/a", head, 3).value(), 1);
  CHECK(bench.trim("Note/a", {head.epoch - 1, 4}, 4).error().why == Refused::fenced);
  CHECK(bench.trim("Note/a", {head.epoch, 3}, 4).error().why == Refused::conflict);
  CHECK_EQ(bench.trim("Note/a", head, 99).value(), 1);
  CHECK(bench.read("Note/a").empty());
  CHECK_EQ(bench.activate("Note/a").sequence, 4);  // the numbers go on
  CHECK_EQ(bench.append("Note/a", {head.epoch + 1, 4}, {record("5")}).value(), 5);
  CHECK(bench.read("Note/a") == std::vector<StoredEvent>{{5, record("5")}});
}

inline void entities_by_name(JournalBench& bench) {
  for (const char* id : {"b", "a", "c"}) bench.activate(id);
  using Names = std::vector<PersistenceId>;
  CHECK(bench.entities("", 2) == Names{PersistenceId{"a"}, PersistenceId{"b"}});
  CHECK(bench.entities("b", 2) == Names{PersistenceId{"c"}});
  CHECK(bench.entities("c", 2).empty());
}

inline std::vector<StoredEvent> without_first(const std::vector<StoredEvent>& events, Sequence up_to) {
  return {std::ranges::upper_bound(events, up_to, {}, &StoredEvent::sequence), events.end()};
}

/// Random calls beside the simplest journal there is.
inline void behaves_like_a_list(JournalBench& bench) {
  base::SeededRandom random{bench.world.random().next()};
  Head actual;
  std::vector<StoredEvent> events;
  for (int step = 0; step < 200; ++step) {
    const Head claimed{actual.epoch - (random.below(8) == 0 ? 1 : 0),
                       actual.sequence - static_cast<Sequence>(random.below(8) == 0 ? 1 : 0)};
    if (step == 0 || random.below(10) == 0) {
      actual = {actual.epoch + 1, actual.sequence};
      CHECK(bench.activate("Note/a") == actual);
    } else if (random.below(3) > 0) {
      std::vector<Record> more(1 + random.below(3), record(std::to_string(step)));
      const auto result = bench.append("Note/a", claimed, more);
      CHECK_EQ(result.has_value(), claimed == actual);
      if (claimed != actual) continue;
      for (const Record& one : more) events.push_back({++actual.sequence, one});
    } else if (const auto point = static_cast<Sequence>(random.below(static_cast<std::uint64_t>(actual.sequence) + 1));
               random.below(4) > 0) {
      CHECK(bench.read("Note/a", point) == without_first(events, point));
    } else {
      const auto trimmed = bench.trim("Note/a", claimed, point, 5);
      CHECK_EQ(trimmed.has_value(), claimed == actual);
      if (claimed != actual) continue;
      const auto left = without_first(events, point);
      CHECK_EQ(*trimmed, std::min<std::size_t>(events.size() - left.size(), 5));
      events.erase(events.begin(), events.begin() + static_cast<std::ptrdiff_t>(*trimmed));
    }
  }
}

}  // namespace conformance

/// All of the contract.
inline void journal_conforms(const MakeJournal& make) {
  constexpr std::pair<const char*, void (*)(JournalBench&)> parts[] = {
      {"events come back in order, after any sequence, in pages", conformance::events_in_order},
      {"what nobody has activated takes nothing and holds nothing", conformance::nobody_activated},
      {"what is rejected is rejected whole", conformance::rejected_whole},
      {"a newer activation fences the older one", conformance::older_activation_is_fenced},
      {"an append that expects another end is a conflict", conformance::wrong_end_is_a_conflict},
      {"of many appends at once one is done, and conflicts spoil no other", conformance::one_of_many_at_once},
      {"the newest snapshots are kept", conformance::snapshots},
      {"names and bytes may be anything", conformance::any_bytes},
      {"a page is bounded in bytes", conformance::pages_are_bounded},
      {"old events are forgotten, and numbers go on", conformance::old_events_are_forgotten},
      {"entities are listed by name", conformance::entities_by_name},
      {"whatever is called, it behaves like a list with an epoch", conformance::behaves_like_a_list},
  };
  std::uint64_t seed = 1;
  for (const auto& [what, check] : parts) {
    INFO(what);
    JournalBench bench{make, seed++};
    check(bench);
  }
}

}  // namespace troupe::actor::test
