// See client_rates.h.
#include "troupe/oauth/endpoint/client_rates.h"

#include <algorithm>

namespace troupe::oauth {
namespace {

constexpr std::size_t clients_max = 50'000;  // about 10 MB; past it newcomers share a bucket

}  // namespace

ClientRates::ClientRates(web::RateLimit limit) {
  if (limit.per_second <= 0) return;
  if (limit.burst < 1) limit.burst = std::max(limit.per_second, 1.0);  // not said: those of a second
  by_client_.emplace(limit, clients_max);
}

std::expected<void, OauthError> ClientRates::take(const Client& client, base::Instant now) {
  if (!by_client_ || client.is_public()) return {};
  const auto wait = by_client_->take(client.id.value(), now);
  if (!wait) return {};
  return std::unexpected(errors::too_many_requests.after(std::chrono::ceil<std::chrono::seconds>(*wait)));
}

}  // namespace troupe::oauth
