// Redirect URIs: a table for each way in which one may almost match.
#include "troupe/oauth/model/redirect_uri.h"

#include <doctest/doctest.h>

namespace troupe::oauth {
namespace {

TEST_CASE("what leads away from a page of its own may not be registered (T5)") {
  for (auto uri : {"javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "/cb", "cb", "//evil.example/cb",
                   "https://app.example/cb#f", "https://app.example/cb#", "https://u:p@app.example/cb", "https:///cb",
                   "http://app.example/cb", "https://app.example/a b", "https://app.example/\r\nX: y", ""}) {
    CAPTURE(uri);
    CHECK_FALSE(may_be_registered(uri));
  }
  for (auto uri : {"https://app.example/cb", "https://app.example:8443/cb?x=1", "http://127.0.0.1/cb",
                   "http://127.0.0.1:9000/cb", "http://[::1]/cb", "http://localhost:3000/cb", "com.example.app:/cb"}) {
    CAPTURE(uri);
    CHECK(may_be_registered(uri));
  }
}

TEST_CASE("what a query says that is an answer's could be taken for the answer") {
  for (auto uri : {"https://app.example/cb?iss=https://evil.example", "https://app.example/cb?x=1&state=",
                   "https://app.example/cb?c%6fde=1", "com.example.app:/cb?error=x", "https://app.example/cb?x=%ff"}) {
    CAPTURE(uri);
    CHECK(says_an_answer(uri));
  }
  for (auto uri : {"https://app.example/cb", "https://app.example/cb?x=1", "https://app.example/code?states=1"}) {
    CAPTURE(uri);
    CHECK_FALSE(says_an_answer(uri));
  }
}

TEST_CASE("a redirect URI that differs in one byte is another one (T2)") {
  constexpr auto registered = "https://app.example/cb";
  CHECK(matches_redirect_uri(registered, registered));
  for (auto uri : {"https://app.example/cb/", "https://app.example/cb?x=1", "https://app.example/cb#f",
                   "https://app.example/cb/..", "https://app.example/x/../cb", "https://app.example/CB",
                   "https://APP.example/cb", "https://app.example:443/cb", "https://app.example@evil/cb",
                   "https://app.example/%63b", "https://app.example/cb%2f", "https://app.example\\@evil/cb",
                   "https://\xc3\xa4pp.example/cb", "https://app.example/cb\t", "http://app.example/cb",
                   "https://evil.example/cb", "https://app.example.evil/cb", ""}) {
    CAPTURE(uri);
    CHECK_FALSE(matches_redirect_uri(registered, uri));
  }
}

TEST_CASE("a native application may listen on any port of the loopback address (T3)") {
  struct Row {
    const char* registered;
    const char* requested;
    bool matches;
  };
  constexpr Row rows[] = {
      {"http://127.0.0.1/cb", "http://127.0.0.1:49152/cb", true},
      {"http://127.0.0.1:8000/cb", "http://127.0.0.1:9000/cb", true},
      {"http://[::1]/cb", "http://[::1]:49152/cb", true},
      {"http://127.0.0.1", "http://127.0.0.1:1", true},
      {"http://127.0.0.1/cb?a=1", "http://127.0.0.1:5/cb?a=1", true},
      {"http://127.0.0.1/cb", "http://127.0.0.1:49152/other", false},
      {"http://127.0.0.1/cb", "http://127.0.0.1:49152/cb?x=1", false},
      {"http://127.0.0.1/cb", "http://localhost:49152/cb", false},
      {"http://localhost/cb", "http://localhost:49152/cb", false},
      {"http://127.0.0.1/cb", "https://127.0.0.1:49152/cb", false},
      {"https://127.0.0.1/cb", "https://127.0.0.1:49152/cb", false},
      {"http://127.0.0.1/cb", "http://127.0.0.2:1/cb", false},
      {"http://127.0.0.1/cb", "http://127.0.0.1:99999/cb", false},
      {"http://127.0.0.1/cb", "http://127.0.0.1:1@evil.example/cb", false},
      {"http://127.0.0.1/cb", "http://127.0.0.1.evil.example/cb", false},
      {"http://127.0.0.1/cb", "http://127.0.0.1:/cb", false},
      {"http://127.0.0.1/cb", "http://127.0.0.1:1/cb#f", false},
  };
  for (const Row& row : rows) {
    CAPTURE(row.registered);
    CAPTURE(row.requested);
    CHECK_EQ(matches_redirect_uri(row.registered, row.requested), row.matches);
  }
}

}  // namespace
}  // namespace troupe::oauth
