// How dear a password's hash shall be on this machine: as many passes over the memory as take about the time that an
// operator grants, and never fewer than a minimum (RFC 9106, section 4, and OWASP's cheat sheet).
#pragma once

#include <chrono>
#include <functional>

#include "troupe/crypto/password.h"

namespace troupe::crypto {

/// The processor's time that `work` takes on the calling thread. What other threads do meanwhile does not count.
std::chrono::nanoseconds processor_time(const std::function<void()>& work);

/// That of one hash at this cost, which blocks for so long. For one lane.
std::chrono::nanoseconds time_of_hash(const PasswordCost& cost);

/// `minimum` with as many passes as take about `target`: at least its own, at most 64. `time_of` is asked three times
/// and the shortest answer counts: what disturbs a measurement makes it longer.
PasswordCost calibrated(const PasswordCost& minimum, std::chrono::nanoseconds target,
                        const std::function<std::chrono::nanoseconds(const PasswordCost&)>& time_of);

}  // namespace troupe::crypto
