// Places by address: how many each may hold, and what is kept of those that hold none.
#include "troupe/net/address_places.h"

#include <doctest/doctest.h>

namespace troupe::net {
namespace {

IpAddress ip(std::string_view text) { return *IpAddress::parse(text); }

TEST_CASE("an address holds as many places as it may, another one its own, and the networks of IPv6 count as one") {
  struct Row {
    std::string_view first, same, other;
  };
  constexpr Row rows[] = {
      {"192.0.2.1", "::ffff:192.0.2.1", "192.0.2.2"},
      {"2001:db8::1", "2001:db8::ffff:0:0:9", "2001:db8:0:1::1"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.first);
    AddressPlaces places{2};
    CHECK(places.enter(ip(row.first)));
    CHECK(places.enter(ip(row.same)));
    CHECK_FALSE(places.enter(ip(row.first)));
    CHECK_FALSE(places.enter(ip(row.same)));
    CHECK(places.enter(ip(row.other)));
    places.leave(ip(row.same));
    CHECK(places.enter(ip(row.first)));
  }
}

TEST_CASE("an address that holds no place takes no memory, and who is exempt never does") {
  AddressPlaces places{1, {*Network::parse("10.0.0.0/8")}};
  for (int i = 0; i < 3; ++i) CHECK(places.enter(ip("10.1.2.3")));
  CHECK_EQ(places.addresses(), 0);
  places.leave(ip("10.1.2.3"));
  CHECK(places.enter(ip("192.0.2.1")));
  CHECK_FALSE(places.enter(ip("192.0.2.1")));
  CHECK_EQ(places.addresses(), 1);
  places.leave(ip("192.0.2.1"));
  CHECK_EQ(places.addresses(), 0);
}

}  // namespace
}  // namespace troupe::net
