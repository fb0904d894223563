// See refusal_budget.h.
#include "troupe/oauth/actor/refusal_budget.h"

#include <fmt/format.h>

#include <chrono>
#include <utility>

namespace troupe::oauth {

std::optional<std::string> RefusalBudget::note(std::string_view reason, base::Instant now) {
  if (now - window_ >= std::chrono::seconds{1}) {
    window_ = now;
    in_window_ = 0;
  }
  if (in_window_ == noted_in_a_second) {
    ++unnoted_;
    ++untold_;
    return std::nullopt;
  }
  ++in_window_;
  const std::int64_t untold = std::exchange(untold_, 0);
  if (untold == 0) return std::string{reason};
  return fmt::format("{} (after {} refusals that were only counted)", reason, untold);
}

}  // namespace troupe::oauth
