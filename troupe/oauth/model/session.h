// Session: a browser in which somebody has signed in. Flow: a sign-in in progress, from the
// authorization request to the code. The Session Actor owns both.
//
// The cookie of a session is never its name: the cookie changes at each sign-in, the name
// (`sid`) stays as long as the same user keeps signing in there.
#pragma once

#include <optional>
#include <string>

#include "troupe/base/clock.h"
#include "troupe/oauth/model/auth_request.h"
#include "troupe/oauth/model/grant.h"
#include "troupe/oauth/model/ids.h"

namespace troupe::oauth {

struct Session {
  SessionId id;
  Authentication authentication;  // its user, and the last time the password was given
  base::UnixTime created_at;
  base::UnixTime seen_at;
};

struct Flow {
  FlowId id;
  AuthRequest request;
  std::optional<Authentication> signed_in;  // within this flow; answers prompt=login and max_age
  base::UnixTime expires_at;
};

}  // namespace troupe::oauth
