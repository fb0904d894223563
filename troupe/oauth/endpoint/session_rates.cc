// See session_rates.h.
#include "troupe/oauth/endpoint/session_rates.h"

#include <algorithm>

namespace troupe::oauth {
namespace {

constexpr std::size_t sessions_max = 50'000;  // about 10 MB; past it newcomers share a bucket

}  // namespace

SessionRates::SessionRates(double codes_per_minute) {
  if (codes_per_minute <= 0) return;
  by_session_.emplace(web::RateLimit{.per_second = codes_per_minute / 60, .burst = std::max(codes_per_minute, 1.0)},
                      sessions_max);
}

std::expected<void, OauthError> SessionRates::take(const SessionId& session, base::Instant now) {
  if (!by_session_) return {};
  const auto wait = by_session_->take(session.value(), now);
  if (!wait) return {};
  return std::unexpected(errors::too_many_requests.after(std::chrono::ceil<std::chrono::seconds>(*wait)));
}

}  // namespace troupe::oauth
