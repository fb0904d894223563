// What clients may register for the server to fetch.
#include "troupe/oauth/model/fetched_uri.h"

#include <doctest/doctest.h>

#include <array>

namespace troupe::oauth {
namespace {

TEST_CASE("a stranger's URI is https, and no address of the inside (T51)") {
  for (const char* good : {"https://client.example/keys.json", "https://client.example:8443/a?b=c", "https://1.1.1.1/k",
                           "https://[2606:4700::1111]/k"}) {
    CAPTURE(good);
    CHECK(may_be_fetched(good, {}));
  }
  for (const char* bad :
       {"http://client.example/keys.json", "http://1.1.1.1/k", "https://127.0.0.1/k", "https://[::1]/k",
        "https://[::ffff:10.0.0.1]/k", "https://169.254.169.254/latest", "https://u:p@client.example/k",
        "https://client.example/k#x", "file:///etc/passwd", "gopher://client.example/", "/keys", "", "javascript:1"}) {
    CAPTURE(bad);
    CHECK_FALSE(may_be_fetched(bad, {}));
  }
  CHECK_FALSE(may_be_fetched("https://client.example/" + std::string(2000, 'x'), {}));
}

TEST_CASE("an address that the operator allows may be registered, by http too, and its neighbours may not") {
  const std::array allowed{*net::Network::parse("127.0.0.1")};
  CHECK(may_be_fetched("http://127.0.0.1:8081/keys", allowed));
  CHECK(may_be_fetched("https://127.0.0.1/keys", allowed));
  CHECK_FALSE(may_be_fetched("http://127.0.0.2/keys", allowed));
  CHECK_FALSE(may_be_fetched("http://client.example/keys", allowed));
}

}  // namespace
}  // namespace troupe::oauth
