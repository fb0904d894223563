// Sessions that outlive their socket: what goes on with the next one, what does not, and that nothing is lost or
// doubled over it.
#include <doctest/doctest.h>

#include "troupe/actor/sim/explore.h"
#include "troupe/realtime/testing/realtime_world.h"

namespace troupe::realtime {
namespace {

using namespace std::chrono_literals;
using testing::field;
using testing::Frames;
using testing::RealtimeWorld;
using testing::Socket;
using testing::token_of_user;
using testing::types;

/// A socket, with what its welcome said.
struct Opened {
  Socket socket;
  std::string session;
  std::string user;
  bool resumed = false;
};

Opened open_with(RealtimeWorld& world, std::string_view query, std::string_view headers, std::size_t core) {
  Opened opened{world.ask_for("/ws" + std::string{query}, headers, core), {}, {}};
  auto frames = opened.socket->take();
  REQUIRE_FALSE(frames.empty());
  REQUIRE_EQ(field(frames[0], "type"), "welcome");
  opened.session = field(frames[0], "session");
  opened.user = field(frames[0], "user");
  opened.resumed = field(frames[0], "resumed") == "true";
  return opened;
}

Opened open(RealtimeWorld& world, std::string_view user, std::size_t core = 0, std::string_view session = "") {
  return open_with(world, session.empty() ? "" : fmt::format("?session={}", session),
                   fmt::format("Authorization: Bearer {}\r\n", token_of_user(user)), core);
}

std::string publish(RealtimeWorld& world, Socket& socket, std::string_view topic, int payload) {
  auto frames =
      world.exchange(socket, fmt::format(R"({{"type":"publish","id":"p","topic":"{}","payload":{}}})", topic, payload));
  return field(frames.back(), "epoch");
}

std::string resume_frame(std::string_view positions) {
  return fmt::format(R"({{"type":"resume","id":"r","positions":{{{}}}}})", positions);
}
std::string at(std::string_view topic, std::string_view epoch, std::int64_t offset) {
  return fmt::format(R"("{}":{{"epoch":"{}","offset":{}}})", topic, epoch, offset);
}

double metric(RealtimeWorld& world, std::string_view name, std::string_view state = "") {
  auto samples = world.world.block_on(world.realtime->metrics().ask(CollectMetrics{}));
  double sum = 0;
  for (const auto& sample : samples->all()) {
    const bool wanted = state.empty() || (!sample.labels.empty() && sample.labels.front().second == state);
    if (sample.name == name && wanted) sum += sample.value;
  }
  return sum;
}
double parked(RealtimeWorld& world) { return metric(world, "troupe_realtime_sessions", "parked"); }

TEST_CASE("who comes back within the session's time, on any core, has its subscriptions and what it missed") {
  for (std::size_t back = 0; back < 2; ++back) {
    CAPTURE(back);
    RealtimeWorld world;
    auto alice = open(world, "alice");
    auto bob = open(world, "bob", 0);
    CHECK_FALSE(bob.resumed);
    world.exchange(bob.socket, R"({"type":"subscribe","topics":["t","u"]})");
    auto epoch = publish(world, alice.socket, "t", 1);
    bob.socket->vanish();
    world.world.run_until_idle();
    CHECK_EQ(parked(world), 1);
    for (int i = 2; i <= 4; ++i) publish(world, alice.socket, "t", i);

    auto again = open(world, "bob", back, bob.session);
    CHECK(again.resumed);
    CHECK_EQ(again.session, bob.session);
    publish(world, alice.socket, "t", 5);
    publish(world, alice.socket, "u", 1);
    CHECK(again.socket->take().empty());  // nothing before it has said where it was

    auto frames = world.exchange(again.socket, resume_frame(at("t", epoch, 1)));
    REQUIRE_EQ(types(frames), "resumed message message message message");
    CHECK_EQ(field(frames[0], "id"), "r");
    CHECK_NE(frames[0].find(fmt::format(R"({{"topic":"t","epoch":"{}","offset":5,"recovered":true}})", epoch)),
             std::string::npos);
    CHECK_NE(frames[0].find(R"("recovered":false)"), std::string::npos);  // u, of which nothing was said
    for (std::size_t i = 1; i <= 4; ++i) CHECK_EQ(field(frames[i], "offset"), std::to_string(i + 1));

    publish(world, alice.socket, "t", 6);
    publish(world, alice.socket, "u", 2);
    frames = again.socket->take();
    REQUIRE_EQ(types(frames), "message message");
    CHECK_EQ(field(frames[0], "offset"), "6");
    CHECK_EQ(field(frames[1], "offset"), "2");
    CHECK_EQ(metric(world, "troupe_realtime_sessions_resumed_total"), 1);
    CHECK_EQ(parked(world), 0);
    CHECK_EQ(field(world.exchange(again.socket, R"({"type":"resume","id":"r","positions":{}})")[0], "code"),
             "bad_request");  // once
  }
}

TEST_CASE("a session goes on more than once, also while its old socket is still open, which closes with 4004") {
  RealtimeWorld world;
  auto alice = open(world, "alice");
  auto bob = open(world, "bob", 0);
  world.exchange(bob.socket, R"({"type":"subscribe","topics":["t"]})");
  auto epoch = publish(world, alice.socket, "t", 1);
  bob.socket->take();
  Opened now = std::move(bob);
  for (int round = 1; round <= 4; ++round) {
    CAPTURE(round);
    auto next = open(world, "bob", static_cast<std::size_t>(round % 2), now.session);
    CHECK(next.resumed);
    CHECK_EQ(now.socket->close_code(), 4004);
    publish(world, alice.socket, "t", round);
    auto frames = world.exchange(next.socket, resume_frame(at("t", epoch, round)));
    REQUIRE_EQ(types(frames), "resumed message");
    CHECK(now.socket->take().empty());
    now = std::move(next);
    world.world.advance(2min);  // a session with a socket does not expire
  }
  CHECK_EQ(metric(world, "troupe_realtime_sessions", "open"), 2);
}

TEST_CASE("a session does not go on when it has ended, is not there or is another's") {
  struct Row {
    std::string_view name;
    std::function<void(RealtimeWorld&, Opened&)> end;
    std::string_view user;
    bool resumed;
  };
  auto vanish = [](RealtimeWorld&, Opened& bob) { bob.socket->vanish(); };
  const Row rows[] = {
      {"it vanished", vanish, "bob", true},
      {"another user", vanish, "carol", false},
      {"a clean close with 1000",
       [](RealtimeWorld&, Opened& bob) { bob.socket->send(wire::Opcode::close, "\x03\xe8"); }, "bob", false},
      {"a clean close without a code", [](RealtimeWorld&, Opened& bob) { bob.socket->send(wire::Opcode::close, ""); },
       "bob", false},
      {"a close with another code",
       [](RealtimeWorld&, Opened& bob) { bob.socket->send(wire::Opcode::close, "\x03\xe9"); }, "bob", true},
      {"its token was revoked",
       [](RealtimeWorld& world, Opened&) {
         world.realtime->supervisor().tell(TokenRevoked{TokenId{token_of_user("bob")}});
       },
       "bob", false},
      {"a broken frame of its own",
       [](RealtimeWorld&, Opened& bob) { bob.socket->raw(std::string{"\x83\x80\x01\x02\x03\x04", 6}); }, "bob", true},
      {"too much time has passed",
       [](RealtimeWorld& world, Opened& bob) {
         bob.socket->vanish();
         world.world.run_until_idle();
         world.world.advance(61s);
       },
       "bob", false},
      {"just enough time",
       [](RealtimeWorld& world, Opened& bob) {
         bob.socket->vanish();
         world.world.run_until_idle();
         world.world.advance(59s);
       },
       "bob", true},
  };
  for (const auto& row : rows) {
    CAPTURE(row.name);
    RealtimeWorld world;
    auto bob = open(world, "bob");
    world.exchange(bob.socket, R"({"type":"subscribe","topics":["t"]})");
    row.end(world, bob);
    world.world.run_until_idle();
    world.world.advance(1ms);
    // By a token of its own, for the revoked one lets nobody in.
    auto headers = fmt::format("Authorization: Bearer {},again\r\n", token_of_user(row.user));
    auto again = open_with(world, fmt::format("?session={}", bob.session), headers, 1);
    CHECK_EQ(again.resumed, row.resumed);
    CHECK_EQ(again.session == bob.session, row.resumed);
    auto ack = world.exchange(again.socket, R"({"type":"publish","id":"p","topic":"t","payload":1})");
    CHECK_EQ(types(ack), "ack");
    auto answer = world.exchange(again.socket, resume_frame(""));
    CHECK_EQ(types(answer), row.resumed ? "resumed" : "error");
    if (row.user == "carol") CHECK(open(world, "bob", 0, bob.session).resumed);  // nothing was taken from bob
  }
}

TEST_CASE("what the query says of a session may be anything") {
  RealtimeWorld world;
  for (auto query : {"?session=", "?session=x", "?session=%00", "?session=a&session=b", "?other=1"}) {
    CAPTURE(query);
    auto opened = open_with(world, query, fmt::format("Authorization: Bearer {}\r\n", token_of_user("bob")), 0);
    CHECK_FALSE(opened.resumed);
    CHECK_EQ(opened.session.size(), 15);
  }
}

TEST_CASE("a client that does not say where it was goes on from now after five seconds") {
  RealtimeWorld world;
  auto alice = open(world, "alice");
  auto bob = open(world, "bob");
  world.exchange(bob.socket, R"({"type":"subscribe","topics":["t","a.*"]})");
  bob.socket->vanish();
  world.world.run_until_idle();
  auto again = open(world, "bob", 1, bob.session);
  world.world.advance(4900ms);
  publish(world, alice.socket, "t", 1);
  CHECK(again.socket->take().empty());
  world.world.advance(200ms);
  auto frames = again.socket->take();
  REQUIRE_EQ(types(frames), "resumed");
  CHECK_EQ(field(frames[0], "id"), "");
  CHECK_NE(frames[0].find(R"("offset":1,"recovered":false)"), std::string::npos);
  CHECK_NE(frames[0].find(R"("topic":"a.*","shards":{)"), std::string::npos);
  publish(world, alice.socket, "t", 2);
  publish(world, alice.socket, "a.b", 1);
  CHECK_EQ(types(again.socket->take()), "message message");
  world.world.advance(20s);
  CHECK(again.socket->take().empty());

  // A session without subscriptions has nothing to say.
  again.socket->vanish();
  auto carol = open(world, "carol");
  carol.socket->vanish();
  world.world.run_until_idle();
  carol = open(world, "carol", 0, carol.session);
  CHECK(carol.resumed);
  world.world.advance(10s);
  CHECK(carol.socket->take().empty());
}

TEST_CASE("a session without subscriptions resumes to nothing") {
  RealtimeWorld world;
  auto bob = open(world, "bob");
  bob.socket->vanish();
  world.world.run_until_idle();
  auto again = open(world, "bob", 1, bob.session);
  REQUIRE(again.resumed);
  auto frames = world.exchange(again.socket, resume_frame(""));
  REQUIRE_EQ(frames.size(), 1);
  CHECK_EQ(frames[0], R"({"type":"resumed","id":"r","topics":[]})");
}

TEST_CASE("before it has resumed, a client may subscribe and unsubscribe") {
  RealtimeWorld world;
  auto alice = open(world, "alice");
  auto bob = open(world, "bob");
  world.exchange(bob.socket, R"({"type":"subscribe","topics":["a","b","c"]})");
  auto epoch = publish(world, alice.socket, "a", 1);
  bob.socket->vanish();
  world.world.run_until_idle();
  publish(world, alice.socket, "a", 2);
  auto again = open(world, "bob", 0, bob.session);
  auto frames = world.exchange(
      again.socket,
      fmt::format(R"({{"type":"subscribe","id":"s","topics":["a"],"recover":{{{}}}}})", at("a", epoch, 1)));
  CHECK_EQ(types(frames), "subscription_confirmed message");
  CHECK_EQ(types(world.exchange(again.socket, R"({"type":"unsubscribe","topics":["b"]})")), "unsubscription_confirmed");
  frames = world.exchange(again.socket, resume_frame(""));
  REQUIRE_EQ(types(frames), "resumed");
  CHECK_EQ(frames[0].find(R"("topic":"a")"), std::string::npos);
  CHECK_EQ(frames[0].find(R"("topic":"b")"), std::string::npos);
  CHECK_NE(frames[0].find(R"("topic":"c")"), std::string::npos);
  for (auto topic : {"a", "b", "c"}) publish(world, alice.socket, topic, 3);
  CHECK_EQ(types(again.socket->take()), "message message");

  // And the session remembers it.
  again.socket->vanish();
  world.world.run_until_idle();
  auto third = open(world, "bob", 1, bob.session);
  frames = world.exchange(third.socket, resume_frame(""));
  CHECK_NE(frames[0].find(R"("topic":"a")"), std::string::npos);
  CHECK_EQ(frames[0].find(R"("topic":"b")"), std::string::npos);
}

TEST_CASE("what the client may no longer subscribe to ends when it resumes") {
  RealtimeWorld world;
  auto bob = open(world, "bob");
  world.exchange(bob.socket, R"({"type":"subscribe","topics":["a.x","b.x"]})");
  bob.socket->vanish();
  world.world.run_until_idle();
  auto again = open_with(world, fmt::format("?session={}", bob.session),
                         "Authorization: Bearer bob,topic:a.>:subscribe,topic:>:publish\r\n", 0);
  REQUIRE(again.resumed);
  auto frames = world.exchange(again.socket, resume_frame(""));
  REQUIRE_EQ(types(frames), "unsubscribed resumed");
  CHECK_NE(frames[0].find(R"(["b.x"])"), std::string::npos);
  auto acks = world.exchange(again.socket, R"({"type":"publish","id":"p","topic":"b.x","payload":1})");
  CHECK_EQ(field(acks.back(), "delivered_to"), "0");
}

TEST_CASE("a subscription keeps its overflow policy over a new socket") {
  RealtimeOptions options;
  options.connection.outbox.messages_max = 4;
  RealtimeWorld world{options, 1, {.buffer_bytes = 2048}};
  auto bob = open(world, "bob");
  world.exchange(bob.socket, R"({"type":"subscribe","topics":["t"],"overflow":"disconnect"})");
  bob.socket->vanish();
  world.world.run_until_idle();
  auto again = open(world, "bob", 1, bob.session);
  world.exchange(again.socket, resume_frame(""));
  again.socket->stop_reading();
  auto alice = open(world, "alice");
  for (int i = 0; i < 60; ++i) publish(world, alice.socket, "t", i);
  again.socket->read_again();
  world.world.advance(1s);
  CHECK_EQ(again.socket->close_code(), 4003);
}

TEST_CASE("an anonymous session goes on for whoever has its id, under its name, which does not give the id away") {
  RealtimeOptions options;
  NamespaceOptions defaults{.anonymous_grants = {*Grant::parse("topic:public.>:subscribe")}};
  options.settings =
      std::make_shared<const RealtimeSettings>(defaults, RealtimeSettings::Namespaces{}, Anonymous::allowed);
  RealtimeWorld world{options};
  auto somebody = open_with(world, "", "", 0);
  CHECK_EQ(somebody.user.find(somebody.session), std::string::npos);
  world.exchange(somebody.socket, R"({"type":"subscribe","topics":["public.t"]})");
  somebody.socket->vanish();
  world.world.run_until_idle();
  CHECK_FALSE(open(world, "alice", 0, somebody.session).resumed);
  auto again = open_with(world, fmt::format("?session={}", somebody.session), "", 1);
  CHECK(again.resumed);
  CHECK_EQ(again.user, somebody.user);
  CHECK_EQ(types(world.exchange(again.socket, resume_frame(""))), "resumed");
  CHECK_EQ(field(world.exchange(again.socket, R"({"type":"info"})")[0], "user"), somebody.user);
}

TEST_CASE("a client whose token comes in its first frame resumes, too") {
  RealtimeWorld world;
  auto bob = open(world, "bob");
  world.exchange(bob.socket, R"({"type":"subscribe","topics":["t"]})");
  bob.socket->vanish();
  world.world.run_until_idle();
  auto socket = world.ask_for(fmt::format("/ws?session={}", bob.session), "", 1);
  auto frames = world.exchange(socket, fmt::format(R"({{"type":"authenticate","token":"{}"}})", token_of_user("bob")));
  REQUIRE_EQ(types(frames), "authenticated welcome");
  CHECK_EQ(field(frames[1], "resumed"), "true");
  CHECK_EQ(types(world.exchange(socket, resume_frame(""))), "resumed");
}

TEST_CASE("what a client says while its session is being claimed waits, and is answered in order") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    RealtimeWorld world{{}, seed};
    auto bob = open(world, "bob");
    world.exchange(bob.socket, R"({"type":"subscribe","topics":["t"]})");
    bob.socket->vanish();
    world.world.run_until_idle();
    testing::TestSocket socket{world.networks[seed % 2]->connect({{}, 80}), fmt::format("/ws?session={}", bob.session),
                               fmt::format("Authorization: Bearer {}\r\n", token_of_user("bob"))};
    world.world.run_until([&] { return socket.status() == 101; }, 1s);
    socket.say(resume_frame(""));
    socket.say(R"({"type":"ping","id":"1"})");
    world.world.run_until_idle();
    CHECK_EQ(types(socket.take()), "welcome resumed pong");
  }
}

