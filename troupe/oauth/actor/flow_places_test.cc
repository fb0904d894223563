// FlowPlaces: whoever begins flows by the thousand ends their own.
#include "troupe/oauth/actor/flow_places.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <string>

namespace troupe::oauth {
namespace {

net::IpAddress ip(const std::string& text) { return net::IpAddress::parse(text).value(); }

/// The flows that are there, by name; those that are in the way leave.
struct Room {
  explicit Room(std::size_t places) : places(places) {}

  void enter(const std::string& flow, const std::string& address, std::size_t bytes = 1000) {
    while (const FlowId* out = places.in_the_way_of(ip(address), bytes)) leave(out->value());
    there.emplace(flow, places.enter(FlowId{flow}, ip(address), bytes));
  }
  void enter_many(const std::string& name, int count, const std::string& address, std::size_t bytes = 1000) {
    for (int i = 0; i < count; ++i) enter(name + std::to_string(i), address, bytes);
  }
  void leave(std::string flow) {  // which may be told by what goes with it
    places.leave(there.at(flow));
    there.erase(flow);
  }
  int count(const std::string& name) const {
    return static_cast<int>(
        std::ranges::count_if(there, [&](const auto& each) { return each.first.starts_with(name); }));
  }

  FlowPlaces places;
  std::map<std::string, FlowPlaces::Number> there;
};

TEST_CASE("an address holds half of the places, and loses its oldest flow for its next one") {
  Room room{10};
  room.enter("person", "192.0.2.1");
  room.enter_many("flood", 100, "198.51.100.7");
  CHECK_EQ(room.count("flood"), 5);
  CHECK(room.there.contains("flood99"));
  CHECK(room.there.contains("flood95"));
  CHECK(room.there.contains("person"));
}

TEST_CASE("where there is no room the address that holds most makes it") {
  Room room{10};
  room.enter("person", "192.0.2.1");
  room.enter_many("flood", 5, "198.51.100.7");
  room.enter_many("crowd", 4, "203.0.113.9");
  room.enter("late", "192.0.2.2");
  CHECK_EQ(room.count("flood"), 4);
  CHECK_FALSE(room.there.contains("flood0"));
  room.enter("later", "192.0.2.3");  // of two that hold alike the one whose oldest is older
  CHECK_FALSE(room.there.contains("flood1"));
  room.enter("latest", "192.0.2.4");
  CHECK_FALSE(room.there.contains("crowd0"));
  for (const char* one : {"person", "late", "later", "latest"}) CHECK(room.there.contains(one));
}

TEST_CASE("among addresses that hold one flow each a second one takes nobody's place") {
  Room room{4};
  for (int i = 0; i < 4; ++i) room.enter("one" + std::to_string(i), "192.0.2." + std::to_string(i));
  room.enter("second", "192.0.2.3");
  CHECK_EQ(room.count("one"), 3);
  CHECK_FALSE(room.there.contains("one3"));
  room.enter("new", "192.0.2.9");  // somebody who has none takes that of the oldest
  CHECK_FALSE(room.there.contains("one0"));
}

TEST_CASE("a large flow counts as several, so the bytes of all are bounded too") {
  Room room{10};
  room.enter("person", "192.0.2.1");
  room.enter_many("large", 20, "198.51.100.7", 9000);
  CHECK_EQ(room.count("large"), 1);  // three places each, of five
  room.enter_many("small", 5, "198.51.100.7");
  CHECK_EQ(room.count("large"), 0);
  CHECK_EQ(room.count("small"), 5);
  room.enter("huge", "203.0.113.9", 1'000'000);  // more than there is: it has half of it
  CHECK(room.there.contains("huge"));
  CHECK(room.there.contains("person"));
  CHECK_EQ(room.count("small"), 4);
}

TEST_CASE("an IPv6 address counts as its network of 64 bits") {
  Room room{10};
  for (int i = 0; i < 50; ++i) room.enter("flood" + std::to_string(i), "2001:db8::" + std::to_string(i));
  CHECK_EQ(room.count("flood"), 5);
  room.enter("person", "2001:db8:0:1::1");
  CHECK(room.there.contains("person"));
}

TEST_CASE("who leaves makes room, and the oldest is known") {
  Room room{4};
  CHECK_EQ(room.places.oldest(), nullptr);
  room.enter_many("one", 2, "192.0.2.1");
  room.enter_many("two", 2, "192.0.2.2");
  CHECK_EQ(room.places.oldest()->value(), "one0");
  room.leave("one0");
  CHECK_EQ(room.places.oldest()->value(), "one1");
  room.enter("three", "192.0.2.3");
  CHECK_EQ(room.there.size(), 4);
  for (const std::string flow : {"one1", "two0", "two1", "three"}) room.leave(flow);
  CHECK_EQ(room.places.oldest(), nullptr);
  CHECK_EQ(room.places.in_the_way_of(ip("192.0.2.1"), 100'000), nullptr);
}

}  // namespace
}  // namespace troupe::oauth
