// Guard: what happens to every request before its handler and to every response after it:
// who really asks (trusted proxies), how often one address may, and the headers that keep
// browsers from doing harm with our pages.
//
// Each core has its own and counts for itself. Forwarded headers are believed only from
// the networks that the configuration names, and only their last, untrusted hop.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "troupe/base/clock.h"
#include "troupe/base/random.h"
#include "troupe/net/address.h"
#include "troupe/web/message.h"
#include "troupe/web/token_bucket.h"

namespace troupe::web {

struct GuardOptions {
  std::vector<net::Network> trusted_proxies;                       // none: every forwarded header is ignored
  RateLimit requests_by_address{.per_second = 200, .burst = 400};  // on one core; IPv6 by /64
  std::size_t addresses_max = 10'000;                              // about 1 MiB; past it newcomers share a bucket
  /// What who asks too often is told in the manner of the path; null, or nothing: a problem document.
  std::function<std::optional<Response>(const Request& request)> too_many{};
};

class Guard {
 public:
  explicit Guard(GuardOptions options);

  /// Fills in who asks: behind a trusted proxy peer and secure as X-Forwarded-For and -Proto say; and a request id,
  /// which is that of the X-Request-Id of a trusted proxy where it has sent a plain one.
  void identify(Request& request, base::Random& random) const;

  /// A 429 with Retry-After when the peer asks too often, else nothing.
  std::optional<Response> refuse(const Request& request, base::Instant now);

 private:
  bool is_trusted(const net::IpAddress& address) const noexcept;

  GuardOptions options_;
  TokenBuckets<net::IpAddress> by_address_;
};

/// Adds the security headers that the handler has not set itself. `secure`: the request came through TLS.
void add_security_headers(Response& response, bool secure);

}  // namespace troupe::web
