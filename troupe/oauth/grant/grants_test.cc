// The table of grants: complete, and closed to everything else.
#include "troupe/oauth/grant/grants.h"

#include <doctest/doctest.h>

namespace troupe::oauth {
namespace {

TEST_CASE("every grant type has a handler that is found by its name") {
  for (auto type : {GrantType::authorization_code, GrantType::refresh_token, GrantType::client_credentials}) {
    const GrantHandler* handler = find_grant(text(type));
    REQUIRE(handler);
    CHECK_EQ(handler->type, type);
    CHECK(static_cast<bool>(handler->redeem));
  }
  CHECK_EQ(all_grants().size(), 3);
}

TEST_CASE("a grant that is not spoken here has no handler") {
  for (auto name : {"", "password", "implicit", "Authorization_Code", "urn:ietf:params:oauth:grant-type:jwt-bearer"}) {
    CAPTURE(name);
    CHECK_EQ(find_grant(name), nullptr);
  }
}

}  // namespace
}  // namespace troupe::oauth
