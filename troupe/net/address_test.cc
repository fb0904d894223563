// Addresses: their texts, which are loopback, and which lie inside a network.
#include "troupe/net/address.h"

#include <doctest/doctest.h>

namespace troupe::net {
namespace {

TEST_CASE("an address is written as it was read, in its shortest form") {
  struct Row {
    std::string_view text, written;
  };
  constexpr Row rows[] = {
      {"127.0.0.1", "127.0.0.1"},
      {"2001:db8::1", "2001:db8::1"},
      {"2001:DB8:0:0::1", "2001:db8::1"},
      {"::ffff:192.0.2.7", "192.0.2.7"},
      {"::", "::"},
      {"0.0.0.0", "0.0.0.0"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    REQUIRE(IpAddress::parse(row.text).has_value());
    CHECK_EQ(IpAddress::parse(row.text)->text(), row.written);
  }
  using namespace std::string_view_literals;
  for (auto text : {""sv, "127.1"sv, "256.0.0.1"sv, "[::1]"sv, "::1%lo"sv, " ::1"sv, "1.2.3.4\0"sv, "localhost"sv}) {
    CAPTURE(text);
    CHECK_FALSE(IpAddress::parse(text).has_value());
  }
}

TEST_CASE("IPv4 and its form in IPv6 are one address") {
  CHECK_EQ(*IpAddress::parse("::ffff:127.0.0.1"), *IpAddress::parse("127.0.0.1"));
}

TEST_CASE("loopback is 127.0.0.0/8 and ::1, whatever the form") {
  for (auto text : {"127.0.0.1", "127.255.0.9", "::1", "::ffff:127.0.0.1"})
    CHECK(IpAddress::parse(text)->is_loopback());
  for (auto text : {"128.0.0.1", "::", "::2", "0.0.0.0", "10.0.0.1"})
    CHECK_FALSE(IpAddress::parse(text)->is_loopback());
}

TEST_CASE("a network contains the addresses that share its prefix") {
  struct Row {
    std::string_view network, inside, outside;
  };
  constexpr Row rows[] = {
      {"10.0.0.0/8", "10.255.1.2", "11.0.0.0"},   {"192.168.4.0/22", "192.168.7.255", "192.168.8.0"},
      {"192.0.2.1", "192.0.2.1", "192.0.2.2"},    {"2001:db8::/33", "2001:db8:7fff::1", "2001:db8:8000::"},
      {"0.0.0.0/0", "203.0.113.9", "2001:db8::"}, {"::1/128", "::1", "::2"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.network);
    auto network = Network::parse(row.network);
    REQUIRE(network.has_value());
    CHECK(network->contains(*IpAddress::parse(row.inside)));
    CHECK_FALSE(network->contains(*IpAddress::parse(row.outside)));
  }
  for (auto text : {"", "10.0.0.0/33", "10.0.0.1/8", "10.0.0.0/", "10.0.0.0/8x", "10.0.0.0/-1", "::/129", "x/8"}) {
    CAPTURE(text);
    CHECK_FALSE(Network::parse(text).has_value());
  }
}

TEST_CASE("an endpoint is read as it is written") {
  for (auto text : {"192.0.2.1:80", "[::1]:8080", "0.0.0.0:0", "[::]:65535"}) {
    CAPTURE(text);
    auto endpoint = Endpoint::parse(text);
    REQUIRE(endpoint.has_value());
    CHECK_EQ(endpoint->text(), text);
  }
  for (auto text : {"", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:8x", "::1:80", "[::1]",
                    "[127.0.0.1]:80", "localhost:80"}) {
    CAPTURE(text);
    CHECK_FALSE(Endpoint::parse(text).has_value());
  }
}

}  // namespace
}  // namespace troupe::net