TEST_CASE("of sockets that come for one session at the same time, one has it in the end") {
  actor::test::explore({.schedules = 30}, [&](actor::test::Seed seed) {
    RealtimeWorld world{{}, seed};
    auto bob = open(world, "bob");
    world.exchange(bob.socket, R"({"type":"subscribe","topics":["t"]})");
    bob.socket->vanish();
    std::vector<Socket> sockets;
    for (std::size_t i = 0; i < 4; ++i) {
      sockets.push_back(std::make_unique<testing::TestSocket>(
          world.networks[i % 2]->connect({{}, 80}), fmt::format("/ws?session={}", bob.session),
          fmt::format("Authorization: Bearer {}\r\n", token_of_user("bob"))));
      world.world.advance(std::chrono::microseconds{seed.number % 5});
    }
    world.world.run_until_idle();
    int open_sockets = 0;
    for (auto& socket : sockets) {
      auto frames = socket->take();
      REQUIRE_FALSE(frames.empty());
      CHECK_EQ(field(frames[0], "resumed"), "true");
      if (!socket->close_code()) ++open_sockets;
      if (socket->close_code()) CHECK_EQ(socket->close_code(), 4004);
    }
    CHECK_EQ(open_sockets, 1);
    CHECK_EQ(parked(world), 0);
  });
}

