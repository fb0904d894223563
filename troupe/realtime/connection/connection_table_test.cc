// ConnectionTable: found by its number and in the order of coming, whoever has left meanwhile.
#include "troupe/realtime/connection/connection_table.h"

#include <doctest/doctest.h>

#include <map>
#include <vector>

#include "troupe/base/random.h"

namespace troupe::realtime {
namespace {

struct One : base::LocallyOwned {
  explicit One(ConnectionNumber its_number) : number(its_number) {}
  ConnectionNumber number;
};

TEST_CASE("connections are found by number and read in pages, in the order in which they came") {
  base::SeededRandom random{5};
  ConnectionTable<One> table;
  std::map<ConnectionNumber, bool> there;
  for (ConnectionNumber next = 1; next <= 500; ++next) {
    table.add(next, base::make_local<One>(next));
    there[next] = true;
    while (random.below(2) == 0) {
      const auto number = 1 + random.below(next);
      table.erase(number);
      there.erase(number);
    }
    REQUIRE_EQ(table.size(), there.size());
    const auto asked = 1 + random.below(next);
    REQUIRE_EQ(table.find(asked) != nullptr, there.contains(asked));
  }
  std::vector<ConnectionNumber> seen, wanted;
  for (const auto& [number, is] : there) wanted.push_back(number);
  table.for_each([&](One& one) { seen.push_back(one.number); });
  CHECK(seen == wanted);
  seen.clear();
  for (bool more = true; more;) {
    std::size_t page = 0;
    table.visit_after(seen.empty() ? 0 : seen.back(), [&](One& one) {
      seen.push_back(one.number);
      return ++page < 7;
    });
    more = page == 7;
  }
  CHECK(seen == wanted);
}

}  // namespace
}  // namespace troupe::realtime
