// The flags of a client, and what they leave as it is.
#include "troupe/app/command/client_flags.h"

#include <doctest/doctest.h>

#include <chrono>
#include <vector>

namespace troupe::app {
namespace {

TEST_CASE("flags of a client are written over its metadata, and nothing else is") {
  oauth::ClientMetadata metadata;
  metadata.name = "before";
  apply({.scope = "write read", .grants = {{"refresh_token"}}, .no_pkce = true}, metadata);
  CHECK_EQ(metadata.name, "before");
  CHECK_EQ(metadata.scope.text(), "read write");
  CHECK_EQ(metadata.grant_types, std::vector{oauth::GrantType::refresh_token});
  CHECK(metadata.pkce == oauth::PkcePolicy::optional);
  CHECK_FALSE(metadata.is_public());
  apply({.is_public = true}, metadata);
  CHECK(metadata.is_public());
}

TEST_CASE("what one flag of a client gave another one takes back") {
  oauth::ClientMetadata metadata;
  apply({.access_token_lifetime = "5m", .no_pkce = true}, metadata);
  CHECK_EQ(metadata.access_token_ttl, std::chrono::minutes{5});
  apply({.name = "after"}, metadata);
  CHECK(metadata.pkce == oauth::PkcePolicy::optional);
  apply({.access_token_lifetime = "default", .no_pkce = false}, metadata);
  CHECK_FALSE(metadata.access_token_ttl.has_value());
  CHECK(metadata.pkce == oauth::PkcePolicy::required);
}

}  // namespace
}  // namespace troupe::app
