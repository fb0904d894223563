// A history on the disk: what it promises of what was acknowledged, over power cuts, a disk that fails or is slow, and
// journals that do not say what came of a write.
#include <doctest/doctest.h>

#include "troupe/actor/persist/journal.h"
#include "troupe/realtime/testing/mine.h"
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
using testing::types;

/// Topics of "log" lie on the disk; all others in memory.
RealtimeOptions durable(HistoryLimits limits = {}) {
  RealtimeOptions options;
  RealtimeSettings::Namespaces namespaces;
  namespaces["log"] = {.history = limits, .durability = Durability::disk};
  options.settings = std::make_shared<const RealtimeSettings>(NamespaceOptions{}, std::move(namespaces));
  return options;
}

/// A name of "log" whose home is this core.
std::string on_disk(std::size_t core) { return testing::topic_at(core, "log."); }

std::string publish(RealtimeWorld& world, Socket& socket, std::string_view topic, int n, std::string_view key = {}) {
  auto with_key = key.empty() ? std::string{} : fmt::format(R"(,"idempotency_key":"{}")", key);
  socket->say(fmt::format(R"({{"type":"publish","id":"p","topic":"{}","payload":{}{}}})", topic, n, with_key));
  world.world.advance(1s);
  for (const auto& frame : socket->take()) {
    if (field(frame, "id") != "p") continue;
    return field(frame, "type") == "ack" ? field(frame, "offset") : field(frame, "code");
  }
  return "nothing";
}

Frames subscribe(RealtimeWorld& world, Socket& socket, std::string_view topic, std::string_view recover = {}) {
  auto from = recover.empty() ? std::string{} : fmt::format(R"(,"recover":{{"{}":{}}})", topic, recover);
  socket->say(fmt::format(R"({{"type":"subscribe","id":"s","topics":["{}"]{}}})", topic, from));
  world.world.advance(1s);
  return socket->take();
}

Frames history(RealtimeWorld& world, Socket& socket, std::string_view topic) {
  socket->say(fmt::format(R"({{"type":"history","id":"h","topic":"{}","limit":1000}})", topic));
  world.world.advance(1s);
  return socket->take();
}

std::string payloads(const Frames& frames, std::string_view type) {
  std::string all;
  for (const auto& frame : frames) {
    if (field(frame, "type") == type) all += (all.empty() ? "" : " ") + field(frame, "payload");
  }
  return all;
}

