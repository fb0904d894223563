// ClientRates: how often a client that has proven itself may ask, where the configuration says so.
//
// Nobody else has a bucket: whoever names a client without its secret would empty it for the client, and made-up names
// would fill our memory. Those are slowed down by their address (web/guard.h). One for each core, which counts for
// itself.
#pragma once

#include <expected>
#include <optional>
#include <string>

#include "troupe/base/clock.h"
#include "troupe/oauth/model/client.h"
#include "troupe/oauth/model/errors.h"
#include "troupe/web/token_bucket.h"

namespace troupe::oauth {

class ClientRates {
 public:
  explicit ClientRates(web::RateLimit limit);

  /// Takes one request from what the client may ask. Errors: too_many_requests, with the time to wait.
  std::expected<void, OauthError> take(const Client& client, base::Instant now);

  /// How many buckets there are; bounded, and those that are full again go.
  std::size_t size() const noexcept { return by_client_ ? by_client_->size() : 0; }

 private:
  std::optional<web::TokenBuckets<std::string>> by_client_;  // none: no limit
};

}  // namespace troupe::oauth
