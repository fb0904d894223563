// What an operator may decide about the authorization server; every default says why.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "troupe/oauth/model/look.h"
#include "troupe/oauth/model/scope.h"
#include "troupe/web/token_bucket.h"

namespace troupe::oauth {

/// Who may register a client by the endpoint of RFC 7591.
enum class Registration : std::uint8_t {
  closed,
  by_token,  // whoever shows an access token with the scope `register`
  open,      // everybody: people then see consent pages of applications that nobody has looked at
};

struct OauthOptions {
  std::string issuer = "http://127.0.0.1:8080";  // from configuration, never from a Host header

  std::chrono::seconds code_ttl{60};                      // a redirect takes seconds
  std::chrono::seconds code_tombstone{30 * 60};           // a replayed code is recognised as long as its token may live
  std::chrono::seconds access_token_ttl{10 * 60};         // nobody can take back a JWT that is checked offline
  std::chrono::seconds id_token_ttl{10 * 60};             // it is read once, at sign-in
  std::chrono::seconds refresh_idle{14 * 24 * 3600};      // two weeks of holidays
  std::chrono::seconds refresh_absolute{90 * 24 * 3600};  // a quarter, then sign in again
  std::chrono::seconds refresh_absolute_public{30 * 24 * 3600};
  std::chrono::seconds refresh_grace{30};  // a client that lost our answer asks again within this time
  std::chrono::seconds session_idle{90 * 60};
  std::chrono::seconds session_absolute{12 * 3600};   // a working day
  std::chrono::seconds known_device{90 * 24 * 3600};  // a browser that signs in so often is slowed by its own mistakes
  std::chrono::seconds flow_ttl{10 * 60};             // to find the password and read the consent page

  std::chrono::hours audit_retention{400 * 24};  // a year, and the time to look into it
  bool audit_stream = false;                     // each event costs a publication, whether somebody listens or not

  /// Sign-ins in progress, where none holds more than 4 KB; a larger one counts as several (actor/flow_places.h). Then
  /// whoever has begun most of them loses their oldest. All together, measured: 22 MB where they are as clients usually
  /// send them, 53 MB where each holds as much as it may.
  std::size_t flows_max = 10'000;

  /// Sessions that one user may have open; then the oldest ends. More than anybody has browsers, also where many share
  /// an account, and few enough to be read and ended at once.
  std::size_t sessions_per_user_max = 1000;

  /// Requests of one client that has proven itself, on one core; 0: no limit, since an operator knows such a client,
  /// and a resource server may ask about every request that it gets.
  web::RateLimit client_requests{.per_second = 0, .burst = 0};
  /// Authorization codes of one signed-in browser, on one core; 0: no limit.
  double session_codes_per_minute = 300;

  std::vector<std::string> resources;  // what `resource` may name besides the issuer itself (RFC 8707)
  ScopeSet scopes_supported;           // for the discovery document, besides those of OpenID Connect

  Registration registration = Registration::by_token;
  ScopeSet registration_scopes = ScopeSet::parse("openid profile email offline_access").value();  // at most
  /// Addresses of the inside that URLs of clients may lead to all the same, by plain http too: for tests alone.
  std::vector<std::string> fetch_unsafe_allow_addresses;

  Look look;  // of the pages

  std::size_t registrations_max = 10'000;  // clients that registered themselves; then an operator has to look
};

/// The options as actors hold them and hand them to the threads of the database: all read one copy.
class SharedOptions {
 public:
  SharedOptions(OauthOptions options) : options_(std::make_shared<const OauthOptions>(std::move(options))) {}
  const OauthOptions* operator->() const noexcept { return options_.get(); }
  operator const OauthOptions&() const noexcept { return *options_; }

 private:
  std::shared_ptr<const OauthOptions> options_;
};

}  // namespace troupe::oauth