/// How many events of the topic are on the disk.
std::size_t on_the_disk(RealtimeWorld& world, std::string_view topic) {
  auto journal = world.world.system().provided<actor::Journal>();
  return world.world.block_on(journal->read(actor::PersistenceId{fmt::format("topic/{}", topic)}, 0, 100'000)).size();
}

}  // namespace

TEST_CASE("a topic on the disk goes on after a power cut: the same epoch, the next offset, complete recovery") {
  for (std::size_t core : {0u, 1u}) {
    RealtimeWorld world{durable()};
    const auto topic = on_disk(core);
    auto socket = world.connect("alice");
    auto confirmed = subscribe(world, socket, topic);
    const auto epoch = field(confirmed.at(0), "epoch");
    for (int i = 1; i <= 5; ++i) CHECK_EQ(publish(world, socket, topic, i), fmt::format("{}", i));
    socket.reset();
    world.crash();

    socket = world.connect("alice");
    const auto frames = subscribe(world, socket, topic, fmt::format(R"({{"epoch":"{}","offset":2}})", epoch));
    CHECK_EQ(field(frames.at(0), "recovered"), "true");
    CHECK_EQ(field(frames.at(0), "epoch"), epoch);
    CHECK_EQ(story_of(frames, topic), "3-5");
    CHECK_EQ(payloads(frames, "message"), "3 4 5");
    CHECK_EQ(publish(world, socket, topic, 6), "6");
    CHECK_EQ(payloads(history(world, socket, topic), "history_item"), "1 2 3 4 5 6");
  }
}

TEST_CASE("a topic in memory begins a new epoch after a power cut, beside those on the disk") {
  RealtimeWorld world{durable()};
  auto socket = world.connect("alice");
  for (std::size_t core : {0u, 1u}) subscribe(world, socket, testing::topic_at(core, "before"));  // draws an epoch
  const auto epoch = field(subscribe(world, socket, "t").at(0), "epoch");
  publish(world, socket, "t", 1);
  socket.reset();
  world.crash();
  socket = world.connect("alice");
  const auto frames = subscribe(world, socket, "t", fmt::format(R"({{"epoch":"{}","offset":0}})", epoch));
  CHECK_EQ(field(frames.at(0), "recovered"), "false");
  CHECK_NE(field(frames.at(0), "epoch"), epoch);
}

TEST_CASE("nobody gets a message before it is on the disk, and topics in memory do not wait for it") {
  RealtimeWorld world{durable()};
  const auto topic = on_disk(1);
  auto socket = world.connect("alice");
  subscribe(world, socket, topic);
  subscribe(world, socket, "t");
  world.world.faults().journal.delay_max = 3s;
  socket->say(fmt::format(R"({{"type":"publish","topic":"{}","payload":1}})", topic));
  auto other = world.connect("bob");
  CHECK_EQ(types(world.exchange(other, R"({"type":"publish","id":"m","topic":"t","payload":2})")), "ack");
  CHECK_EQ(payloads(socket->take(), "message"), "2");
  world.world.advance(10s);
  CHECK_EQ(payloads(socket->take(), "message"), "1");
  CHECK_EQ(on_the_disk(world, topic), 1);
}

TEST_CASE("what the disk refuses is refused to its publisher, reaches nobody and leaves no hole") {
  RealtimeWorld world{durable()};
  const auto topic = on_disk(0);
  auto socket = world.connect("alice");
  auto reader = world.connect("bob", 1);
  subscribe(world, reader, topic);
  CHECK_EQ(publish(world, socket, topic, 1), "1");
  world.world.faults().journal.fails_before = {1};
  CHECK_EQ(publish(world, socket, topic, 2), "internal");    // as far as the service knows it may be there
  CHECK_EQ(publish(world, socket, topic, 3), "overloaded");  // it is not even tried before the topic was read again
  world.world.faults().journal.fails_before = {};
  world.world.advance(5s);
  CHECK_EQ(publish(world, socket, topic, 4), "2");
  auto frames = reader->take();
  CHECK_EQ(story_of(frames, topic), "1-2");
  CHECK_EQ(payloads(frames, "message"), "1 4");
}

TEST_CASE("who asks again under the same key learns what came of a publication of which nobody knew") {
  RealtimeWorld world{durable()};
  const auto topic = on_disk(0);
  auto socket = world.connect("alice");
  subscribe(world, socket, topic);
  CHECK_EQ(publish(world, socket, topic, 1), "1");
  world.world.faults().journal.fails_after = {1};
  CHECK_EQ(publish(world, socket, topic, 2, "k"), "internal");
  world.world.faults().journal.fails_after = {};
  CHECK_EQ(publish(world, socket, topic, 2, "k"), "2");
  CHECK_EQ(publish(world, socket, topic, 3, "k"), "bad_request");
  CHECK_EQ(payloads(history(world, socket, topic), "history_item"), "1 2");
}

TEST_CASE("a message of an unknown outcome that is on the disk reaches those who are there") {
  RealtimeWorld world{durable()};
  const auto topic = on_disk(0);
  auto socket = world.connect("alice");
  auto reader = world.connect("bob", 1);
  subscribe(world, reader, topic);
  CHECK_EQ(publish(world, socket, topic, 1), "1");
  world.world.faults().journal.fails_after = {1};
  CHECK_EQ(publish(world, socket, topic, 2), "internal");
  world.world.faults().journal.fails_after = {};
  world.world.advance(5s);
  CHECK_EQ(payloads(reader->take(), "message"), "1 2");
}

TEST_CASE("a topic with a message of an unknown outcome is not forgotten for others before it was read again") {
  auto options = durable();
  options.router.topics.topics_max = 2;
  RealtimeWorld world{options};
  const auto topic = on_disk(0);
  auto socket = world.connect("alice");
  auto reader = world.connect("bob", 1);
  subscribe(world, reader, topic);
  CHECK_EQ(publish(world, socket, topic, 1), "1");
  world.world.faults().journal.fails_after = {1};
  CHECK_EQ(publish(world, socket, topic, 2), "internal");
  CHECK_EQ(publish(world, socket, testing::topic_at(0, "a"), 1), "1");
  CHECK_EQ(publish(world, socket, testing::topic_at(0, "b"), 1), "overloaded");  // there is no room for a third
  world.world.faults().journal.fails_after = {};
  world.world.advance(5s);
  CHECK_EQ(payloads(reader->take(), "message"), "1 2");
  CHECK_EQ(publish(world, socket, topic, 3), "3");
  CHECK_EQ(publish(world, socket, testing::topic_at(0, "c"), 1), "1");  // now it may be forgotten
}

TEST_CASE("a key outlives the process as long as its message does") {
  RealtimeWorld world{durable()};
  const auto topic = on_disk(1);
  auto socket = world.connect("alice");
  CHECK_EQ(publish(world, socket, topic, 1, "first"), "1");
  CHECK_EQ(publish(world, socket, topic, 2, "second"), "2");
  socket.reset();
  world.crash();
  socket = world.connect("alice");
  CHECK_EQ(publish(world, socket, topic, 1, "first"), "1");
  CHECK_EQ(publish(world, socket, topic, 7, "second"), "bad_request");
  CHECK_EQ(publish(world, socket, topic, 3, "third"), "3");
  auto other = world.connect("bob");
  CHECK_EQ(publish(world, other, topic, 1, "first"), "4");  // a key belongs to its user
}

TEST_CASE("a key of a binary message outlives the process, too, and an outcome that nobody knew") {
  RealtimeWorld world{durable()};
  const auto topic = on_disk(0);
  auto publish_bytes = [&](Socket& socket, std::string_view key) {
    socket->send(
        wire::Opcode::binary,
        fmt::format(R"({{"type":"publish","id":"p","topic":"{}","idempotency_key":"{}"}})", topic, key) + "\n\x01\x02");
    world.world.advance(1s);
    const auto frames = socket->take();
    REQUIRE_FALSE(frames.empty());
    return field(frames.back(), "type") == "ack" ? field(frames.back(), "offset") : field(frames.back(), "code");
  };
  auto socket = world.connect("alice");
  CHECK_EQ(publish_bytes(socket, "first"), "1");
  world.world.faults().journal.fails_after = {1};
  CHECK_EQ(publish_bytes(socket, "second"), "internal");
  world.world.faults().journal.fails_after = {};
  CHECK_EQ(publish_bytes(socket, "second"), "2");
  socket.reset();
  world.crash();
  socket = world.connect("alice");
  CHECK_EQ(publish_bytes(socket, "first"), "1");
  CHECK_EQ(publish_bytes(socket, "second"), "2");
  CHECK_EQ(publish(world, socket, topic, 1, "second"), "bad_request");  // JSON is another payload
}

TEST_CASE("who only reads leaves nothing on the disk, and a publication finds the topic as empty as it was read") {
  RealtimeWorld world{durable()};
  auto socket = world.connect("alice");
  auto entities = [&] {
    auto journal = world.world.system().provided<actor::Journal>();
    return world.world.block_on(journal->entities({}, 1000)).size();
  };
  const auto topic = on_disk(0);
  CHECK_EQ(types(history(world, socket, topic)), "history_end");
  const auto before = entities();
  for (int i = 0; i < 20; ++i) CHECK_EQ(types(history(world, socket, fmt::format("{}{}", topic, i))), "history_end");
  CHECK_EQ(types(subscribe(world, socket, topic)), "subscription_confirmed");
  CHECK_EQ(entities(), before);
  CHECK_EQ(publish(world, socket, topic, 1), "1");
  CHECK_EQ(entities(), before + 1);
  CHECK_EQ(publish(world, socket, topic, 2), "2");
  CHECK_EQ(payloads(history(world, socket, topic), "history_item"), "1 2");
}

TEST_CASE("so many topics are read for readers at once, and what finds no room in memory is let go") {
  auto options = durable();
  options.router.topics.topics_max = 1;
  options.router.loading_max = 3;
  RealtimeWorld world{options};
  auto socket = world.connect("alice");
  subscribe(world, socket, testing::topic_at(0, "here"));
  CHECK_EQ(publish(world, socket, testing::topic_at(0, "here"), 1), "1");  // it has the only place, and keeps it
  world.world.faults().journal.delay_max = 200ms;
  std::string names;
  for (int i = 0; i < 4; ++i)
    names += fmt::format(R"({}"{}")", i == 0 ? "" : ",", testing::topic_at(0, fmt::format("log.{}", i)));
  socket->say(fmt::format(R"({{"type":"subscribe","id":"s","topics":[{}]}})", names));
  world.world.run_until_idle();
  world.world.advance(10ms);
  const auto refused = socket->take();
  CHECK_EQ(types(refused), "error");
  world.world.faults().journal.delay_max = {};
  history(world, socket, on_disk(0));
  world.world.advance(60s);
  std::size_t journals = 0;
  for (const auto& actor : world.world.block_on(world.world.system().inspect())) {
    if (actor.type != "TopicJournal") continue;
    ++journals;
    for (const auto& [name, value] : actor.details) {
      if (name == "topics") CHECK_EQ(value, "0");
    }
  }
  CHECK_EQ(journals, 2);
}

TEST_CASE("what waits for a slow disk is bounded, and what is too much is refused at once") {
  auto options = durable();
  options.router.recording_max = 3;
  RealtimeWorld world{options};
  const auto topic = on_disk(0);
  auto first = world.connect("first");
  CHECK_EQ(publish(world, first, topic, 1), "1");
  world.world.faults().journal.delay_max = 1s;
  std::vector<Socket> sockets;
  for (int i = 0; i < 8; ++i) {
    sockets.push_back(world.connect("user"));
    sockets.back()->say(fmt::format(R"({{"type":"publish","id":"p","topic":"{}","payload":{}}})", topic, i));
  }
  world.world.run_until_idle();
  std::string answers;
  for (auto& socket : sockets) answers += types(socket->take()) + " ";
  CHECK_EQ(answers, "   error error error error error ");
  world.world.advance(10s);
  answers.clear();
  for (auto& socket : sockets) answers += types(socket->take()) + " ";
  CHECK_EQ(answers, "ack ack ack      ");
}

TEST_CASE("a message that no event can hold is refused as too large, and the topic goes on") {
  auto options = durable();
  options.connection.frame_bytes_max = 8 * 1024 * 1024;
  options.connection.bytes = {.per_second = 1e9, .burst = 1e9};
  RealtimeWorld world{options};
  const auto topic = on_disk(0);
  auto socket = world.connect("alice");
  socket->say(fmt::format(R"({{"type":"publish","id":"p","topic":"{}","payload":"{}"}})", topic,
                          std::string(2 * 1024 * 1024, 'x')));
  world.world.advance(1s);
  const auto frames = socket->take();
  REQUIRE_EQ(types(frames), "error");
  CHECK_EQ(field(frames[0], "code"), "too_large");
  CHECK_EQ(publish(world, socket, topic, 1), "1");
}

TEST_CASE("what history keeps no more is forgotten on the disk, by number, by size and by age") {
  struct Row {
    const char* what;
    HistoryLimits limits;
    base::Duration later;
    std::size_t left;
  };
  const Row rows[] = {
      {"by number", {.count_max = 4}, 0s, 4},
      {"by size", {.bytes_max = 1000}, 0s, 8},
      {"by age", {.age_max = 1min}, 2min, 0},
  };
  for (const auto& row : rows) {
    CAPTURE(row.what);
    RealtimeWorld world{durable(row.limits)};
    const auto topic = on_disk(0);
    auto socket = world.connect("alice");
    for (int i = 1; i <= 20; ++i) publish(world, socket, topic, i);
    world.world.advance(row.later + 3s);
    CHECK_LE(on_the_disk(world, topic), row.left);
    socket->take();
    CHECK_EQ(publish(world, socket, topic, 21), "21");  // the position outlives the messages
  }
}

TEST_CASE("what is too old goes from the disk also where nobody asks for the topic after a start") {
  RealtimeWorld world{durable({.age_max = 1min})};
  const auto topic = on_disk(1);
  auto socket = world.connect("alice");
  for (int i = 1; i <= 3; ++i) publish(world, socket, topic, i);
  socket.reset();
  world.crash();
  world.world.advance(10s);
  CHECK_EQ(on_the_disk(world, topic), 3);
  world.world.advance(10min);
  CHECK_EQ(on_the_disk(world, topic), 0);
  socket = world.connect("alice");
  CHECK_EQ(publish(world, socket, topic, 4), "4");
}

TEST_CASE("topics that do not fit into the memory are read again from the disk, and lose nothing") {
  auto options = durable();
  options.router.topics.topics_max = 4;
  RealtimeWorld world{options};
  auto socket = world.connect("alice");
  std::vector<std::string> topics;
  for (int i = 0; i < 20; ++i) topics.push_back(fmt::format("log.n{}", i));
  for (int round = 1; round <= 3; ++round) {
    for (const auto& topic : topics) CHECK_EQ(publish(world, socket, topic, round), fmt::format("{}", round));
  }
  for (const auto& topic : topics) CHECK_EQ(payloads(history(world, socket, topic), "history_item"), "1 2 3");
}

TEST_CASE("a topic that cannot be read is overloaded for who subscribes or reads, until the disk is well again") {
  RealtimeWorld world{durable()};
  const auto topic = on_disk(1);
  world.world.faults().journal.fails_before = {1};
  auto socket = world.connect("alice");
  auto frames = subscribe(world, socket, topic);
  REQUIRE_EQ(types(frames), "error");
  CHECK_EQ(field(frames.at(0), "code"), "overloaded");
  CHECK_EQ(field(frames.at(0), "message"), "the topics could not be read now; try again later");
  frames = history(world, socket, topic);
  REQUIRE_EQ(types(frames), "error");
  CHECK_EQ(field(frames.at(0), "code"), "overloaded");
  world.world.faults().journal.fails_before = {};
  frames = subscribe(world, socket, topic);
  CHECK_EQ(types(frames), "subscription_confirmed");
  CHECK_EQ(publish(world, socket, topic, 1), "1");
}

TEST_CASE("a topic whose disk does not answer in time is overloaded for who subscribes") {
  RealtimeWorld world{durable()};
  const auto topic = on_disk(1);
  world.world.faults().journal.delay_max = 24h;
  auto socket = world.connect("alice");
  socket->say(fmt::format(R"({{"type":"subscribe","topics":["{}"]}})", topic));
  world.world.advance(6s);
  const auto frames = socket->take();
  REQUIRE_EQ(types(frames), "error");
  CHECK_EQ(field(frames.at(0), "code"), "overloaded");
  CHECK_EQ(field(frames.at(0), "message"), "the topics could not be read now; try again later");
}

TEST_CASE("after a fault of its router a durable topic goes on with its epoch and offsets") {
  RealtimeWorld world{durable()};
  const auto topic = on_disk(0);
  auto socket = world.connect("alice");
  const auto epoch = field(subscribe(world, socket, topic).at(0), "epoch");
  CHECK_EQ(publish(world, socket, topic, 1), "1");
  const auto mine = testing::lay(testing::router_of(world, 0), topic, world);
  const auto answer = publish(world, socket, topic, 2);
  CHECK(mine->lost);
  CHECK_EQ(answer, "internal");  // it is on the disk, and its delivery was the fault
  socket->take();
  CHECK_EQ(publish(world, socket, topic, 3), "3");
  const auto frames = history(world, socket, topic);
  CHECK_EQ(payloads(frames, "history_item"), "1 2 3");
  CHECK_EQ(field(frames.at(0), "epoch"), epoch);
}

TEST_CASE("direct messages come while subscriptions wait for the disk after a fault of their router") {
  RealtimeWorld world{durable()};
  const auto topic = on_disk(1);
  std::string user = "bob";
  while (home_of(inbox_topic(UserId{user}), 2) != 0) user += 'b';
  auto alice = world.connect("alice");
  auto bob = world.connect(user, 1);
  subscribe(world, bob, topic);
  world.world.faults().journal.delay_max = 1h;  // longer than bob is asked after here
  const auto mine = testing::lay(testing::router_of(world, 1), "mine", world);
  alice->say(R"({"type":"publish","topic":"mine","payload":0})");
  world.world.advance(100ms);
  REQUIRE(mine->lost);
  alice->take();
  for (int n = 1; n <= 3; ++n) {
    const auto acked =
        world.exchange(alice, fmt::format(R"({{"type":"direct","id":"d","user":"{}","payload":{}}})", user, n));
    CHECK_NE(field(acked.at(0), "connections"), "[]");
    CHECK_EQ(payloads(bob->take(), "direct"), fmt::format("{}", n));
  }
}

}  // namespace troupe::realtime
