// `/events` that go on when something else is not as it was: other topics, other permissions. And whose a stream's
// session is.
#include <doctest/doctest.h>

#include <set>

#include "troupe/realtime/testing/test_events.h"
#include "troupe/wire/json.h"

namespace troupe::realtime {
namespace {

using testing::ask_for_events;
using testing::Event;
using testing::Events;
using testing::field;
using testing::RealtimeWorld;
using testing::token_of_user;
using testing::types;

constexpr std::string_view bob = "bob";  // who may what the configuration grants everybody

RealtimeOptions granting(std::initializer_list<std::string_view> topics) {
  NamespaceOptions defaults;
  for (auto topic : topics)
    defaults.default_grants.push_back({TopicPattern::parse(topic).value(), TopicAction::subscribe});
  RealtimeOptions options;
  options.settings = std::make_shared<const RealtimeSettings>(defaults);
  return options;
}

void use(RealtimeWorld& world, RealtimeOptions options) {
  world.realtime->supervisor().tell(UseOptions{std::make_shared<const RealtimeOptions>(std::move(options))});
  world.world.run_until_idle();
}

void publish(RealtimeWorld& world, testing::Socket& socket, std::string_view topic, int payload) {
  world.exchange(socket, fmt::format(R"({{"type":"publish","topic":"{}","payload":{}}})", topic, payload));
}

/// The stream has vanished, and another one goes on from its last id, on the other core.
Events go_on(RealtimeWorld& world, std::string_view query, Events& before, std::string_view token = bob) {
  const auto id = before->last_id();
  before->vanish();
  world.world.run_until_idle();
  return ask_for_events(world, query, token, fmt::format("Last-Event-ID: {}\r\n", id), 1);
}

/// Each topic of a confirmation, with '+' where it was recovered: "a- b+".
std::string recovered(const Event& confirmation) {
  std::string text;
  const auto json = wire::parse_json(confirmation.data);
  for (const auto& entry : *json->find("topics")->array()) {
    text += (text.empty() ? "" : " ") + *entry.string_at("topic") + (*entry.find("recovered")->boolean() ? "+" : "-");
  }
  return text;
}

struct Row {
  std::string_view query, kept, lost;     // subscribed to
  std::string_view kept_name, lost_name;  // published to
  std::string_view regained;              // what the confirmation says when all is granted again
  std::string_view missed;                // the payloads that follow it
};

// A name goes on where it was. The place of a pattern is that of the shards, which have gone on without it.
constexpr Row rows[] = {
    {"topic=a&topic=b", "b", "a", "b", "a", "a+ b+", "4"},
    {"topic=a.*&topic=b", "b", "a.*", "b", "a.x", "a.*- b+", ""},
    {"topic=a&topic=b.*", "b.*", "a", "b.x", "a", "a+ b.*+", "4"},
    {"topic=a.*&topic=b.*", "b.*", "a.*", "b.x", "a.x", "a.*- b.*+", ""},
};

TEST_CASE("a stream that lost a topic to the configuration keeps its place in the others, and is told of it again") {
  for (const Row& row : rows) {
    CAPTURE(row.query);
    RealtimeWorld world{granting({row.kept, row.lost})};
    auto alice = world.connect("alice");
    auto events = ask_for_events(world, row.query, bob);
    for (const auto name : {row.kept_name, row.lost_name}) publish(world, alice, name, 1);
    use(world, granting({row.kept}));
    publish(world, alice, row.kept_name, 2);
    CHECK_EQ(types(events->take()), "welcome subscription_confirmed message message unsubscribed message");

    for (int times = 0; times < 2; ++times) {
      events = go_on(world, row.query, events);
      if (times == 0) publish(world, alice, row.kept_name, 3);
      const auto told = events->take();
      REQUIRE_EQ(types(told), times == 0 ? "welcome unsubscribed subscription_confirmed message"
                                         : "welcome unsubscribed subscription_confirmed");
      CHECK_NE(told[1].data.find(fmt::format(R"("topics":["{}"])", row.lost)), std::string::npos);
      CHECK_EQ(field(told[1].data, "reason"), "forbidden");
      CHECK_EQ(recovered(told[2]), fmt::format("{}+", row.kept));
    }
    publish(world, alice, row.lost_name, 4);

    use(world, granting({row.kept, row.lost}));
    events = go_on(world, row.query, events);
    auto told = events->take();
    REQUIRE_GE(told.size(), 2);
    CHECK_EQ(recovered(told[1]), row.regained);
    std::string missed;
    for (std::size_t i = 2; i < told.size(); ++i) missed += field(told[i].data, "payload");
    CHECK_EQ(missed, row.missed);
    publish(world, alice, row.lost_name, 5);
    events->take();
    told = go_on(world, row.query, events)->take();
    REQUIRE_EQ(types(told), "welcome subscription_confirmed");
    CHECK_EQ(recovered(told[1]), fmt::format("{}+ {}+", row.lost, row.kept));
  }
}

TEST_CASE("what was missed of the topics that are left follows, whichever the stream has lost") {
  RealtimeWorld world{granting({"a", "b"})};
  auto alice = world.connect("alice");
  auto events = ask_for_events(world, "topic=a&topic=b", bob);
  events->take();
  const auto id = events->last_id();
  events->vanish();
  for (const auto* topic : {"a", "b"}) publish(world, alice, topic, 1);
  use(world, granting({"b"}));
  const auto told = ask_for_events(world, "topic=a&topic=b", bob, fmt::format("Last-Event-ID: {}\r\n", id))->take();
  REQUIRE_EQ(types(told), "welcome unsubscribed subscription_confirmed message");
  CHECK_EQ(field(told[3].data, "topic"), "b");
}

TEST_CASE("a stream that would have nothing left is refused, and so is one with a topic that it never had") {
  RealtimeWorld world{granting({"a", "b"})};
  auto events = ask_for_events(world, "topic=a&topic=b", bob);
  use(world, granting({"b"}));
  CHECK_EQ(ask_for_events(world, "topic=a&topic=b", bob)->status(), 403);  // it shows no id
  CHECK_EQ(go_on(world, "topic=a&topic=b&topic=c", events)->status(), 403);
  CHECK_EQ(go_on(world, "topic=a", events)->status(), 403);
  CHECK_EQ(go_on(world, "topic=a&topic=b", events)->status(), 200);
}

TEST_CASE("with other topics a stream goes on in those that it had, and begins with what comes now in the others") {
  RealtimeWorld world{granting({">"})};
  auto alice = world.connect("alice");
  auto events = ask_for_events(world, "topic=a&topic=b.*&topic=c", bob);
  events->take();
  const auto id = fmt::format("Last-Event-ID: {}\r\n", events->last_id());
  for (const auto* topic : {"a", "b.x", "c", "d", "e.x"}) publish(world, alice, topic, 1);
  struct Change {
    std::string_view query, recovered;
    std::set<std::string> missed;
  };
  const Change changes[] = {
      {"topic=a", "a+", {"a"}},
      {"topic=a&topic=d", "a+ d-", {"a"}},
      {"topic=b.*&topic=e.*", "b.*+ e.*-", {"b.x"}},
      {"topic=c&topic=b.*", "b.*+ c+", {"b.x", "c"}},
      {"topic=d&topic=e.*", "d- e.*-", {}},
  };
  for (const Change& change : changes) {
    CAPTURE(change.query);
    const auto told = ask_for_events(world, change.query, bob, id)->take();
    REQUIRE_GE(told.size(), 2);
    CHECK_EQ(recovered(told[1]), change.recovered);
    std::set<std::string> missed;
    for (std::size_t i = 2; i < told.size(); ++i) missed.insert(field(told[i].data, "topic"));
    CHECK_EQ(missed, change.missed);
  }
}

TEST_CASE("a stream whose topics find no room is told so, and to come again later") {
  RealtimeOptions options;
  options.router.subscription_segments_max = 3;
  RealtimeWorld world{options};
  const auto token = token_of_user("bob");
  auto first = ask_for_events(world, "topic=a.b", token);
  CHECK_EQ(types(first->take()), "welcome subscription_confirmed");
  auto second = ask_for_events(world, "topic=c.d", token);
  const auto told = second->take();
  REQUIRE_EQ(types(told), "welcome error closed");
  CHECK_EQ(field(told[1].data, "code"), "overloaded");
  CHECK_EQ(field(told[2].data, "code"), "1013");
  CHECK(second->is_closed());
}

TEST_CASE("a socket does not go on with the session of a stream, which stays as it is") {
  RealtimeWorld world;
  const auto token = token_of_user("bob");
  auto events = ask_for_events(world, "topic=a", token);
  const auto session = field(events->take().at(0).data, "session");
  const auto wanted = fmt::format("/ws?session={}", session);
  const auto authorization = fmt::format("Authorization: Bearer {}\r\n", token);
  auto socket = world.ask_for(wanted, authorization, 1);
  auto welcome = socket->take();
  REQUIRE_EQ(types(welcome), "welcome");
  CHECK_EQ(field(welcome[0], "resumed"), "false");
  CHECK_NE(field(welcome[0], "session"), session);
  auto alice = world.connect("alice");
  publish(world, alice, "a", 1);
  CHECK_EQ(types(events->take()), "message");
  events->vanish();
  world.world.run_until_idle();
  socket = world.ask_for(wanted, authorization);
  CHECK_EQ(field(socket->take().at(0), "resumed"), "false");
}

}  // namespace
}  // namespace troupe::realtime
