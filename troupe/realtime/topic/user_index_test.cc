// UserIndex: it finds every place of a hash, and none that was removed.
#include "troupe/realtime/topic/user_index.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "troupe/base/random.h"

namespace troupe::realtime {
namespace {

TEST_CASE("each place is found under its hash until it is removed, through growth and with hashes that collide") {
  base::SeededRandom random{11};
  constexpr std::size_t places = 300;
  for (std::size_t hashes : {1U, 7U, 1000U}) {
    CAPTURE(hashes);
    UserIndex index;
    std::vector<UserIndex::Place> next(places, UserIndex::none);
    std::vector<std::optional<std::size_t>> plain(places);
    const auto next_of = [&](UserIndex::Place place) -> UserIndex::Place& { return next[place]; };
    const auto hash_of = [&](UserIndex::Place place) { return *plain[place]; };
    for (int step = 0; step < 3000; ++step) {
      const auto place = static_cast<UserIndex::Place>(random.below(places));
      if (plain[place]) {
        index.remove(place, *plain[place], next_of);
        plain[place].reset();
      } else {
        plain[place] = random.below(hashes);
        index.add(place, next_of, hash_of);
      }
      const auto wanted = random.below(hashes);
      std::vector<UserIndex::Place> found, expected;
      index.for_each(wanted, next_of, [&](UserIndex::Place at) {
        if (hash_of(at) == wanted) found.push_back(at);  // others may share its chain
      });
      for (UserIndex::Place at = 0; at < places; ++at) {
        if (plain[at] == wanted) expected.push_back(at);
      }
      std::ranges::sort(found);
      REQUIRE_EQ(found, expected);
    }
  }
}

TEST_CASE("an index of nothing finds nothing") {
  UserIndex index;
  index.for_each(5, [](UserIndex::Place) { return UserIndex::none; }, [](UserIndex::Place) { FAIL("found"); });
}

}  // namespace
}  // namespace troupe::realtime
