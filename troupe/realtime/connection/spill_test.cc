// `spill`: what a slow reader found no room for is read again from history, in order and once; only what history
// lost meanwhile is told.
#include <doctest/doctest.h>

#include "troupe/actor/sim/explore.h"
#include "troupe/realtime/connection/connection_supervisor.h"
#include "troupe/realtime/testing/beside.h"
#include "troupe/realtime/testing/realtime_world.h"
#include "troupe/realtime/testing/story.h"

namespace troupe::realtime {
namespace {

using namespace std::chrono_literals;
using testing::field;
using testing::Frames;
using testing::RealtimeWorld;
using testing::Socket;
using testing::story_of;
using testing::topic_at;
using testing::types;

RealtimeOptions small_options(HistoryLimits history = {}) {
  RealtimeOptions options;
  options.connection.outbox.messages_max = 8;
  options.connection.outbox.spill_page_messages_max = 10;
  options.connection.frames = {.per_second = 1e6, .burst = 1e6};
  options.settings = std::make_shared<const RealtimeSettings>(NamespaceOptions{.history = history});
  return options;
}

constexpr net::MemoryNetworkOptions narrow{.buffer_bytes = 1024};

void subscribe(RealtimeWorld& world, Socket& socket, std::string_view topics, std::string_view more = "") {
  auto frames =
      world.exchange(socket, fmt::format(R"({{"type":"subscribe","topics":[{}],"overflow":"spill"{}}})", topics, more));
  REQUIRE_FALSE(frames.empty());
  REQUIRE_EQ(field(frames[0], "type"), "subscription_confirmed");
}

void publish(RealtimeWorld& world, Socket& socket, std::string_view topic, int count, std::string_view more = "") {
  for (int i = 0; i < count; ++i) {
    socket->say(
        fmt::format(R"({{"type":"publish","topic":"{}","payload":"xxxxxxxxxxxxxxxxxxxxxxxx"{}}})", topic, more));
    world.world.run_until_idle();
  }
}

Frames read_on(RealtimeWorld& world, Socket& socket) {
  socket->read_again();
  world.world.advance(1s);
  return socket->take();
}

TEST_CASE("a slow reader that spills gets all that history kept, in order and once, wherever the topic lives") {
  for (std::size_t home : {0u, 1u}) {
    for (std::size_t core : {0u, 1u}) {
      CAPTURE(home);
      CAPTURE(core);
      RealtimeWorld world{small_options(), 1, narrow};
      auto alice = world.connect("alice", 0);
      auto slow = world.connect("slow", core);
      const auto topic = topic_at(home);
      subscribe(world, slow, fmt::format("\"{}\"", topic));
      slow->stop_reading();
      publish(world, alice, topic, 150);
      CHECK_EQ(story_of(read_on(world, slow), topic), "1-150");
      publish(world, alice, topic, 2);
      CHECK_EQ(story_of(slow->take(), topic), "151-152");
    }
  }
}

TEST_CASE("what spilled counts neither as delivered nor as dropped") {
  RealtimeWorld world{small_options(), 1, narrow};
  auto alice = world.connect("alice", 0);
  auto slow = world.connect("slow", 1);
  subscribe(world, slow, R"("t")");
  slow->stop_reading();
  publish(world, alice, "t", 50);
  auto ack = world.exchange(alice, R"({"type":"publish","id":"1","topic":"t","payload":1})");
  CHECK_EQ(field(ack[0], "delivered_to"), "0");
}

TEST_CASE("only what history lost meanwhile is told, as expired") {
  RealtimeWorld world{small_options({.count_max = 20}), 1, narrow};
  auto alice = world.connect("alice", 0);
  auto slow = world.connect("slow", 1);
  subscribe(world, slow, R"("t")");
  slow->stop_reading();
  publish(world, alice, "t", 100);
  const auto frames = read_on(world, slow);
  const auto gap = std::ranges::find(frames, "gap", [](const std::string& frame) { return field(frame, "type"); });
  REQUIRE(gap != frames.end());
  CHECK_EQ(story_of(frames),
           fmt::format("1-{} gap {}-80 expired 81-100", std::stoi(field(*gap, "from")) - 1, field(*gap, "from")));
}

TEST_CASE("what was lost is told even if nothing is left to be read") {
  RealtimeWorld world{small_options({.age_max = 2s}), 1, narrow};
  auto alice = world.connect("alice", 0);
  auto slow = world.connect("slow", 1);
  subscribe(world, slow, R"("t")");
  slow->stop_reading();
  publish(world, alice, "t", 50);
  world.world.advance(5s);
  CHECK(story_of(read_on(world, slow)).ends_with("-50 expired"));
  publish(world, alice, "t", 1);
  CHECK_EQ(story_of(slow->take()), "51");
}

TEST_CASE("a pattern spills each of its topics by itself") {
  RealtimeWorld world{small_options(), 1, narrow};
  auto alice = world.connect("alice", 0);
  auto slow = world.connect("slow", 1);
  subscribe(world, slow, R"("t.*")");
  slow->stop_reading();
  for (int i = 0; i < 40; ++i) {
    for (const auto* topic : {"t.a", "t.b", "t.c", "t.d"}) publish(world, alice, topic, 1);
  }
  const auto frames = read_on(world, slow);
  for (const auto* topic : {"t.a", "t.b", "t.c", "t.d"}) CHECK_EQ(story_of(frames, topic), "1-40");
}

TEST_CASE("a topic that spilled keeps its order under publications that go on, and other policies stay as they are") {
  int spilled = 0;
  actor::test::explore(
      {.schedules = 30},
      [&](actor::test::Seed seed) {
        RealtimeWorld world{small_options(),
                            seed,
                            {.buffer_bytes = 1024, .faults = {.short_write_in = 4, .delay_max = 2ms}},
                            {.timer_delay_max = 5ms, .ring_full = {3}, .job_delay_max = 20ms}};
        base::SeededRandom random{seed.number};
        auto alice = world.connect("alice", 0);
        auto slow = world.connect("slow", random.below(2));
        world.world.advance(20ms);
        slow->take();
        slow->say(R"({"type":"subscribe","topics":["a","b"],"overflow":"spill"})");
        slow->say(R"({"type":"subscribe","topics":["c"],"overflow":"drop_newest"})");
        world.world.advance(100ms);
        const std::string topics = "abc";
        std::map<char, int> published;
        for (int round = 0; round < 200; ++round) {
          if (random.below(10) == 0) random.below(2) == 0 ? slow->stop_reading() : slow->read_again();
          const char topic = topics[random.below(3)];
          ++published[topic];
          alice->say(fmt::format(R"({{"type":"publish","topic":"{}","payload":"xxxxxxxxxxxxxxxxxxxxxxxx"}})", topic));
          world.world.run(random.below(20));
          if (random.below(6) == 0) world.world.advance(std::chrono::milliseconds{random.below(4)});
        }
        slow->read_again();
        world.world.advance(5s);
        const auto frames = slow->take();
        for (const char topic : {'a', 'b'}) {
          CHECK_EQ(story_of(frames, std::string{topic}), fmt::format("1-{}", published[topic]));
        }
        spilled += story_of(frames, "c").contains("gap") ? 1 : 0;
      },
      [&] { CHECK_GT(spilled, 10); });
}

TEST_CASE("after unsubscribing nothing of what spilled comes any more, unless another subscription brings it") {
  RealtimeWorld world{small_options(), 1, narrow};
  auto alice = world.connect("alice", 0);
  for (const bool by_pattern_too : {false, true}) {
    CAPTURE(by_pattern_too);
    auto slow = world.connect("slow", 1);
    subscribe(world, slow, by_pattern_too ? R"("t","*")" : R"("t")");
    slow->stop_reading();
    publish(world, alice, "t", 60);
    slow->say(R"({"type":"unsubscribe","id":"u","topics":["t"]})");
    world.world.run_until_idle();
    auto frames = read_on(world, slow);
    if (by_pattern_too) {
      CHECK_EQ(story_of(frames), "61-120");
    } else {
      CHECK_EQ(field(frames.back(), "type"), "unsubscription_confirmed");
      CHECK_LT(frames.size(), 40);
    }
  }
}

TEST_CASE("who subscribes again while a topic is behind loses nothing, and is told where he is") {
  RealtimeWorld world{small_options(), 1, narrow};
  auto alice = world.connect("alice", 0);
  auto slow = world.connect("slow", 1);
  subscribe(world, slow, R"("t")");
  slow->stop_reading();
  publish(world, alice, "t", 60);
  slow->say(R"({"type":"subscribe","topics":["t"],"overflow":"drop_oldest"})");
  world.world.run_until_idle();
  auto frames = read_on(world, slow);
  auto confirmed =
      std::ranges::find(frames, "subscription_confirmed", [](const auto& one) { return field(one, "type"); });
  REQUIRE(confirmed != frames.end());
  const int place = std::stoi(field(*confirmed, "offset"));
  CHECK_LT(place, 60);
  CHECK_EQ(story_of(Frames(frames.begin(), confirmed)), fmt::format("1-{}", place));
  CHECK_EQ(story_of(Frames(confirmed, frames.end())), fmt::format("{}-60", place + 1));
  publish(world, alice, "t", 2);
  CHECK_EQ(story_of(slow->take()), "61-62");
}

TEST_CASE("a pattern that is behind loses nothing when names in it are subscribed to, with it or from further on") {
  const struct {
    const char* topics;
    const char* recover_at;  // of the name; "": not wanted
  } rows[] = {{R"("t.a")", ""},       {R"("t.a","t.*")", ""},       {R"("t.*","t.a")", ""},
              {R"("t.a","t.>")", ""}, {R"("t.a","t.>","t.*")", ""}, {R"("t.a")", "60"},
              {R"("t.a")", "50"},     {R"("t.a","t.*")", "60"}};
  for (const auto& row : rows) {
    CAPTURE(row.topics);
    CAPTURE(row.recover_at);
    RealtimeWorld world{small_options(), 1, narrow};
    auto alice = world.connect("alice", 0);
    auto slow = world.connect("slow", 1);
    subscribe(world, slow, R"("t.*")");
    publish(world, alice, "t.a", 1);
    const auto epoch = field(slow->take().at(0), "epoch");
    slow->stop_reading();
    publish(world, alice, "t.a", 59);
    std::string recover;
    if (*row.recover_at != '\0')
      recover = fmt::format(R"(,"recover":{{"t.a":{{"epoch":"{}","offset":{}}}}})", epoch, row.recover_at);
    slow->say(fmt::format(R"({{"type":"subscribe","topics":[{}],"overflow":"spill"{}}})", row.topics, recover));
    world.world.run_until_idle();
    publish(world, alice, "t.a", 5);
    CHECK_EQ(story_of(read_on(world, slow), "t.a"), "2-65");
  }
}

TEST_CASE("a pattern is recovered whole, though a topic in it is behind further on") {
  RealtimeWorld world{small_options(), 1, narrow};
  auto alice = world.connect("alice", 0);
  auto early = world.connect("early", 1);
  const auto confirmed = world.exchange(early, R"({"type":"subscribe","topics":["t.*"]})").at(0);
  const auto from = confirmed.find(R"("shards":)");
  const std::string shards = confirmed.substr(from, confirmed.find("}}", from) + 2 - from);
  early->vanish();
  publish(world, alice, "t.a", 30);
  auto slow = world.connect("slow", 1);
  subscribe(world, slow, R"("t.a")");
  slow->stop_reading();
  publish(world, alice, "t.a", 60);
  slow->say(
      fmt::format(R"({{"type":"subscribe","topics":["t.*"],"overflow":"spill","recover":{{"t.*":{{{}}}}}}})", shards));
  world.world.run_until_idle();
  publish(world, alice, "t.a", 1);
  const auto frames = read_on(world, slow);
  const auto again =
      std::ranges::find(frames, "subscription_confirmed", [](const auto& one) { return field(one, "type"); });
  REQUIRE(again != frames.end());
  CHECK(again->contains(R"("recovered":true)"));
  CHECK_EQ(story_of(Frames(again, frames.end()), "t.a"), "1-91");
}

TEST_CASE("the session of a reader that was behind resumes from its position") {
  RealtimeWorld world{small_options(), 1, narrow};
  auto alice = world.connect("alice", 0);
  auto slow = std::make_unique<testing::TestSocket>(
      world.networks[1]->connect({{}, 80}), "/ws",
      fmt::format("Authorization: Bearer {}\r\n", testing::token_of_user("slow")));
  world.world.run_until_idle();
  const auto session = field(slow->take()[0], "session");
  auto confirmed = world.exchange(slow, R"({"type":"subscribe","topics":["t"],"overflow":"spill"})");
  const auto epoch = field(confirmed[0], "epoch");
  slow->stop_reading();
  publish(world, alice, "t", 60);
  slow->vanish();
  world.world.run_until_idle();
  auto again = world.ask_for("/ws?session=" + session,
                             fmt::format("Authorization: Bearer {}\r\n", testing::token_of_user("slow")), 1);
  again->take();
  auto frames = world.exchange(
      again, fmt::format(R"({{"type":"resume","positions":{{"t":{{"epoch":"{}","offset":3}}}}}})", epoch));
  CHECK_EQ(story_of(frames), "4-60");
  again->stop_reading();  // and it spills as before
  publish(world, alice, "t", 60);
  CHECK_EQ(story_of(read_on(world, again)), "61-120");
}

TEST_CASE("a topic whose reader is behind is not forgotten for another, and what history has lost is told") {
  auto options = small_options({.age_max = 2s});
  options.router.topics.topics_max = 1;
  RealtimeWorld world{options, 1, narrow};
  auto alice = world.connect("alice", 0);
  auto slow = world.connect("slow", 1);
  const auto topic = topic_at(0);
  auto another = topic + ".t";
  while (home_of(another, 2) != 0) another += "t";
  subscribe(world, slow, fmt::format("\"{}\"", topic));
  slow->stop_reading();
  publish(world, alice, topic, 50);
  world.world.advance(5s);
  publish(world, alice, another, 1);  // finds no room
  world.world.advance(5s);
  publish(world, alice, topic, 60);
  const auto frames = read_on(world, slow);
  const auto story = story_of(frames, topic);
  CAPTURE(story);
  CHECK(story.ends_with("-50 expired 51-110"));
}

TEST_CASE("a client gets none of its own back that it did not want, also not out of history") {
  RealtimeWorld world{small_options(), 1, narrow};
  auto alice = world.connect("alice", 0);
  auto slow = world.connect("slow", 1);
  subscribe(world, slow, R"("t")");
  slow->stop_reading();
  publish(world, alice, "t", 40);
  publish(world, slow, "t", 1, R"(,"exclude_self":true)");
  publish(world, alice, "t", 10);
  CHECK_EQ(story_of(read_on(world, slow)), "1-40 42-51");
}

TEST_CASE("the ack of a slow reader's own publication comes behind its copy, or where that would have stood") {
  for (const std::string more : {"", R"(,"exclude_self":true)"}) {
    CAPTURE(more);
    RealtimeWorld world{small_options(), 1, narrow};
    auto alice = world.connect("alice", 0);
    auto slow = world.connect("slow", 1);
    subscribe(world, slow, R"("t")");
    slow->stop_reading();
    publish(world, alice, "t", 40);
    publish(world, slow, "t", 1, R"(,"id":"own")" + more);
    publish(world, alice, "t", 10);
    const auto frames = read_on(world, slow);
    CHECK_EQ(story_of(frames), more.empty() ? "1-51" : "1-40 42-51");
    const auto ack = std::ranges::find(frames, "ack", [](const std::string& frame) { return field(frame, "type"); });
    REQUIRE(ack != frames.end());
    CHECK_EQ(field(*std::prev(ack), "offset"), more.empty() ? "41" : "40");
    CHECK_EQ(field(*std::next(ack), "offset"), "42");
  }
}

TEST_CASE("an ack waits for its own topic, also where others have the same epoch, as all on the disk") {
  const Epoch epoch{"e"};
  const base::Bytes ack{std::string{"ack"}};
  SpilledTopics topics;
  topics.add("a", {epoch, 10}, 20);
  CHECK_FALSE(topics.keep_ack("b", {epoch, 500}, ack));
  topics.add("b", {epoch, 400}, 500);
  CHECK(topics.keep_ack("b", {epoch, 500}, ack));
  CHECK(topics.erase("a").empty());
  CHECK_EQ(topics.erase("b").size(), 1);
  CHECK_EQ(topics.ack_bytes(), 0);
}

TEST_CASE("acks that wait for what is behind are answers that wait: too many stop the reading of commands") {
  auto options = small_options();
  options.connection.outbox.control_bytes_pause = 1000;
  RealtimeWorld world{options, 1, narrow};
  auto quick = world.connect("quick", 0);
  auto slow = world.connect("slow", 1);
  subscribe(world, quick, R"("t")");
  subscribe(world, slow, R"("t")");
  slow->stop_reading();
  publish(world, slow, "t", 100, R"(,"id":"own")");
  const auto published = quick->take().size();
  CHECK_GT(published, 10);
  CHECK_LT(published, 60);
  const auto frames = read_on(world, slow);
  CHECK_EQ(story_of(frames), "1-100");
  CHECK_EQ(std::ranges::count(frames, "ack", [](const std::string& frame) { return field(frame, "type"); }), 100);
  CHECK_EQ(quick->take().size(), 100 - published);
}

TEST_CASE("what is for others only is told as filtered where it would have stood") {
  auto options = small_options();
  RoutingRule rule{.topic = TopicPattern::parse("t").value(), .sender = UserId{"boss"}};
  rule.target = std::make_shared<const std::string>("staff");
  options.settings = std::make_shared<const RealtimeSettings>(NamespaceOptions{}, RealtimeSettings::Namespaces{},
                                                              Anonymous::refused, std::vector{rule});
  RealtimeWorld world{options, 1, narrow};
  auto alice = world.connect("alice", 0);
  auto boss = world.connect("boss", 0);
  auto slow = world.connect("slow", 1);
  subscribe(world, slow, R"("t")");
  slow->stop_reading();
  publish(world, alice, "t", 40);
  publish(world, boss, "t", 2);
  publish(world, alice, "t", 10);
  CHECK_EQ(story_of(read_on(world, slow)), "1-40 gap 41-42 filtered 43-52");
}

TEST_CASE("a reader with too many topics behind is closed, as one with too many gaps") {
  auto options = small_options();
  options.connection.outbox.spilled_max = 4;
  RealtimeWorld world{options, 1, narrow};
  auto alice = world.connect("alice", 0);
  auto slow = world.connect("slow", 1);
  subscribe(world, slow, R"("t.*")");
  slow->stop_reading();
  publish(world, alice, "t.x", 40);
  for (const auto* topic : {"t.a", "t.b", "t.c"}) publish(world, alice, topic, 1);
  CHECK_FALSE(slow->close_code().has_value());
  publish(world, alice, "t.d", 1);
  slow->read_again();
  world.world.advance(1s);
  CHECK_EQ(slow->close_code(), 4003);
}

TEST_CASE("a drain waits for what is behind") {
  RealtimeWorld world{small_options(), 1, narrow};
  auto alice = world.connect("alice", 0);
  auto slow = world.connect("slow", 1);
  subscribe(world, slow, R"("t")");
  slow->stop_reading();
  publish(world, alice, "t", 60);
  world.world.system().run_as_guest([](actor::Ref<SystemSupervisor> service) -> actor::Task<void> {
    (void)co_await service.ask(DrainRealtime{100ms}, {.within = 1min});
  }(world.realtime->supervisor()));
  world.world.advance(1s);
  CHECK_EQ(story_of(read_on(world, slow)), "1-60");
  CHECK_EQ(slow->close_code(), 1001);
}

TEST_CASE("a home that does not answer is asked again, and at last a gap is told") {
  const auto options = small_options();
  RealtimeWorld world{options, 1, narrow};
  auto beside = testing::open_beside(world, options.connection, narrow);
  (*beside.routers)[1] = {};
  auto alice = world.connect("alice", 0);
  auto slow = beside.connect(world);
  const auto topic = topic_at(1);
  subscribe(world, slow, fmt::format("\"{}\"", topic));
  slow->stop_reading();
  publish(world, alice, topic, 50);
  slow->read_again();
  world.world.advance(2s);
  auto frames = slow->take();
  const auto first = story_of(frames, topic);
  CHECK(first.starts_with("1-"));
  CHECK_FALSE(first.contains("gap"));
  publish(world, alice, topic, 1);
  world.world.advance(10s);
  frames = slow->take();
  CHECK_EQ(story_of(frames, topic), fmt::format("gap {}-51 overflow", std::stoi(first.substr(2)) + 1));
  publish(world, alice, topic, 1);
  CHECK_EQ(story_of(slow->take(), topic), "52");
}

}  // namespace
}  // namespace troupe::realtime
