// Limits by user and by address: who is refused, how, and what becomes of the others.
#include <doctest/doctest.h>

#include "troupe/realtime/testing/figures.h"

namespace troupe::realtime {
namespace {

using namespace std::chrono_literals;
using testing::field;
using testing::moved;
using testing::RealtimeWorld;
using testing::topic_at;
using testing::types;

constexpr std::string_view ping = R"({"type":"ping","id":"7"})";
constexpr std::string_view alice = "Authorization: Bearer alice\r\n";
constexpr std::string_view authenticate = R"({"type":"authenticate","id":"1","token":"alice"})";

RealtimeOptions connections_of_user(std::size_t most) {
  RealtimeOptions options;
  options.connections_by_user_max = most;
  return options;
}

void use(RealtimeWorld& world, RealtimeOptions options) {
  world.realtime->supervisor().tell(UseOptions{std::make_shared<const RealtimeOptions>(std::move(options))});
  world.world.run_until_idle();
}

TEST_CASE("past the limit of connections of a user the answer is 503, on all cores, and others are let in") {
  RealtimeWorld world{connections_of_user(2)};
  auto first = world.connect("alice", 0);
  auto second = world.connect("alice", 1);
  auto third = world.ask_for("/ws", alice);
  CHECK_EQ(third->status(), 503);
  CHECK_NE(third->head().find("Retry-After"), std::string::npos);
  CHECK_EQ(world.ask_for("/ws", "Authorization: Bearer bob\r\n")->status(), 101);
  second->vanish();
  world.world.run_until_idle();
  CHECK_EQ(world.ask_for("/ws", alice)->status(), 101);
}

TEST_CASE("who says in its first frame who it is, and is there too often, is told so and closed with 4008") {
  RealtimeWorld world{connections_of_user(1)};
  auto first = world.ask_for("/ws", "");
  CHECK_EQ(types(world.exchange(first, authenticate)), "authenticated welcome");
  CHECK_EQ(world.ask_for("/ws", alice)->status(), 503);  // whichever way the token comes

  auto second = world.ask_for("/ws", "", 1);
  auto frames = world.exchange(second, authenticate);
  REQUIRE_EQ(types(frames), "error");
  CHECK_EQ(field(frames[0], "code"), "overloaded");
  CHECK_EQ(field(frames[0], "message"), "too many connections of this user");
  CHECK_EQ(field(frames[0], "id"), "1");
  CHECK_EQ(second->close_code(), 4008);

  CHECK_EQ(types(world.exchange(first, authenticate)), "authenticated");  // again, and it counts once
  first->vanish();
  world.world.run_until_idle();
  auto third = world.ask_for("/ws", "", 1);
  CHECK_EQ(types(world.exchange(third, authenticate)), "authenticated welcome");
}

TEST_CASE("whoever vanishes while it is let in leaves its place to the next one") {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    CAPTURE(seed);
    RealtimeWorld world{connections_of_user(1), seed};
    auto first = world.ask_for("/ws", "");
    first->say(authenticate);
    world.world.advance(std::chrono::microseconds{seed});
    first->vanish();
    world.world.run_until_idle();
    auto second = world.ask_for("/ws", "", 1);
    CHECK_EQ(types(world.exchange(second, authenticate)), "authenticated welcome");
  }
}

TEST_CASE("anonymous clients are nobody's connections") {
  auto options = connections_of_user(1);
  options.settings =
      std::make_shared<const RealtimeSettings>(NamespaceOptions{}, RealtimeSettings::Namespaces{}, Anonymous::allowed);
  RealtimeWorld world{options};
  auto first = world.ask_for("/ws", "");
  auto second = world.ask_for("/ws", "");
  CHECK_EQ(types(first->take()), "welcome");
  CHECK_EQ(types(second->take()), "welcome");
}

TEST_CASE("limits of users change while they are there, and send nobody away") {
  RealtimeWorld world;
  auto first = world.connect("alice");
  auto second = world.connect("alice", 1);
  auto tight = connections_of_user(1);
  tight.connection.user.frames = {.per_second = 1, .burst = 1};
  use(world, tight);
  CHECK_EQ(world.ask_for("/ws", alice)->status(), 503);
  CHECK_EQ(types(world.exchange(first, ping)), "pong");
  CHECK_EQ(types(world.exchange(first, ping)), "error");
  CHECK_EQ(types(world.exchange(second, ping)), "pong");  // of another core
  use(world, connections_of_user(3));
  world.world.advance(10ms);
  CHECK_EQ(types(world.exchange(first, ping)), "pong");
  CHECK_EQ(world.ask_for("/ws", alice)->status(), 101);
}

struct Row {
  std::string_view name, message, other;  // `other`: the user of the connection that is refused as well
  TrafficLimit user, address;
  bool stranger_is_refused;
};

constexpr RateLimit plenty{.per_second = 1e6, .burst = 1e6};
constexpr RateLimit four_frames{.per_second = 1, .burst = 4};
constexpr RateLimit four_pings{.per_second = static_cast<double>(ping.size()),
                               .burst = 4.0 * static_cast<double>(ping.size())};
constexpr TrafficLimit free_of_limits{plenty, plenty};

constexpr Row rows[] = {
    {"frames of a user",
     "too many frames a second of this user",
     "alice",
     {four_frames, plenty},
     free_of_limits,
     false},
    {"bytes of a user", "too many bytes a second of this user", "alice", {plenty, four_pings}, free_of_limits, false},
    {"frames of an address",
     "too many frames a second from this address",
     "bob",
     free_of_limits,
     {four_frames, plenty},
     true},
    {"bytes of an address",
     "too many bytes a second from this address",
     "bob",
     free_of_limits,
     {plenty, four_pings},
     true},
};

TEST_CASE("what a user, or an address, sends is counted together, refused with its id, and may come again later") {
  for (const auto& row : rows) {
    CAPTURE(row.name);
    RealtimeOptions options;
    options.connection.user = row.user;
    options.connection.address = row.address;
    RealtimeWorld world{options};
    auto first = world.connect("alice");
    auto other = world.connect(row.other);
    auto stranger = world.connect("carol");
    for (int i = 0; i < 2; ++i) {
      CHECK_EQ(types(world.exchange(first, ping)), "pong");
      CHECK_EQ(types(world.exchange(other, ping)), "pong");
    }
    for (auto* socket : {&first, &other}) {
      auto frames = world.exchange(*socket, ping);
      REQUIRE_EQ(types(frames), "error");
      CHECK_EQ(field(frames[0], "code"), "rate_limited");
      CHECK_EQ(field(frames[0], "message"), row.message);
      CHECK_EQ(field(frames[0], "id"), "7");
      CHECK_NE(field(frames[0], "retry_after_ms"), "");
      CHECK_EQ((*socket)->close_code(), std::nullopt);
    }
    CHECK_EQ(types(world.exchange(stranger, ping)), row.stranger_is_refused ? "error" : "pong");
    first->vanish();
    world.world.run_until_idle();
    auto again = world.connect("alice");
    CHECK_EQ(types(world.exchange(again, ping)), "error");  // coming back does not help
    world.world.advance(1500ms);
    CHECK_EQ(types(world.exchange(again, ping)), "pong");
  }
}

TEST_CASE("a publication over the rate of its user reaches nobody") {
  RealtimeOptions options;
  options.connection.user.frames = {.per_second = 1, .burst = 2};
  RealtimeWorld world{options};
  auto reader = world.connect("bob", 1);
  CHECK_EQ(types(world.exchange(reader, R"({"type":"subscribe","topics":["a"]})")), "subscription_confirmed");
  auto writer = world.connect("alice");
  for (int i = 0; i < 5; ++i) world.exchange(writer, R"({"type":"publish","topic":"a","payload":1})");
  CHECK_EQ(types(reader->take()), "message message");
}

TEST_CASE("frames that cannot be read count too") {
  RealtimeOptions options;
  options.connection.address.frames = {.per_second = 1, .burst = 3};
  RealtimeWorld world{options};
  auto socket = world.connect("alice");
  for (int i = 0; i < 3; ++i) CHECK_EQ(field(world.exchange(socket, "x")[0], "code"), "bad_request");
  CHECK_EQ(field(world.exchange(socket, ping)[0], "code"), "rate_limited");
}

TEST_CASE(
    "who has begun as many topics as one may, and keeps them by being subscribed, is refused, and nobody else is") {
  RealtimeOptions options;
  options.settings = std::make_shared<const RealtimeSettings>(NamespaceOptions{.history = {.count_max = 0}});
  options.router.topics = {.topics_max = 4, .by_user_max = 2};
  RealtimeWorld world{options};
  auto eve = world.connect("eve");
  auto bob = world.connect("bob", 1);
  auto carol = world.connect("carol");
  std::vector<std::string> names;  // of one home
  for (const auto* prefix : {"a.", "b.", "c.", "d.", "e."}) names.push_back(topic_at(0, prefix));
  const auto subscribe = [&](testing::Socket& socket, std::string_view topic) {
    world.exchange(socket, fmt::format(R"({{"type":"subscribe","topics":["{}"]}})", topic));
  };
  const auto publish = [&](testing::Socket& socket, std::string_view topic) {
    return world.exchange(socket, fmt::format(R"({{"type":"publish","id":"p","topic":"{}","payload":1}})", topic))
        .back();
  };
  for (const auto& name : names) subscribe(eve, name);
  CHECK_EQ(field(publish(eve, names[0]), "type"), "ack");
  CHECK_EQ(field(publish(eve, names[1]), "type"), "ack");
  const auto refused = publish(eve, names[2]);
  CHECK_EQ(field(refused, "code"), "rate_limited");
  CHECK_EQ(field(refused, "message"), "this user has begun as many topics as one user may");
  CHECK_NE(field(refused, "retry_after_ms"), "");
  CHECK_EQ(field(publish(eve, names[0]), "offset"), "2");
  CHECK_EQ(field(publish(bob, names[2]), "type"), "ack");
  CHECK_EQ(field(publish(bob, names[3]), "type"), "ack");
  CHECK_EQ(field(publish(carol, names[4]), "code"), "overloaded");
  CHECK_EQ(moved(world, "troupe_realtime_topics_refused_total"), "core=1 user=1");
  world.exchange(eve, fmt::format(R"({{"type":"unsubscribe","topics":["{}"]}})", names[1]));
  CHECK_EQ(field(publish(eve, names[4]), "type"), "ack");  // in its place
}

}  // namespace
}  // namespace troupe::realtime
