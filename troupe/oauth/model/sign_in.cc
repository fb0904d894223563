// See sign_in.h.
#include "troupe/oauth/model/sign_in.h"

namespace troupe::oauth {

std::optional<Authentication> standing_authentication(const AuthRequest& request,
                                                      const std::optional<Authentication>& signed_in,
                                                      const std::optional<Session>& session) {
  if (!session) return std::nullopt;
  const Authentication& present = session->authentication;
  if (request.subject && *request.subject != present.user) return std::nullopt;
  if (signed_in) {
    // Another tab may have signed in somebody else meanwhile, whom nobody asked here.
    if (signed_in->user != present.user) return std::nullopt;
    return present;
  }
  if (forces_login(request)) return std::nullopt;
  bool is_too_old = request.max_age && session->seen_at - present.time > *request.max_age;
  if (is_too_old || request.max_age == std::chrono::seconds{0}) return std::nullopt;
  return present;
}

}  // namespace troupe::oauth
