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

TEST_CASE("a small map is read in pages, with few entries and with many") {
  for (int keys : {1, 2, 8, 20}) {
    CAPTURE(keys);
    Map map;
    for (int i = 0; i < keys; ++i) map.insert_or_assign(std::string(1, static_cast<char>('a' + i)), i);
    int seen = 0;
    for (std::string after; seen < keys;) {
      int page = 0;
      map.visit_after(after, [&](const std::string& name, int value) {
        CHECK_EQ(value, seen);
        ++seen;
        after = name;
        return ++page < 3;
      });
      REQUIRE_GT(page, 0);
    }
    map.visit_after("z", [&](const std::string&, int) { return ++seen, true; });
    CHECK_EQ(seen, keys);
  }
}

TEST_CASE("a small map has a place for one entry within itself, and none takes nothing else") {
  static_assert(sizeof(SmallMap<int, int>) == 2 * sizeof(void*));
  static_assert(sizeof(Map) == sizeof(std::pair<std::string, int>) + sizeof(void*));
  Map map;
  map.insert_or_assign("a", 1);
  CHECK(map.erase("a"));
  CHECK_FALSE(map.erase("a"));
  CHECK(map.empty());
  CHECK_FALSE(map.any_key([](const std::string&) { return true; }));
}

}  // namespace
}  // namespace troupe::realtime
