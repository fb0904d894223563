// Proofs of pages: good for one session and for what they say, and for nothing else.
#include "troupe/oauth/endpoint/page_proof.h"

#include <doctest/doctest.h>

namespace troupe::oauth {
namespace {

TEST_CASE("a proof holds for its session and its fields alone") {
  const SessionToken mine{"name.secret"}, other{"name.secreu"};
  const wire::Form fields{{"page", "logout"}, {"state", "a"}};
  const std::string proof = page_proof(mine, fields).expose();
  CHECK(proves(mine, fields, proof));
  CHECK_FALSE(proves(other, fields, proof));
  CHECK_FALSE(proves(mine, {{"page", "logout"}, {"state", "b"}}, proof));
  CHECK_FALSE(proves(mine, {{"page", "account"}, {"state", "a"}}, proof));
  CHECK_FALSE(proves(mine, {{"page", "logout"}}, proof));
  CHECK_FALSE(proves(mine, {{"page", "logout&state=a"}}, proof));  // fields do not run into each other
  CHECK_FALSE(proves(mine, fields, ""));
  CHECK_FALSE(proves(mine, fields, proof.substr(1)));
}

}  // namespace
}  // namespace troupe::oauth
