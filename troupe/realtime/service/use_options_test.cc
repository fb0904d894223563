// New options while the service runs: on all cores, for the connections and topics that are there.
#include <doctest/doctest.h>

#include "troupe/realtime/testing/realtime_world.h"

namespace troupe::realtime {
namespace {

using testing::field;
using testing::RealtimeWorld;
using testing::types;

Grant grant(std::string_view scope) { return *Grant::parse(scope); }

RealtimeOptions options_of(NamespaceOptions defaults, RealtimeSettings::Namespaces namespaces = {},
                           Anonymous anonymous = Anonymous::refused) {
  RealtimeOptions options;
  options.settings = std::make_shared<const RealtimeSettings>(std::move(defaults), std::move(namespaces), anonymous);
  return options;
}

void use(RealtimeWorld& world, RealtimeOptions options) {
  world.realtime->supervisor().tell(UseOptions{std::make_shared<const RealtimeOptions>(std::move(options))});
  world.world.run_until_idle();
}

/// "confirmed", or the code of the error.
std::string subscribe(RealtimeWorld& world, testing::Socket& socket, std::string_view topic,
                      std::string_view more = "") {
  auto frames =
      world.exchange(socket, fmt::format(R"({{"type":"subscribe","id":"1","topics":["{}"]{}}})", topic, more));
  REQUIRE_FALSE(frames.empty());
  return field(frames[0], "type") == "error" ? field(frames[0], "code") : "confirmed";
}

TEST_CASE("grants of a namespace widen and narrow what open connections may do, on every core") {
  RealtimeWorld world{options_of({})};
  for (std::size_t core = 0; core < 2; ++core) {
    CAPTURE(core);
    use(world, options_of({}));
    auto socket = world.connect_token("bob,topic:own:subscribe", core);
    CHECK_EQ(subscribe(world, socket, "own"), "confirmed");
    CHECK_EQ(subscribe(world, socket, "chat.a"), "forbidden");

    use(world,
        options_of({},
                   {{"chat", {.default_grants = {grant("topic:chat.>:subscribe"), grant("topic:chat.a:publish")}}}}));
    CHECK_EQ(subscribe(world, socket, "chat.a"), "confirmed");
    CHECK_EQ(subscribe(world, socket, "chat.*"), "confirmed");
    CHECK_EQ(subscribe(world, socket, "news"), "forbidden");
    CHECK_EQ(types(world.exchange(socket, R"({"type":"publish","id":"2","topic":"chat.a","payload":1})")),
             "message ack");

    use(world, options_of({}, {{"chat", {.default_grants = {grant("topic:chat.a:subscribe")}}}}));
    auto frames = socket->take();
    REQUIRE_EQ(types(frames), "unsubscribed");
    CHECK_NE(frames[0].find(R"("topics":["chat.*"])"), std::string::npos);
    CHECK_EQ(field(frames[0], "reason"), "forbidden");
    CHECK_EQ(field(world.exchange(socket, R"({"type":"publish","id":"2","topic":"chat.a","payload":1})")[0], "code"),
             "forbidden");
    auto alice = world.connect("alice", 1 - core);
    world.exchange(alice, R"({"type":"publish","topic":"chat.a","payload":1})");
    world.exchange(alice, R"({"type":"publish","topic":"chat.b","payload":1})");
    CHECK_EQ(types(socket->take()), "message");  // of what is still permitted, and nothing else
  }
}

TEST_CASE("a subscription that is under way while the settings narrow ends too") {
  const auto open = options_of({}, {{"chat", {.default_grants = {grant("topic:chat.>:subscribe")}}}});
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    CAPTURE(seed);
    RealtimeWorld world{open, seed};
    auto bob = world.connect_token("bob");
    bob->say(R"({"type":"subscribe","id":"1","topics":["chat.a"]})");
    world.world.advance(std::chrono::microseconds{seed % 8});
    use(world, options_of({}));
    world.world.advance(std::chrono::milliseconds{50});
    auto said = types(bob->take());
    CHECK_MESSAGE((said == "error" || said == "subscription_confirmed unsubscribed"), said);
    auto alice = world.connect("alice", 1);
    auto ack = world.exchange(alice, R"({"type":"publish","id":"1","topic":"chat.a","payload":1})");
    CHECK_EQ(field(ack[0], "delivered_to"), "0");
  }
}

TEST_CASE("what is not permitted any more ends at once, however many commands wait for their turn") {
  const NamespaceOptions on_disk{.durability = Durability::disk};
  const auto open = options_of({}, {{"log", on_disk}, {"chat", {.default_grants = {grant("topic:chat.>:subscribe")}}}});
  for (std::size_t core = 0; core < 2; ++core) {
    CAPTURE(core);
    RealtimeWorld world{open};
    auto bob = world.connect_token("bob,topic:log.>:publish", core);
    auto alice = world.connect("alice", 1 - core);
    CHECK_EQ(subscribe(world, bob, "chat.a"), "confirmed");
    world.world.faults().journal.delay_max = std::chrono::hours{1};
    for (int i = 0; i < 20; ++i) bob->say(R"({"type":"publish","id":"p","topic":"log.a","payload":1})");
    world.world.run_until_idle();
    use(world, options_of({}, {{"log", on_disk}}));
    world.exchange(alice, R"({"type":"publish","topic":"chat.a","payload":1})");
    CHECK_EQ(types(bob->take()), "unsubscribed");
  }
}

TEST_CASE("where anonymous access ends, who has no token is sent away, and nobody else") {
  const auto open =
      options_of({}, {{"news", {.anonymous_grants = {grant("topic:news.>:subscribe")}}}}, Anonymous::allowed);
  RealtimeWorld world{open};
  auto anonymous = world.ask_for("/ws", "");
  auto bob = world.connect_token("bob", 1);
  CHECK_EQ(types(anonymous->take()), "welcome");
  CHECK_EQ(subscribe(world, anonymous, "news.a"), "confirmed");
  CHECK_EQ(subscribe(world, bob, "news.a"), "forbidden");  // it is for those without a token
  use(world, options_of({}));
  CHECK_EQ(anonymous->close_code(), 4001);
  CHECK_EQ(bob->close_code(), std::nullopt);
  CHECK_EQ(types(world.ask_for("/ws", "")->take()), "");  // the next one must authenticate
  use(world, open);
  CHECK_EQ(types(world.ask_for("/ws", "", 1)->take()), "welcome");
}

TEST_CASE("history bounds hold at once for a topic that is there") {
  RealtimeWorld world{options_of({.history = {.count_max = 10}})};
  auto alice = world.connect("alice");
  for (int i = 0; i < 6; ++i) world.exchange(alice, R"({"type":"publish","topic":"chat.a","payload":1})");
  auto kept = [&] {
    return world.exchange(alice, R"({"type":"history","id":"h","topic":"chat.a","limit":100})").size() - 1;
  };
  CHECK_EQ(kept(), 6);
  use(world, options_of({}, {{"chat", {.history = {.count_max = 2}}}}));
  CHECK_EQ(kept(), 2);
}

TEST_CASE("the namespace chooses the overflow policy where the client may not, or says nothing") {
  RealtimeWorld world{
      options_of({}, {{"live", {.overflow = Overflow::latest, .overflow_choice = OverflowChoice::server}}})};
  auto bob = world.connect("bob");
  CHECK_EQ(subscribe(world, bob, "live.a"), "confirmed");
  CHECK_EQ(subscribe(world, bob, "live.a", R"(,"overflow":"latest")"), "confirmed");
  CHECK_EQ(subscribe(world, bob, "live.a", R"(,"overflow":"drop_newest")"), "forbidden");
  CHECK_EQ(subscribe(world, bob, "other", R"(,"overflow":"drop_newest")"), "confirmed");
}

TEST_CASE("a reader of a namespace that keeps the latest gets the latest without asking for it") {
  RealtimeWorld world{options_of({}, {{"live", {.overflow = Overflow::latest}}}), 1, {.buffer_bytes = 2048}};
  auto bob = world.connect("bob");
  auto alice = world.connect("alice");
  CHECK_EQ(subscribe(world, bob, "live.a"), "confirmed");
  bob->stop_reading();
  for (int i = 1; i <= 100; ++i) {
    world.exchange(alice, fmt::format(R"({{"type":"publish","topic":"live.a","payload":{}}})", i));
  }
  bob->read_again();
  world.world.run_until_idle();
  auto frames = bob->take();
  CHECK_EQ(field(frames.back(), "payload"), "100");
  CHECK_NE(types(frames).find("gap"), std::string::npos);
  CHECK_LT(frames.size(), 60);
}

TEST_CASE("a payload over the bound of its namespace is too large, with its topic and the bound") {
  RealtimeWorld world{options_of({}, {{"small", {.payload_bytes_max = 8}}})};
  auto alice = world.connect("alice");
  auto answer = [&](std::string_view topic, std::string_view payload) {
    auto frames = world.exchange(
        alice, fmt::format(R"({{"type":"publish","id":"1","topic":"{}","payload":{}}})", topic, payload));
    return field(frames[0], "type") == "error" ? field(frames[0], "code") : field(frames[0], "type");
  };
  CHECK_EQ(answer("small.a", "12345678"), "ack");
  CHECK_EQ(answer("small.a", "123456789"), "too_large");
  CHECK_EQ(answer("other.a", "123456789"), "ack");
  use(world, options_of({}));
  CHECK_EQ(answer("small.a", "123456789"), "ack");
}

TEST_CASE("limits of connections and of the door change for those who are there") {
  RealtimeWorld world;
  auto bob = world.connect("bob");
  CHECK_EQ(subscribe(world, bob, "a"), "confirmed");
  RealtimeOptions tight;
  tight.connections_max = 1;
  tight.connection.subscriptions_max = 1;
  tight.allowed_origins = {"https://a.example"};
  use(world, tight);
  CHECK_EQ(subscribe(world, bob, "b"), "too_large");
  constexpr auto token = "Authorization: Bearer carol\r\n";
  CHECK_EQ(world.ask_for("/ws", token)->status(), 503);
  tight.connections_max = 2;
  use(world, tight);
  CHECK_EQ(world.ask_for("/ws", "Authorization: Bearer x\r\nOrigin: https://b.example\r\n")->status(), 403);
  CHECK_EQ(world.ask_for("/ws", "Authorization: Bearer x\r\nOrigin: https://a.example\r\n")->status(), 101);
}

}  // namespace
}  // namespace troupe::realtime
