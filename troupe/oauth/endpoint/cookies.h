// The three cookies of the authorization server: the session of somebody who has signed in, the browser that a sign-in
// in progress is bound to, and by which account this browser is known (known_device.h).
//
// Where the issuer is https their names begin with __Host-, so that no other host can set them;
// a plain one on the loopback interface, for development, has to do without.
#pragma once

#include <optional>

#include "troupe/oauth/model/ids.h"
#include "troupe/oauth/model/options.h"
#include "troupe/web/message.h"

namespace troupe::oauth {

class Cookies {
 public:
  explicit Cookies(const OauthOptions& options);

  std::optional<SessionToken> session(const web::Request& request) const;
  std::optional<BrowserToken> browser(const web::Request& request) const;
  std::optional<DeviceToken> device(const web::Request& request) const;

  void set_session(web::Response& response, const SessionToken& token) const;
  void set_browser(web::Response& response, const BrowserToken& token) const;
  /// None: whatever the browser has, it keeps.
  void set_device(web::Response& response, const std::optional<DeviceToken>& token) const;
  void remove_session(web::Response& response) const;

 private:
  void set(web::Response& response, std::string_view name, std::string value,
           std::optional<std::int64_t> max_age_seconds) const;

  bool is_secure_;
  std::chrono::seconds known_device_;
};

/// Whether the browser says that the form was sent by a page of this very origin. A browser that says nothing
/// (no Sec-Fetch-Site header) is judged by the form's token alone.
bool is_same_origin(const web::Request& request);

}  // namespace troupe::oauth
