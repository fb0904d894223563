// MessageRouterActor: two routers in a simulated world, without any connection: counting across cores, and what a
// core that cannot be reached means.
#include "troupe/realtime/topic/message_router_actor.h"

#include <doctest/doctest.h>

#include "troupe/actor/sim/world.h"

namespace troupe::realtime {
namespace {

using namespace std::chrono_literals;

TopicPattern pattern(std::string_view text) { return TopicPattern::parse(text).value(); }

struct Noted final : Receiver {
  const ConnectionId& connection() const noexcept override { return id; }
  const UserId& user() const noexcept override { return name; }
  void registered(ReceiverNumber) override {}
  Delivery deliver(const FrameRef& frame, Overflow) override {
    if (breaks) throw std::runtime_error{"broken"};
    events.push_back(std::to_string(frame->position.offset));
    return Delivery::accepted;
  }
  bool has_scope(const std::string&) const override { return true; }
  void withheld(std::string_view, const Position&, const StreamPlace&) override {}
  void left_out(std::string_view, const Position&) override {}
  void missed(std::string_view, const Epoch&, Offset from, Offset to, Overflow, const StreamPlace&) override {
    events.push_back("missed " + std::to_string(from) + "-" + std::to_string(to));
  }
  void open_inbox(const InboxContents&) override {}
  void routes_lost(RoutesCut) override { events.push_back("lost"); }
  ConnectionId id{"c"};
  UserId name{"u"};
  std::vector<std::string> events;
  bool breaks = false;
};

struct Routers {
  explicit Routers(RouterOptions options = {}) {
    auto routers = std::make_shared<std::vector<RouterRef>>();
    for (CoreIndex core = 0; core < 2; ++core) {
      routers->push_back(world.spawn<MessageRouterActor>({.core = static_cast<int>(core)}, options, core,
                                                         std::make_shared<RouterMemory>()));
    }
    for (auto router : *routers) router.tell(JoinRouters{routers});
    refs = *routers;
    world.run_until_idle();
  }

  base::LocalRef<Noted> subscriber(CoreIndex core, std::string_view wanted) {
    auto receiver = base::make_local<Noted>();
    auto number = world.block_on(refs[core].ask(Register{receiver}));
    auto results = world.block_on(refs[core].ask(AddSubscriptions{*number, {{pattern(wanted)}}}));
    CHECK(results.has_value());
    return receiver;
  }
  PublishMessage publication() {
    return {{0, 0, UserId{"u"}},
            std::make_unique<Publish>(actor::CoreMemory{}, TopicName::parse(topic).value(),
                                      Payload{PayloadKind::json, "1"})};
  }

  /// A topic whose home is the first router.
  static std::string topic_of_first() {
    std::string name = "t";
    while (home_of(name, 2) != 0) name += 't';
    return name;
  }

  actor::test::World world{7, {.cores = 2}};
  std::vector<RouterRef> refs;
  std::string topic = topic_of_first();
};

TEST_CASE("who subscribes to nothing is answered at once") {
  Routers routers;
  auto number = routers.world.block_on(routers.refs[0].ask(Register{base::make_local<Noted>()}));
  auto results = routers.world.block_on(routers.refs[0].ask(AddSubscriptions{*number, {}}));
  REQUIRE(results.has_value());
  CHECK(results->empty());
}

TEST_CASE("past its room a core takes subscriptions to what somebody there has, and to nothing else") {
  RouterOptions options;
  options.subscription_segments_max = 8;  // the root is one
  Routers routers{options};
  const auto add = [&](std::vector<WantedTopic> wanted) {
    const auto number = routers.world.block_on(routers.refs[0].ask(Register{base::make_local<Noted>()}));
    const auto added = routers.world.block_on(routers.refs[0].ask(AddSubscriptions{*number, std::move(wanted)}));
    if (!added) CHECK(added.error().domain.has_value());
    return std::pair{*number, added.has_value()};
  };
  const auto [first, is_first_added] = add({{pattern("a.b.c")}, {pattern("a.b.*")}});
  CHECK(is_first_added);
  CHECK_FALSE(add({{pattern("x.y.z.>")}}).second);
  CHECK(add({{pattern("a.b.c")}, {pattern("a.b.*")}}).second);
  CHECK_FALSE(add({{pattern("a.b.c")}, {pattern("x.y.z.>")}}).second);  // all or nothing
  CHECK(add({{pattern("x.>")}}).second);                                // nothing of those that were refused is left
  routers.refs[0].tell(RemoveSubscriptions{first, {pattern("a.b.c"), pattern("a.b.*")}});
  CHECK_FALSE(add({{pattern("x.y.z.>")}}).second);  // others have it still

  // Names whose receivers are remembered take of the room, too; what somebody has needs none.
  for (int i = 0; i < 20; ++i) {
    auto message = routers.publication();
    message.publication->topic = TopicName::parse("x.y.z" + std::to_string(i)).value();
    (void)routers.world.block_on(routers.refs[home_of(message.publication->topic.text(), 2)].ask(std::move(message)));
  }
  CHECK_FALSE(add({{pattern("new")}}).second);
  CHECK(add({{pattern("a.b.c")}, {pattern("x.>")}}).second);
}

struct Ask {
  AddSubscriptions wanted;
};
/// A connection that asks for subscriptions and waits for the answer.
class Asker {
 public:
  Asker(RouterRef router, int* answered) : router_(std::move(router)), answered_(answered) {}
  actor::Task<void> handle(Ask message) {
    auto results = co_await router_.ask(std::move(message.wanted));
    if (results) ++*answered_;
  }

