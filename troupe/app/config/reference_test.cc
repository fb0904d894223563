// The page in docs/ is the one that the program prints.
#include "troupe/app/config/reference.h"

#include <doctest/doctest.h>

#include <fstream>
#include <iterator>

using namespace troupe::app;

TEST_CASE("docs/configuration.md is what `troupe config reference` prints") {
  std::ifstream file{TROUPE_SOURCE_DIR "/docs/configuration.md"};
  const std::string page{std::istreambuf_iterator<char>{file}, {}};
  CHECK_MESSAGE(page == config_reference(), "write it anew: troupe config reference > docs/configuration.md");
}

TEST_CASE("the reference shows a key with its default and variable") {
  CHECK(config_reference().contains("| `echo` | `false` | true or false |"));
  CHECK(config_reference().contains("[realtime.namespace.NAME]"));
  CHECK(config_reference().contains("`TROUPE_OAUTH_CODE_LIFETIME`"));
}
