// SmallMap: the same to its user whether few entries stand in it or many.
#include "troupe/realtime/topic/small_map.h"

#include <doctest/doctest.h>

#include <string>

#include "troupe/base/random.h"

namespace troupe::realtime {
namespace {

using Map = SmallMap<std::string, int>;

TEST_CASE("a small map does what a map does, with few entries and with many") {
  base::SeededRandom random{11};
  for (std::uint64_t keys : {3, 8, 9, 40}) {
    CAPTURE(keys);
    Map small;
    std::map<std::string, int> plain;
    for (int step = 0; step < 2000; ++step) {
      auto key = std::to_string(random.below(keys));
      switch (random.below(3)) {
        case 0:
          CHECK_EQ(small.try_emplace(key, step).second, plain.try_emplace(key, step).second);
          break;
        case 1:
          small.insert_or_assign(key, step);
          plain.insert_or_assign(key, step);
          break;
        default:
          CHECK_EQ(small.erase(key), plain.erase(key) > 0);
      }
      CHECK_EQ(small.size(), plain.size());
      CHECK_EQ(small.contains(key), plain.contains(key));
    }
    std::map<std::string, int> seen;
    std::string last;
    Map{small}.for_each([&](const std::string& name, int value) {
      CHECK(last < name);
      last = name;
      seen.emplace(name, value);
    });
    CHECK(seen == plain);
  }
}

TEST_CASE("one entry of a small map takes one block, and none takes none") {
  static_assert(sizeof(Map) <= 4 * sizeof(void*));
  Map map;
  map.insert_or_assign("a", 1);
  CHECK(map.erase("a"));
  CHECK_FALSE(map.erase("a"));
  CHECK(map.empty());
  CHECK_FALSE(map.any_key([](const std::string&) { return true; }));
}

}  // namespace
}  // namespace troupe::realtime
