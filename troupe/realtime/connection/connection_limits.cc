// Connection: what it may send, alone and together with others, and whether its user has a place.
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

actor::Task<bool> Connection::admit(UserId user, OptionalId id) {
  if (welcomed_) co_return true;
  if (rare_ != nullptr) rare_->user_lease.reset();  // of a command that failed before it came to an end
  auto lease = co_await site_->door.ask(AdmitUser{std::move(user)});
  if (lease) {
    make_rare().user_lease = *std::move(lease);
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
