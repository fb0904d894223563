// The budget of refusals: bounded in each second, and none goes untold.
#include "troupe/oauth/actor/refusal_budget.h"

#include <doctest/doctest.h>

namespace troupe::oauth {
namespace {

using namespace std::chrono_literals;

TEST_CASE("of many refusals some are noted in each second, and the next one tells of the others") {
  RefusalBudget budget;
  base::Instant now = base::Instant{} + 5s;
  int noted = 0;
  for (int i = 0; i < 100; ++i) noted += budget.note("wrong_secret", now) == "wrong_secret" ? 1 : 0;
  CHECK_EQ(noted, RefusalBudget::noted_in_a_second);
  CHECK_EQ(budget.unnoted(), 90);
  now = now + 999ms;
  CHECK_FALSE(budget.note("wrong_secret", now));
  now = now + 1ms;
  CHECK_EQ(budget.note("unknown_client", now), "unknown_client (after 91 refusals that were only counted)");
  CHECK_EQ(budget.note("unknown_client", now), "unknown_client");
}

}  // namespace
}  // namespace troupe::oauth
