// What a client did wrong, as a value that becomes its `error` frame; and the close codes
// of our own (RFC 6455 leaves 4000 to 4999 to applications).
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace troupe::realtime {

enum class ErrorCode : std::uint8_t {
  bad_request,
  unauthorized,
  forbidden,
  not_found,
  rate_limited,
  too_large,
  overloaded,
  internal,
};

inline std::string_view text(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::bad_request:
      return "bad_request";
    case ErrorCode::unauthorized:
      return "unauthorized";
    case ErrorCode::forbidden:
      return "forbidden";
    case ErrorCode::not_found:
      return "not_found";
    case ErrorCode::rate_limited:
      return "rate_limited";
    case ErrorCode::too_large:
      return "too_large";
    case ErrorCode::overloaded:
      return "overloaded";
    case ErrorCode::internal:
      return "internal";
  }
  return "internal";
}

/// An answer to the client's mistake; `message` is for the people who write clients.
struct ClientError {
  ErrorCode code = ErrorCode::bad_request;
  std::string message;
  std::optional<std::chrono::milliseconds> retry_after;
};

namespace close_codes {
inline constexpr std::uint16_t token_ended = 4001;  // expired or revoked
inline constexpr std::uint16_t heartbeat_lost = 4002;
inline constexpr std::uint16_t slow_consumer = 4003;
inline constexpr std::uint16_t replaced = 4004;
inline constexpr std::uint16_t idle = 4005;
inline constexpr std::uint16_t rate_limited = 4008;
}  // namespace close_codes

}  // namespace troupe::realtime
