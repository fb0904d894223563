// Sessions: what is kept and told of the browser that somebody has signed in with.
#include "troupe/oauth/model/session.h"

#include <doctest/doctest.h>

namespace troupe::oauth {
namespace {

TEST_CASE("of a User-Agent 200 bytes are kept, and nothing that is no printable ASCII") {
  CHECK_EQ(shown_user_agent(""), "");
  CHECK_EQ(shown_user_agent("curl/8.0"), "curl/8.0");
  CHECK_EQ(shown_user_agent(std::string(5000, 'x')), std::string(200, 'x'));
  CHECK_EQ(shown_user_agent("a\tb\x7f\xc3\xa9"), "a?b???");
}

TEST_CASE("browsers are told by name, not by whom they pretend to be") {
  struct Row {
    const char* user_agent;
    const char* name;
  };
  const Row rows[] = {
      {"Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", "Firefox on Linux"},
      {"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36",
       "Chrome on Windows"},
      {"Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36 Edg/126.0",
       "Edge on Windows"},
      {"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1 Version/17.5 Mobile Safari/604.1",
       "Safari on iPhone"},
      {"Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Mobile Safari/537.36",
       "Chrome on Android"},
      {"Firefox/1.0", "Firefox"},
      {"curl/8.0", ""},
      {"", ""},
  };
  for (const Row& row : rows) {
    CAPTURE(row.user_agent);
    CHECK_EQ(browser_name(row.user_agent), row.name);
  }
}

}  // namespace
}  // namespace troupe::oauth
