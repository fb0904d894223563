// Session: what of a client outlives its socket: whose it is, and what it is subscribed to.
//
// Plain data. The id is a secret of its client: who has it, and is the same user, may go on
// where the last socket ended. It appears in nothing that others get to see.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "troupe/base/clock.h"
#include "troupe/realtime/protocol/overflow.h"
#include "troupe/realtime/protocol/topic_name.h"
#include "troupe/realtime/topic/small_map.h"

namespace troupe::realtime {

/// A subscription's part in the presence of its topic.
enum class PresencePart : std::uint8_t {
  none,     // a pattern, or where presence is off
  counted,  // its user is there
  told,     // and is told who else comes and goes
};

/// How a topic or pattern was subscribed to.
struct SubscriptionOptions {
  std::optional<Overflow> overflow{};  // none: the namespace's own
  PresencePart presence = PresencePart::none;

  friend bool operator==(const SubscriptionOptions&, const SubscriptionOptions&) = default;
};

using SubscriptionMap = SmallMap<TopicPattern, SubscriptionOptions>;

/// Of sessions whose socket has vanished: how long they wait for the next one, and how many may.
struct SessionsOptions {
  base::Duration session_time = std::chrono::seconds{60};  // a phone in a tunnel; zero: none outlives its socket
  std::size_t parked_max = 100'000;                        // on one core; more: the longest parked go
  std::size_t parked_subscriptions_max = 200'000;          // of all of these together; a kilobyte each at worst
  std::size_t parked_by_user_max = 16;                     // on one core; a person has a few devices and tabs
};

}  // namespace troupe::realtime
