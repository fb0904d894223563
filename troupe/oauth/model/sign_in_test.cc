// Signing in: which sessions count for which request.
#include "troupe/oauth/model/sign_in.h"

#include <doctest/doctest.h>

namespace troupe::oauth {
namespace {

Authentication authentication(std::string user) { return {.user = UserId{std::move(user)}, .time = {1'000'000}}; }

Session session_of(std::string user, base::Duration age) {
  auto who = authentication(std::move(user));
  return {.authentication = who, .created_at = who.time, .seen_at = who.time + age};
}

using namespace std::chrono_literals;

TEST_CASE("a session counts for a request that asks for nothing special") {
  CHECK(standing_authentication({}, {}, session_of("u_alice", 1h)));
  CHECK_FALSE(standing_authentication({}, {}, {}));
}

TEST_CASE("a session that is older than the request allows does not count (T70)") {
  CHECK(standing_authentication({.max_age = 60s}, {}, session_of("u_alice", 60s)));
  CHECK_FALSE(standing_authentication({.max_age = 60s}, {}, session_of("u_alice", 61s)));
  CHECK_FALSE(standing_authentication({.max_age = 0s}, {}, session_of("u_alice", 0s)));
}

TEST_CASE("who must sign in again has done so only within the flow") {
  AuthRequest request{.prompt = Prompt::login, .max_age = 0s};
  CHECK_FALSE(standing_authentication(request, {}, session_of("u_alice", 0s)));
  CHECK(standing_authentication(request, authentication("u_alice"), session_of("u_alice", 5s)));
}

TEST_CASE("somebody else signing in in another tab does not answer for this one (T27)") {
  CHECK_FALSE(standing_authentication({}, authentication("u_alice"), session_of("u_bob", 0s)));
}

}  // namespace
}  // namespace troupe::oauth
