// Events of other versions: what an older program recorded is read, what nobody can read is named.
#include "troupe/actor/persist/events.h"

#include <doctest/doctest.h>

#include "troupe/actor/persist/event_sourced.h"
#include "troupe/actor/persist/testing/journal_world.h"

using namespace troupe::actor;

namespace {

struct PriceBefore {
  std::int64_t cents = 0;
};
struct PriceThen {
  std::int64_t cents = 0;
  std::string currency;
  static constexpr int version = 2;
  using before = PriceBefore;
  static PriceThen upcast(PriceBefore old) { return {old.cents, "EUR"}; }
};
struct Price {
  std::string amount;
  static constexpr std::string_view event_name = "PriceChanged";
  static constexpr int version = 3;
  using before = PriceThen;
  static Price upcast(PriceThen old) { return {std::to_string(old.cents) + " " + old.currency}; }
};
struct Gap {
  static constexpr int version = 3;
  using before = PriceBefore;
  static Gap upcast(PriceBefore) { return {}; }
};
struct Bare {
  static constexpr int version = 2;
};
static_assert(detail::reads_all_versions<Price>());
static_assert(!detail::reads_all_versions<Gap>());
static_assert(!detail::reads_all_versions<Bare>());

struct Prices {
  std::vector<std::string> all;
  static constexpr int version = 2;
  struct before {
    std::int64_t count = 0;
  };
  static Prices upcast(before old) { return {std::vector<std::string>(static_cast<std::size_t>(old.count), "old")}; }
};
struct ListPrices {
  using reply = std::vector<std::string>;
};

class Product : public EventSourced<Prices, Events<Price>> {
 public:
  static Prices apply(Prices s, const Price& e) {
    s.all.push_back(e.amount);
    return s;
  }
  std::vector<std::string> handle(ListPrices) const { return state().all; }
};

using Bench = test::JournalWorld;

TEST_CASE("an event of any older version is read through its upcasts") {
  Bench bench{16};
  bench.record("Product/chair", {{"PriceChanged", 1, encode(PriceBefore{5})},
                                 {"PriceChanged", 2, encode(PriceThen{7, "CHF"})},
                                 {"PriceChanged", 3, encode(Price{"9 GBP"})}});
  auto chair = bench.spawn<Product>("chair");
  CHECK(bench.ask(chair, ListPrices{}).value() == std::vector<std::string>{"5 EUR", "7 CHF", "9 GBP"});
}

TEST_CASE("an event that cannot be read stops the replay, and the failure names it") {
  struct Row {
    Record record;
    std::string_view says;
  };
  const Row rows[] = {
      {{"PriceChanged", 4, encode(Price{"9"})},
       "Product/chair, event 2: PriceChanged version 4 cannot be read: this program knows versions up to 3"},
      {{"PriceChanged", 0, encode(Price{"9"})}, "PriceChanged version 0 cannot be read"},
      {{"PriceHidden", 1, ""}, "event 2: PriceHidden version 1 cannot be read: this actor has no such event"},
      {{"PriceChanged", 3, "garbage"}, "event 2: PriceChanged version 3 cannot be read: it ends too early"},
      {{"PriceChanged", 1, "\1\2\3"}, "event 2: PriceChanged version 1 cannot be read: it ends too early"},
  };
  for (const Row& row : rows) {
    Bench bench{17};
    bench.record("Product/chair", {{"PriceChanged", 3, encode(Price{"1"})}, row.record});
    auto chair = bench.spawn<Product>("chair");
    bench.world.run_until_idle();
    CHECK_MESSAGE(bench.reported(row.says), row.says);
    CHECK_FALSE(bench.ask(chair, ListPrices{}).has_value());
    bench.crash();  // the system has given up, so another one looks
    CHECK_EQ(bench.events("Product/chair").size(), 2);
  }
}

TEST_CASE("a snapshot of an older version is upcast; one that cannot be read is passed over") {
  struct Row {
    Record snapshot;
    std::vector<std::string> prices;
  };
  const std::vector<std::string> replayed{"1", "2"};
  const Row rows[] = {
      {{"Prices", 1, encode(Prices::before{1})}, {"old"}},
      {{"Prices", 2, encode(Prices{{"kept"}})}, {"kept"}},
      {{"Prices", 3, "from the future"}, replayed},
      {{"Prices", 2, "garbage"}, replayed},
      {{"Other", 1, ""}, replayed},
  };
  for (const Row& row : rows) {
    Bench bench{18};
    const Head head = bench.record("Product/chair",
                                   {{"PriceChanged", 3, encode(Price{"1"})}, {"PriceChanged", 3, encode(Price{"2"})}});
    REQUIRE(
        bench.world.block_on(bench.journal->save(PersistenceId{"Product/chair"}, head, row.snapshot, 2)).has_value());
    CHECK(bench.ask(bench.spawn<Product>("chair"), ListPrices{}).value() == row.prices);
  }
}

}  // namespace
