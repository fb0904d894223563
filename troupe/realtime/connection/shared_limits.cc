// See shared_limits.h.
#include "troupe/realtime/connection/shared_limits.h"

#include <fmt/format.h>

namespace troupe::realtime {

std::optional<ClientError> over_shared_rates(const ConnectionOptions& options, SharedRate* user, SharedRate& address,
                                             std::size_t bytes, base::Instant now) {
  auto error = [](const Excess& excess, std::string_view whose) {
    return ClientError{
        ErrorCode::rate_limited,
        fmt::format("too many {} a second {}", excess.of == Excess::Of::frames ? "frames" : "bytes", whose),
        std::chrono::ceil<std::chrono::milliseconds>(excess.wait)};
  };
  if (user != nullptr) {
    if (auto excess = user->take(options.user, bytes, now)) return error(*excess, "of this user");
  }
  if (auto excess = address.take(options.address, bytes, now)) return error(*excess, "from this address");
  return std::nullopt;
}

}  // namespace troupe::realtime
