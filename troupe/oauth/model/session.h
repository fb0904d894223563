// Session: a browser in which somebody has signed in. Flow: a sign-in in progress, from the
// authorization request to the code. The Session Actor owns both.
//
// The cookie of a session is never its name: the cookie changes at each sign-in, the name
// (`sid`) stays as long as the same user keeps signing in there.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "troupe/base/clock.h"
#include "troupe/oauth/model/auth_request.h"
#include "troupe/oauth/model/grant.h"
#include "troupe/oauth/model/ids.h"

namespace troupe::oauth {

/// Where somebody has signed in, so that they may recognise it.
struct SignInPlace {
  std::string user_agent;  // as `shown_user_agent` gives it; "" when the browser does not say
  std::string address;     // of the network; "" when nobody has noted it
};

/// What we keep of a User-Agent header: at most 200 bytes, and a '?' for each that is not printable ASCII.
std::string shown_user_agent(std::string_view header);

/// A browser by name, as its User-Agent has it: "Firefox on Linux"; "" for what we do not know.
std::string browser_name(std::string_view user_agent);

struct Session {
  SessionId id;
  Authentication authentication;  // its user, and the last time the password was given
  base::UnixTime created_at;
  base::UnixTime seen_at;
  SignInPlace place{};  // of the last sign-in
};

/// What a sign-in is for: to answer an authorization request, or to show people their account.
enum class FlowGoal : std::uint8_t { code, account };

struct Flow {
  FlowId id;
  FlowGoal goal = FlowGoal::code;
  AuthRequest request;     // of the goal `code`
  std::string ui_locales;  // in which languages the client wants its pages; at most 256 bytes of it are kept
  std::optional<Authentication> signed_in;  // within this flow; answers prompt=login and max_age
  base::UnixTime expires_at;
};

}  // namespace troupe::oauth