TEST_CASE("a socket that vanishes at any moment of its claim leaves the session for the next one") {
  actor::test::explore({.schedules = 60}, [&](actor::test::Seed seed) {
    RealtimeWorld world{{}, seed};
    auto bob = open(world, "bob");
    world.exchange(bob.socket, R"({"type":"subscribe","topics":["t"]})");
    bob.socket->vanish();
    for (std::size_t i = 0; i < 3; ++i) {
      testing::TestSocket socket{world.networks[i % 2]->connect({{}, 80}), fmt::format("/ws?session={}", bob.session),
                                 fmt::format("Authorization: Bearer {}\r\n", token_of_user("bob"))};
      world.world.advance(std::chrono::microseconds{seed.number % 120 * 5 + i});
    }
    world.world.advance(6s);
    CHECK_EQ(metric(world, "troupe_realtime_sessions", "open"), 0);
    auto again = open(world, "bob", seed.number % 2, bob.session);
    CHECK(again.resumed);
    world.exchange(again.socket, resume_frame(""));
    auto ack = world.exchange(again.socket, R"({"type":"publish","id":"p","topic":"t","payload":1})");
    CHECK_EQ(field(ack.back(), "delivered_to"), "1");
  });
}

TEST_CASE("parked sessions are bounded in all and by user, and those parked longest go first") {
  RealtimeOptions options;
  options.sessions = {.session_time = 60s, .parked_max = 5, .parked_by_user_max = 2};
  RealtimeWorld world{options};
  std::vector<std::string> sessions;
  for (int i = 0; i < 12; ++i) {
    auto opened = open(world, "bob");
    sessions.push_back(opened.session);
    opened.socket->vanish();
    world.world.advance(10ms);
  }
  CHECK_LE(parked(world), 4);  // two on each core
  CHECK(open(world, "bob", 0, sessions.back()).resumed);
  CHECK_FALSE(open(world, "bob", 0, sessions.front()).resumed);
  for (int i = 0; i < 40; ++i) {
    open(world, fmt::format("user{}", i)).socket->vanish();
    world.world.advance(10ms);
  }
  CHECK_EQ(parked(world), 10);
  world.world.advance(2min);
  CHECK_EQ(parked(world), 0);
  CHECK_GT(metric(world, "troupe_realtime_sessions_expired_total"), 40);
}

