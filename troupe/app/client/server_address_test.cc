// What a person types as a server, and what is none.
#include "troupe/app/client/server_address.h"

#include <doctest/doctest.h>

using namespace troupe::app;

TEST_CASE("a server is a URL or HOST:PORT") {
  struct Row {
    std::string_view text;
    std::string_view host, authority, target;
    std::uint16_t port;
    bool secure;
  };
  const Row rows[] = {
      {"127.0.0.1:8080", "127.0.0.1", "127.0.0.1:8080", "/ws", 8080, false},
      {"localhost", "localhost", "localhost", "/ws", 80, false},
      {"http://example.org", "example.org", "example.org", "/ws", 80, false},
      {"https://Example.org/", "example.org", "example.org", "/ws", 443, true},
      {"wss://example.org:8443/live?x=1", "example.org", "example.org:8443", "/live?x=1", 8443, true},
      {"ws://[::1]:9000/ws", "::1", "[::1]:9000", "/ws", 9000, false},
  };
  for (const auto& row : rows) {
    CAPTURE(row.text);
    const auto address = parse_server_address(row.text);
    REQUIRE(address.has_value());
    CHECK_EQ(address->host, row.host);
    CHECK_EQ(address->authority, row.authority);
    CHECK_EQ(address->target, row.target);
    CHECK_EQ(address->port, row.port);
    CHECK_EQ(address->secure, row.secure);
  }
  for (std::string_view text :
       {"", "ftp://x", "ws://", "ws://u@x", "ws://x#y", "ws://x:99999", "ws://x:0", "a b", "ws://x/\r\nInjected: 1"}) {
    CAPTURE(text);
    const auto address = parse_server_address(text);
    REQUIRE_FALSE(address.has_value());
    CHECK_GT(address.error().size(), 10);
  }
}

TEST_CASE("an address needs no name server, and a name that is none is told") {
  const auto found = resolve({.host = "127.0.0.1", .port = 80});
  REQUIRE(found.has_value());
  CHECK_EQ(found->front().text(), "127.0.0.1:80");
  const auto six = resolve({.host = "::1", .port = 81});
  REQUIRE(six.has_value());
  CHECK_EQ(six->front().text(), "[::1]:81");
  CHECK(resolve({.host = "no such name.invalid", .port = 80}).error().contains("no address"));
}
