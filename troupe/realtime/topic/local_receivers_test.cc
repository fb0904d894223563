// LocalReceivers: who of one core gets what, by which frame and policy, and that numbers are never mistaken.
#include "troupe/realtime/topic/local_receivers.h"

#include <doctest/doctest.h>

namespace troupe::realtime {
namespace {

struct Noted final : Receiver {
  explicit Noted(std::string name) : id("c-" + name), name(std::move(name)) {}
  const ConnectionId& connection() const noexcept override { return id; }
  const UserId& user() const noexcept override { return name; }
  void registered(ReceiverNumber) override {}
  Delivery deliver(const FrameRef& frame, Overflow overflow) override {
    frames.emplace_back(frame->bytes.view());
    overflows.push_back(overflow);
    return answer;
  }
  bool has_scope(const std::string&) const override { return true; }
  void withheld(std::string_view, const Position&, const StreamPlace&) override {}
  void left_out(std::string_view topic, const Position& position) override {
    frames.push_back(std::string{topic} + " left out " + std::to_string(position.offset));
  }
  void missed(std::string_view topic, const Epoch&, Offset from, Offset to, Overflow overflow,
              const StreamPlace&) override {
    frames.push_back(std::string{topic} + " " + std::to_string(from) + "-" + std::to_string(to));
    overflows.push_back(overflow);
  }
  void open_inbox(const InboxContents&) override {}
  void routes_lost(RoutesCut) override {}

  ConnectionId id;
  UserId name;
  Delivery answer = Delivery::accepted;
  std::vector<std::string> frames;
  std::vector<Overflow> overflows;
};

TopicName name(std::string_view text) { return TopicName::parse(text).value(); }
TopicPattern pattern(std::string_view text) { return TopicPattern::parse(text).value(); }

Deliver delivery(std::string_view topic) {
  return {0, {}, 0, name(topic), {Epoch{"e"}, 1}, base::Bytes{"by name"}, base::Bytes{"by pattern"}, {}};
}

struct Room {
  std::pair<base::LocalRef<Noted>, ReceiverNumber> add(std::string user) {
    auto receiver = base::make_local<Noted>(std::move(user));
    auto number = local.add(receiver);
    return {receiver, number};
  }
  LocalReceivers local;
};

TEST_CASE("each gets one copy, by pattern if any subscription is one, and is counted by what became of it") {
  Room room;
  auto [alice, a] = room.add("alice");
  auto [bob, b] = room.add("bob");
  auto [carol, c] = room.add("carol");
  CHECK(room.local.subscribe(a, pattern("t"), Overflow::drop_newest));
  CHECK_FALSE(room.local.subscribe(b, pattern("t"), Overflow::drop_oldest));
  room.local.subscribe(b, pattern("*"), Overflow::latest);
  room.local.subscribe(c, pattern("t"), Overflow::drop_oldest);
  bob->answer = Delivery::queued;
  carol->answer = Delivery::dropped;
  auto counted = room.local.deliver(delivery("t"));
  CHECK_EQ(counted.accepted, 2);
  CHECK_EQ(counted.queued, 1);
  CHECK_EQ(counted.dropped, 1);
  CHECK_EQ(alice->frames, std::vector<std::string>{"by name"});
  CHECK_EQ(alice->overflows, std::vector{Overflow::drop_newest});
  CHECK_EQ(bob->frames, std::vector<std::string>{"by pattern"});
  CHECK_EQ(bob->overflows, std::vector{Overflow::drop_oldest});
}

TEST_CASE("one receiver can be left out") {
  Room room;
  auto [alice, a] = room.add("alice");
  auto [bob, b] = room.add("bob");
  for (auto number : {a, b}) room.local.subscribe(number, pattern("t"), Overflow::drop_oldest);
  auto message = delivery("t");
  message.excluded = Publisher{0, a, UserId{"alice"}};
  CHECK_EQ(room.local.deliver(message).accepted, 1);
  CHECK_EQ(alice->frames, std::vector<std::string>{"t left out 1"});
}

TEST_CASE("subscribing again changes the policy and counts once") {
  Room room;
  auto [alice, a] = room.add("alice");
  room.local.subscribe(a, pattern("t"), Overflow::drop_oldest);
  CHECK_FALSE(room.local.subscribe(a, pattern("t"), Overflow::disconnect));
  room.local.deliver(delivery("t"));
  CHECK_EQ(alice->overflows, std::vector{Overflow::disconnect});
  CHECK(room.local.unsubscribe(a, pattern("t")));
  CHECK_FALSE(room.local.unsubscribe(a, pattern("t")));
}

TEST_CASE("who leaves takes along what nobody else wants, and the number finds nobody any more") {
  Room room;
  auto [alice, a] = room.add("alice");
  auto [bob, b] = room.add("bob");
  room.local.subscribe(a, pattern("t"), Overflow::drop_oldest);
  room.local.subscribe(a, pattern("u"), Overflow::drop_oldest);
  room.local.subscribe(b, pattern("t"), Overflow::drop_oldest);
  auto left = room.local.remove(a);
  CHECK_EQ(left.patterns, std::vector{pattern("u")});
  CHECK_EQ(left.user, UserId{"alice"});
  auto [carol, c] = room.add("carol");
  CHECK_NE(a, c);
  CHECK_EQ(room.local.find(a), nullptr);
  CHECK_EQ(room.local.find(c), carol.get());
  CHECK_FALSE(room.local.subscribe(a, pattern("t"), Overflow::drop_oldest));
  CHECK(room.local.remove(a).patterns.empty());
  CHECK_EQ(room.local.deliver(delivery("t")).accepted, 1);
  CHECK_EQ(room.local.subscriptions(), 1);
}

TEST_CASE("a direct message goes to all connections of its user and of nobody else") {
  Room room;
  auto [phone, p] = room.add("bob");
  auto [laptop, l] = room.add("bob");
  auto [alice, a] = room.add("alice");
  auto counted = room.local.deliver_direct({0, 1, UserId{"bob"}, {Epoch{"e"}, 1}, base::Bytes{"x"}});
  CHECK_EQ(counted.connections.size(), 2);
  CHECK(alice->frames.empty());
  CHECK_FALSE(room.local.remove(p).user.has_value());
  CHECK(room.local.remove(l).user.has_value());
  CHECK(room.local.deliver_direct({0, 1, UserId{"bob"}, {}, {}}).connections.empty());
}

TEST_CASE("a range that a core missed is told to its subscribers") {
  Room room;
  auto [alice, a] = room.add("alice");
  room.local.subscribe(a, pattern("t"), Overflow::spill);
  room.local.missed({name("t"), Epoch{"e"}, 3, 5}, {0, 5});
  CHECK_EQ(alice->frames, std::vector<std::string>{"t 3-5"});
  CHECK_EQ(alice->overflows, std::vector{Overflow::spill});
}

}  // namespace
}  // namespace troupe::realtime