TEST_CASE("where sessions have no time, none outlives its socket") {
  RealtimeOptions options;
  options.sessions.session_time = 0s;
  RealtimeWorld world{options};
  auto bob = open(world, "bob");
  bob.socket->vanish();
  world.world.run_until_idle();
  CHECK_FALSE(open(world, "bob", 0, bob.session).resumed);
}

TEST_CASE("however often the socket is cut, every message comes once and in order") {
  std::size_t resumptions = 0;
  actor::test::explore(
      {.schedules = 12},
      [&](actor::test::Seed seed) {
        RealtimeWorld world{{}, seed};
        auto& random = world.world.random();
        auto alice = open(world, "alice", 1);
        auto bob = open(world, "bob");
        auto confirmed = world.exchange(bob.socket, R"({"type":"subscribe","topics":["t"]})");
        auto epoch = field(confirmed[0], "epoch");
        std::int64_t seen = 0;
        auto take = [&] {
          for (const auto& frame : bob.socket->take()) {
            CAPTURE(frame);
            if (field(frame, "type") == "resumed") {
              CHECK_EQ(field(frame, "recovered"), "true");
              ++resumptions;
              continue;
            }
            if (field(frame, "type") == "welcome") {
              CHECK_EQ(field(frame, "resumed"), "true");
              bob.socket->say(resume_frame(at("t", epoch, seen)));
              continue;
            }
            REQUIRE_EQ(field(frame, "type"), "message");
            CHECK_EQ(field(frame, "offset"), std::to_string(++seen));
          }
        };
        for (int i = 1; i <= 150; ++i) {
          alice.socket->say(fmt::format(R"({{"type":"publish","topic":"t","payload":{}}})", i));
          world.world.advance(std::chrono::microseconds{random.below(200)});
          take();
          if (random.below(8) != 0) continue;
          // Sometimes the old socket is seen to go before the new one comes, and sometimes it is not.
          if (random.below(2) == 0) bob.socket->vanish();
          bob.socket = std::make_unique<testing::TestSocket>(
              world.networks[random.below(2)]->connect({{}, 80}), fmt::format("/ws?session={}", bob.session),
              fmt::format("Authorization: Bearer {}\r\n", token_of_user("bob")));
        }
        for (int i = 0; i < 5; ++i) {
          world.world.advance(1s);
          take();
        }
        CHECK_EQ(seen, 150);
      },
      [&] { CHECK_GT(resumptions, 50); });
}

}  // namespace
}  // namespace troupe::realtime
