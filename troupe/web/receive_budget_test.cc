// What connections of a core hold of what has not come whole is bounded together, and who is honest finds room.
#include "troupe/web/receive_budget.h"

#include <doctest/doctest.h>

namespace troupe::web {
namespace {

constexpr std::size_t some = 100 * 1024;

struct Connection final : ReceiveBudget::Holder {
  explicit Connection(const base::LocalRef<ReceiveBudget>& budget) : share(budget) {}
  void hold(std::size_t bytes) { share.hold(*this, bytes); }
  void give_up_received() override {
    gave_up = true;
    share.hold(*this, 0);  // who closes says so again
  }

  bool gave_up = false;
  ReceiveBudget::Share share;
};

TEST_CASE("past the bound the connection goes that has held for the longest") {
  const auto budget = base::make_local<ReceiveBudget>(2 * some);
  Connection first{budget}, second{budget}, third{budget};
  first.hold(some);
  second.hold(some);
  first.hold(some);  // it has not begun anew
  CHECK_EQ(budget->bytes(), 2 * some);
  third.hold(some);
  CHECK(first.gave_up);
  CHECK_FALSE(second.gave_up);
  CHECK_FALSE(third.gave_up);
  CHECK_EQ(budget->bytes(), 2 * some);
}

TEST_CASE("one that holds more than all may goes itself, when no other is left") {
  const auto budget = base::make_local<ReceiveBudget>(2 * some);
  Connection other{budget}, greedy{budget};
  other.hold(some);
  greedy.hold(3 * some);
  CHECK(other.gave_up);
  CHECK(greedy.gave_up);
  CHECK_EQ(budget->bytes(), 0);
}

TEST_CASE("what was taken whole, is little, or went with its connection counts no more") {
  const auto budget = base::make_local<ReceiveBudget>(2 * some);
  Connection stays{budget};
  stays.hold(some);
  stays.hold(ReceiveBudget::free_bytes);
  CHECK_EQ(budget->bytes(), 0);
  {
    Connection gone{budget};
    gone.hold(2 * some);
    CHECK_EQ(budget->bytes(), 2 * some);
  }
  CHECK_EQ(budget->bytes(), 0);
  stays.hold(2 * some);
  CHECK_FALSE(stays.gave_up);
}

}  // namespace
}  // namespace troupe::web
