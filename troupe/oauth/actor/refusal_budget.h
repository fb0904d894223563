// RefusalBudget: how many refusals of strangers become events of the audit trail.
//
// Whoever guesses secrets is refused as often as they like, and each event is a write to the disk:
// so only some in each second are noted, and the next one that is says how many were not.
// Owned by one actor.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "troupe/base/clock.h"

namespace troupe::oauth {

class RefusalBudget {
 public:
  static constexpr int noted_in_a_second = 10;  // by each actor: a million a day under attack, about 300 MB

  /// The reason to note for one more refusal, or nothing: it is only counted.
  std::optional<std::string> note(std::string_view reason, base::Instant now);

  /// How many were only counted, since the start.
  std::int64_t unnoted() const noexcept { return unnoted_; }

 private:
  base::Instant window_{};
  int in_window_ = 0;
  std::int64_t unnoted_ = 0;
  std::int64_t untold_ = 0;  // of those, since the last one that was noted
};

}  // namespace troupe::oauth
