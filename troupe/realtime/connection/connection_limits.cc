// Connection: what it may send, alone and together with others, and whether its user has a place.
#include <fmt/format.h>

#include "troupe/realtime/connection/connection.h"

namespace troupe::realtime {

// Past its own rate a connection is closed.
bool Connection::within_rate(std::size_t bytes, base::Instant now) {
  auto wait = frames_.take(site_->options.frames, now);
  if (!wait) wait = bytes_.take(site_->options.bytes, now, static_cast<double>(bytes));
  if (!wait) return true;
  ++site_->figures.closed_rate_limited;
  ClientError error{ErrorCode::rate_limited, "too many frames or bytes a second",
                    std::chrono::ceil<std::chrono::milliseconds>(*wait)};
  answer(finished(error, std::optional<RequestId>{}));
  close(close_codes::rate_limited, "rate limit");
  return false;
}

// What many connections share closes none of them: the frame is refused, and may come again later. The user's rate is
// asked first, so that a user who sends too much takes nothing from the others behind his address.
std::optional<ClientError> Connection::over_shared_rates(std::size_t bytes, base::Instant now) {
  auto error = [](const Excess& excess, std::string_view whose) {
    return ClientError{
        ErrorCode::rate_limited,
        fmt::format("too many {} a second {}", excess.of == Excess::Of::frames ? "frames" : "bytes", whose),
        std::chrono::ceil<std::chrono::milliseconds>(excess.wait)};
  };
  if (user_rate_ != nullptr) {
    if (auto excess = user_rate_->take(site_->options.user, bytes, now)) return error(*excess, "of this user");
  }
  if (auto excess = address_rate_->take(site_->options.address, bytes, now)) {
    return error(*excess, "from this address");
  }
  return std::nullopt;
}

actor::Task<bool> Connection::admit(UserId user, OptionalId id) {
  if (is_open()) co_return true;
  user_lease_.reset();  // of a command that failed before it came to an end
  auto lease = co_await site_->door.ask(AdmitUser{std::move(user)});
  if (lease) {
    user_lease_ = *std::move(lease);
    co_return true;
  }
  if (lease.error().domain == AdmitRefusal::too_many_of_user) {
    answer(finished(ClientError{ErrorCode::overloaded, "too many connections of this user", {}}, id));
    close(close_codes::rate_limited, "too many connections of this user");
  } else {
    answer(finished(ClientError{ErrorCode::overloaded, "no place can be given now", std::chrono::seconds{1}}, id));
  }
  co_return false;
}

}  // namespace troupe::realtime
