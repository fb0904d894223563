// What connections of a core hold of what has not come whole is bounded together, and who is honest finds room.
#include "troupe/web/receive_budget.h"

#include <doctest/doctest.h>

namespace troupe::web {
namespace {

constexpr std::size_t some = 100 * 1024;

struct Connection final : ReceiveBudget::Holder {
  explicit Connection(const std::shared_ptr<ReceiveBudget>& budget) : share(budget, *this) {}
  void give_up_received() override { gave_up = true; }

  bool gave_up = false;
  ReceiveBudget::Share share;
};

TEST_CASE("past the bound the connection goes that has held for the longest") {
  const auto budget = std::make_shared<ReceiveBudget>(2 * some);
  Connection first{budget}, second{budget}, third{budget};
  first.share.hold(some);
  second.share.hold(some);
  first.share.hold(some);  // it has not begun anew
  CHECK_EQ(budget->bytes(), 2 * some);
  third.share.hold(some);
  CHECK(first.gave_up);
  CHECK_FALSE(second.gave_up);
  CHECK_FALSE(third.gave_up);
  CHECK_EQ(budget->bytes(), 2 * some);
}

TEST_CASE("one that holds more than all may goes itself, when no other is left") {
  const auto budget = std::make_shared<ReceiveBudget>(2 * some);
  Connection other{budget}, greedy{budget};
  other.share.hold(some);
  greedy.share.hold(3 * some);
  CHECK(other.gave_up);
  CHECK(greedy.gave_up);
  CHECK_EQ(budget->bytes(), 0);
}

TEST_CASE("what was taken whole, is little, or went with its connection counts no more") {
  const auto budget = std::make_shared<ReceiveBudget>(2 * some);
  Connection stays{budget};
  stays.share.hold(some);
  stays.share.hold(ReceiveBudget::free_bytes);
  CHECK_EQ(budget->bytes(), 0);
  {
    Connection gone{budget};
    gone.share.hold(2 * some);
    CHECK_EQ(budget->bytes(), 2 * some);
  }
  CHECK_EQ(budget->bytes(), 0);
  stays.share.hold(2 * some);
  CHECK_FALSE(stays.gave_up);
}

}  // namespace
}  // namespace troupe::web
