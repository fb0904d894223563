// SessionRates: how many authorization codes one signed-in browser may be given (RFC 6819, 4.4.1.11: a flood of them
// fills the store).
//
// Only a session that stands has a bucket, so made-up cookies fill nothing. One for each core, which counts for itself.
#pragma once

#include <expected>
#include <optional>
#include <string>

#include "troupe/base/clock.h"
#include "troupe/oauth/model/errors.h"
#include "troupe/oauth/model/ids.h"
#include "troupe/web/token_bucket.h"

namespace troupe::oauth {

class SessionRates {
 public:
  /// 0: no limit. So many may come at once after a silence, too.
  explicit SessionRates(double codes_per_minute);

  /// Takes one code from what the session may be given. Errors: too_many_requests, with the time to wait.
  std::expected<void, OauthError> take(const SessionId& session, base::Instant now);

 private:
  std::optional<web::TokenBuckets<std::string>> by_session_;  // none: no limit
};

}  // namespace troupe::oauth
