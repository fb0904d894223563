// What connections and requests that have a user or an address in common may send together.
//
// What many share closes no connection: what is over is refused, and may come again later.
#pragma once

#include <cstddef>
#include <optional>

#include "troupe/realtime/connection/options.h"
#include "troupe/realtime/connection/shared_rate.h"
#include "troupe/realtime/protocol/error.h"

namespace troupe::realtime {

/// Counts `bytes` that came as one frame or request; past a limit says which. `user`: null where nobody has shown a
/// token. The user's rate is asked first, so that a user who sends too much takes nothing from the others behind his
/// address.
std::optional<ClientError> over_shared_rates(const ConnectionOptions& options, SharedRate* user, SharedRate& address,
                                             std::size_t bytes, base::Instant now);

}  // namespace troupe::realtime