 private:
  RouterRef router_;
  int* answered_;
};

TEST_CASE("where history is read for one at a time the others wait for their turn, and all are answered") {
  RouterOptions options;
  options.recoveries_max = 1;
  Routers routers{options};
  const WantedTopic recovers{pattern(routers.topic), RecoverFrom{Position{Epoch{"e"}, 1}, {}}};
  int answered = 0;
  for (int i = 0; i < 5; ++i) {
    const auto number = routers.world.block_on(routers.refs[0].ask(Register{base::make_local<Noted>()}));
    routers.world.spawn<Asker>({}, routers.refs[0], &answered)
        .tell(Ask{{*number, {recovers, {pattern("x.>"), RecoverFrom{}}}}});
  }
  routers.world.run_until_idle();
  CHECK_EQ(answered, 5);
}

TEST_CASE("a publication is counted on all cores before its asker is answered") {
  Routers routers;
  auto here = routers.subscriber(0, routers.topic);
  auto there = routers.subscriber(1, "*");
  auto ack = routers.world.block_on(routers.refs[0].ask(routers.publication()));
  REQUIRE(ack.has_value());
  CHECK_EQ(ack->delivered_to, 2);
  CHECK_EQ(ack->position.offset, 1);
  CHECK_EQ(here->events, std::vector<std::string>{"1"});
  CHECK_EQ(there->events, std::vector<std::string>{"1"});
}

TEST_CASE("a direct message that a core never counts is known when it is sent again under its key") {
  Routers routers;
  auto there = base::make_local<Noted>();
  there->breaks = true;
  std::string user = "u";
  while (home_of(inbox_topic(UserId{user}), 2) != 0) user += 'u';
  there->name = UserId{user};
  REQUIRE(routers.world.block_on(routers.refs[1].ask(Register{there})).has_value());
  const SendDirect message{UserId{"sender"}, {UserId{user}, {PayloadKind::json, "1"}, "key"}};
  CHECK_FALSE(routers.world.block_on(routers.refs[0].ask(message)).has_value());
  routers.world.advance(15s);  // the home does not wait any longer either
  auto again = routers.world.block_on(routers.refs[0].ask(message));
  REQUIRE(again.has_value());
  CHECK_FALSE(again->message.value().empty());
  CHECK(again->connections.empty());
}

TEST_CASE("what a core that is behind could not take is told as missed, before what follows") {
  Routers routers{{.window_messages = 8}};
  auto there = routers.subscriber(1, routers.topic);
  for (int i = 0; i < 200; ++i) routers.refs[0].tell(routers.publication());
  routers.world.run_until_idle();
  routers.world.advance(2s);
  auto ack = routers.world.block_on(routers.refs[0].ask(routers.publication()));
  REQUIRE(ack.has_value());
  CHECK_EQ(ack->position.offset, 201);
  routers.world.advance(2s);
  Offset next = 1;
  for (const auto& event : there->events) {
    unsigned long from = 0, to = 0;
    if (std::sscanf(event.c_str(), "missed %lu-%lu", &from, &to) != 2) from = to = std::stoul(event);
    CHECK_EQ(from, next);
    next = to + 1;
  }
  CHECK_EQ(next, 202);
  CHECK_LT(there->events.size(), 201);
}

TEST_CASE("who subscribes while its core is behind is not told that it missed what it was confirmed to have") {
  Routers routers{{.window_messages = 8}};
  auto behind = routers.subscriber(1, routers.topic);
  for (int i = 0; i < 200; ++i) routers.refs[0].tell(routers.publication());
  auto fresh = base::make_local<Noted>();
  const auto number = routers.world.block_on(routers.refs[1].ask(Register{fresh}));
  const auto added = routers.world.block_on(routers.refs[1].ask(AddSubscriptions{*number, {{pattern(routers.topic)}}}));
  REQUIRE(added.has_value());
  const auto confirmed = added->front().topic.position.offset;
  fresh->events.clear();  // what came before the confirmation is held back by a connection, and compared with it
  routers.world.advance(2s);
  for (const auto& event : fresh->events) {
    unsigned long from = 0, to = 0;
    if (std::sscanf(event.c_str(), "missed %lu-%lu", &from, &to) != 2) from = std::stoul(event);
    CHECK_GT(from, confirmed);
  }
  CHECK_FALSE(behind->events.empty());
}

TEST_CASE("on real cores every subscriber gets every publication, once and in order") {
  constexpr int publications = 500;
  std::array<base::LocalRef<Noted>, 2> receivers{base::make_local<Noted>(), base::make_local<Noted>()};
  {
    actor::System system{{.cores = 2}};
    auto routers = std::make_shared<std::vector<RouterRef>>();
    for (CoreIndex core = 0; core < 2; ++core) {
      routers->push_back(system.spawn<MessageRouterActor>({.core = static_cast<int>(core)}, RouterOptions{}, core));
    }
    for (auto router : *routers) router.tell(JoinRouters{routers});
    auto topic = Routers::topic_of_first();
    for (CoreIndex core = 0; core < 2; ++core) {
      auto number = system.block_on((*routers)[core].ask(Register{receivers[core]}));
      AddSubscriptions wanted{*number, {{pattern(core == 0 ? topic : "*")}}};
      REQUIRE(system.block_on((*routers)[core].ask(wanted)).has_value());
    }
    for (int i = 0; i < publications; ++i) {
      PublishMessage message{{0, 0, UserId{"u"}},
                             std::make_unique<Publish>(actor::CoreMemory{}, TopicName::parse(topic).value(),
                                                       Payload{PayloadKind::json, "1"})};
      auto ack = system.block_on((*routers)[0].ask(std::move(message)));
      REQUIRE(ack.has_value());
      CHECK_EQ(ack->delivered_to, 2);
    }
    system.shutdown();
  }
  for (const auto& receiver : receivers) {
    REQUIRE_EQ(receiver->events.size(), publications);
    for (int i = 0; i < publications; ++i)
      CHECK_EQ(receiver->events[static_cast<std::size_t>(i)], std::to_string(i + 1));
  }
}

TEST_CASE("a core that said a topic is too fast for it, and is no more, holds publishers up for a short time only") {
  Routers routers{
      {.settings = std::make_shared<const RealtimeSettings>(NamespaceOptions{.overflow = Overflow::backpressure})}};
  routers.refs[0].tell(TopicsPressed{1, {routers.topic}});
  auto refused = routers.world.block_on(routers.refs[0].ask(routers.publication()));
  REQUIRE_FALSE(refused.has_value());
  CHECK_EQ(refused.error().domain, PublishError::slow_reader);
  routers.world.advance(pressure_believed);
  auto ack = routers.world.block_on(routers.refs[0].ask(routers.publication()));
  REQUIRE(ack.has_value());
  CHECK_EQ(ack->position.offset, 1);  // none was given to the first
}

TEST_CASE("history is read at the topic's home") {
  Routers routers;
  for (int i = 0; i < 3; ++i) routers.refs[0].tell(routers.publication());
  ReadHistory request{TopicName::parse(routers.topic).value(), 2, Direction::newest, {}};
  auto page = routers.world.block_on(routers.refs[0].ask(ReadTopic{request}));
  REQUIRE(page.has_value());
  CHECK_EQ(page->items.size(), 2);
  CHECK_EQ(page->items.back().offset, 3);
}

}  // namespace
}  // namespace troupe::realtime
