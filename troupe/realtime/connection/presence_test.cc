// Presence as clients see it: who comes and goes, who is there, and that a new socket of the same session is neither.
#include <doctest/doctest.h>

#include <map>
#include <new>
#include <set>

#include "troupe/actor/sim/explore.h"
#include "troupe/realtime/testing/broken_link.h"
#include "troupe/realtime/testing/realtime_world.h"
#include "troupe/realtime/topic/presence_actor.h"

namespace troupe::realtime {
namespace {

using namespace std::chrono_literals;
using testing::field;
using testing::Frames;
using testing::RealtimeWorld;
using testing::Socket;
using testing::token_of_user;
using testing::types;

/// The strings in an array of a frame.
std::set<std::string> list(std::string_view frame, std::string_view name) {
  std::set<std::string> found;
  auto at = frame.find(fmt::format(R"("{}":[)", name));
  if (at == std::string_view::npos) return found;
  auto rest = frame.substr(frame.find('[', at) + 1);
  rest = rest.substr(0, rest.find(']'));
  while (!rest.empty()) {
    auto comma = std::min(rest.find(','), rest.size());
    found.emplace(rest.substr(1, comma - 2));
    rest.remove_prefix(std::min(comma + 1, rest.size()));
  }
  return found;
}

using Names = std::set<std::string>;

/// All pages of a topic.
Names page(RealtimeWorld& world, Socket& socket, std::string_view topic, int limit = 1000) {
  Names users;
  std::string after;
  std::string count;
  do {
    socket->say(fmt::format(R"({{"type":"presence","id":"?","topic":"{}","limit":{}{}}})", topic, limit,
                            after.empty() ? "" : fmt::format(R"(,"after":"{}")", after)));
    world.world.run_until_idle();
    auto frames = socket->take();
    REQUIRE_FALSE(frames.empty());
    REQUIRE_EQ(types({frames.back()}), "presence_state");
    users.merge(list(frames.back(), "users"));
    count = field(frames.back(), "count");
    after = field(frames.back(), "next");
  } while (!after.empty());
  CHECK_EQ(count, std::to_string(users.size()));
  return users;
}

struct Change {
  Names joined, left;
  friend bool operator==(const Change&, const Change&) = default;
};
/// What was told of a topic, in all frames together.
Change changes(Socket& socket, std::string_view topic) {
  Change all;
  for (const auto& frame : socket->take()) {
    if (field(frame, "type") != "presence_changed" || field(frame, "topic") != topic) continue;
    all.joined.merge(list(frame, "joined"));
    all.left.merge(list(frame, "left"));
  }
  return all;
}

void subscribe(RealtimeWorld& world, Socket& socket, std::string_view topic, bool presence = false) {
  auto frames = world.exchange(
      socket, fmt::format(R"({{"type":"subscribe","topics":["{}"]{}}})", topic, presence ? R"(,"presence":true)" : ""));
  // Not always the last one: a session that went on without saying where it was may be resumed just now.
  REQUIRE(
      std::ranges::any_of(frames, [](const auto& frame) { return field(frame, "type") == "subscription_confirmed"; }));
}

std::string session_of(const Frames& frames) { return field(frames.at(0), "session"); }

Socket ask(RealtimeWorld& world, std::string_view user, std::string_view query, std::size_t core) {
  return world.ask_for("/ws" + std::string{query}, fmt::format("Authorization: Bearer {}\r\n", token_of_user(user)),
                       core);
}

TEST_CASE("who asked is told who comes and goes, in batches, and nobody else is") {
  RealtimeWorld world;
  auto watcher = world.connect("watcher", 0);
  auto other = world.connect("other", 0);
  subscribe(world, watcher, "t", true);
  subscribe(world, other, "t");
  world.world.advance(300ms);
  CHECK_EQ(changes(watcher, "t"), Change{{"other", "watcher"}, {}});
  for (std::size_t i = 0; i < 10; ++i) {
    auto guest = world.connect(fmt::format("guest{}", i), i % 2);
    subscribe(world, guest, "t");
    if (i % 3 == 0) world.exchange(guest, R"({"type":"unsubscribe","topics":["t"]})");  // is not worth telling
    guest->vanish();                                                                    // and stays for its session
  }
  CHECK(watcher->take().empty());
  world.world.advance(300ms);
  auto frames = watcher->take();
  REQUIRE_EQ(types(frames), "presence_changed");
  CHECK_EQ(list(frames[0], "joined"), Names{"guest1", "guest2", "guest4", "guest5", "guest7", "guest8"});
  CHECK(list(frames[0], "left").empty());
  CHECK(other->take().empty());
  world.world.advance(61s);
  CHECK_EQ(changes(watcher, "t"), Change{{}, {"guest1", "guest2", "guest4", "guest5", "guest7", "guest8"}});
}

TEST_CASE("a user with several connections is there once, until the last one leaves") {
  RealtimeWorld world;
  auto watcher = world.connect("watcher", 1);
  subscribe(world, watcher, "t", true);
  world.world.advance(1s);
  watcher->take();
  std::vector<Socket> tabs;
  for (std::size_t i = 0; i < 5; ++i) {
    tabs.push_back(world.connect("bob", i % 2));
    subscribe(world, tabs.back(), "t");
    world.world.advance(1s);
    CHECK_EQ(changes(watcher, "t"), i == 0 ? Change{{"bob"}, {}} : Change{});
  }
  CHECK_EQ(page(world, watcher, "t"), Names{"bob", "watcher"});
  for (std::size_t i = 0; i < 5; ++i) {
    if (i % 2 == 0) {
      tabs[i]->send(wire::Opcode::close, "\x03\xe8");  // leaves at once
    } else {
      world.exchange(tabs[i], R"({"type":"unsubscribe","topics":["t"]})");
    }
    world.world.advance(1s);
    CHECK_EQ(changes(watcher, "t"), i == 4 ? Change{{}, {"bob"}} : Change{});
  }
}

TEST_CASE("a resumed session neither joins nor leaves, and its wish to be told is kept") {
  for (std::size_t back = 0; back < 2; ++back) {
    CAPTURE(back);
    RealtimeWorld world;
    auto watcher = world.connect("watcher", 0);
    subscribe(world, watcher, "t", true);
    auto bob = ask(world, "bob", "", 0);
    auto session = session_of(bob->take());
    subscribe(world, bob, "t", true);
    world.world.advance(1s);
    watcher->take();
    for (int round = 0; round < 3; ++round) {
      if (round != 1) bob->vanish();  // once the old socket is still there
      world.world.advance(round == 0 ? 30s : 1ms);
      bob = ask(world, "bob", fmt::format("?session={}", session), back);
      REQUIRE_EQ(field(bob->take().at(0), "resumed"), "true");
      world.exchange(bob, R"({"type":"resume","positions":{}})");
      world.world.advance(1s);
      CHECK_EQ(changes(watcher, "t"), Change{});
    }
    auto carol = world.connect("carol", 1);
    subscribe(world, carol, "t");
    world.world.advance(1s);
    CHECK_EQ(changes(bob, "t"), Change{{"carol"}, {}});
    bob->vanish();
    world.world.advance(59s);
    CHECK_EQ(changes(watcher, "t").left, Names{});
    world.world.advance(2s);
    CHECK_EQ(changes(watcher, "t").left, Names{"bob"});
  }
}

TEST_CASE("the state comes in sorted pages") {
  RealtimeWorld world;
  std::vector<Socket> sockets;
  for (std::size_t i = 0; i < 7; ++i) {
    sockets.push_back(world.connect(fmt::format("user{}", 6 - i), i % 2));
    subscribe(world, sockets.back(), "t");
  }
  auto frames = world.exchange(sockets[0], R"({"type":"presence","id":"1","topic":"t","limit":3})");
  REQUIRE_EQ(frames.size(), 1);
  CHECK_EQ(
      frames[0],
      R"({"type":"presence_state","id":"1","topic":"t","count":7,"users":["user0","user1","user2"],"next":"user2"})");
  frames = world.exchange(sockets[0], R"({"type":"presence","topic":"t","limit":9,"after":"user4"})");
  CHECK_EQ(frames[0], R"({"type":"presence_state","topic":"t","count":7,"users":["user5","user6"]})");
  CHECK_EQ(page(world, sockets[0], "t", 2).size(), 7);
  frames = world.exchange(sockets[0], R"({"type":"presence","topic":"nobody.there"})");
  CHECK_EQ(frames[0], R"({"type":"presence_state","topic":"nobody.there","count":0,"users":[]})");
}

TEST_CASE("presence is refused where it is off, of patterns, and without the permission to subscribe") {
  RealtimeOptions options;
  options.settings = std::make_shared<const RealtimeSettings>(
      NamespaceOptions{}, RealtimeSettings::Namespaces{{"quiet", {.presence = Presence::off}}});
  RealtimeWorld world{options};
  auto bob = world.connect_token("bob,topic:quiet.>:subscribe,topic:a.>:subscribe", 0);
  auto code = [&](std::string_view frame) { return field(world.exchange(bob, frame).at(0), "code"); };
  CHECK_EQ(code(R"({"type":"subscribe","topics":["quiet.t"],"presence":true})"), "forbidden");
  CHECK_EQ(code(R"({"type":"presence","topic":"quiet.t"})"), "forbidden");
  CHECK_EQ(code(R"({"type":"subscribe","topics":["a.b","a.*"],"presence":true})"), "bad_request");
  CHECK_EQ(code(R"({"type":"presence","topic":"b"})"), "forbidden");
  CHECK_EQ(code(R"({"type":"presence","topic":"$user.bob"})"), "forbidden");
  CHECK_EQ(code(R"({"type":"presence","topic":"a.*"})"), "bad_request");
  CHECK_EQ(code(R"({"type":"presence","topic":"a.b","limit":0})"), "bad_request");
  CHECK_EQ(code(R"({"type":"presence","topic":"a.b","limit":1001})"), "bad_request");
  CHECK_EQ(code(R"({"type":"subscribe","topics":["a.b"],"presence":1})"), "bad_request");
  subscribe(world, bob, "quiet.t");
  subscribe(world, bob, "a.*");  // by a pattern one is nowhere present
  CHECK_EQ(page(world, bob, "a.b"), Names{});
  subscribe(world, bob, "a.b");
  CHECK_EQ(page(world, bob, "a.b"), Names{"bob"});
}

TEST_CASE("subscribing again without the wish ends it") {
  RealtimeWorld world;
  auto watcher = world.connect("watcher");
  subscribe(world, watcher, "t", true);
  world.world.advance(1s);
  watcher->take();
  subscribe(world, watcher, "t");
  auto bob = world.connect("bob");
  subscribe(world, bob, "t");
  world.world.advance(1s);
  CHECK(watcher->take().empty());
  CHECK_EQ(page(world, bob, "t"), Names{"bob", "watcher"});
}

TEST_CASE("anonymous users are there under the name of their session's own") {
  RealtimeOptions options;
  NamespaceOptions defaults{.anonymous_grants = {*Grant::parse("topic:>:subscribe")}};
  options.settings =
      std::make_shared<const RealtimeSettings>(defaults, RealtimeSettings::Namespaces{}, Anonymous::allowed);
  RealtimeWorld world{options};
  auto first = world.ask_for("/ws", "");
  auto name = field(first->take().at(0), "user");
  CHECK(name.starts_with("anon:"));
  auto second = world.ask_for("/ws", "", 1);
  auto other = field(second->take().at(0), "user");
  subscribe(world, first, "t");
  subscribe(world, second, "t");
  CHECK_EQ(page(world, first, "t"), Names{name, other});
}

/// What somebody who watches a topic believes.
struct View {
  Names users;
  void take(Socket& socket, std::string_view topic) {
    for (const auto& frame : socket->take()) {
      if (field(frame, "type") != "presence_changed" || field(frame, "topic") != topic) continue;
      for (const auto& user : list(frame, "joined")) users.insert(user);
      for (const auto& user : list(frame, "left")) users.erase(user);
    }
  }
};

TEST_CASE("a home of presence that starts anew tells what it had not told, and is right again") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    RealtimeWorld world{{}, seed};
    auto doors = world.world.block_on(world.realtime->supervisor().ask(GetDoors{}));
    auto watcher = world.connect("watcher", seed % 2);
    subscribe(world, watcher, "t", true);
    View view;
    std::vector<Socket> sockets;
    for (std::size_t i = 0; i < 8; ++i) {
      sockets.push_back(world.connect(fmt::format("user{}", i), i % 2));
      subscribe(world, sockets.back(), "t");
    }
    world.world.advance(1s);
    view.take(watcher, "t");
    CHECK_EQ(view.users.size(), 9);
    auto close = [&](std::size_t i) { sockets[i]->send(wire::Opcode::close, "\x03\xe8"); };
    close(0);
    world.world.advance(std::chrono::milliseconds{seed * 20});  // told already, or not yet
    auto another = world.connect("another", 1);
    subscribe(world, another, "t");
    for (auto home : doors->presence) home.tell(ReportPresence{999, 1, UserId{"nobody"}, {}, {}});  // cannot be
    close(1);
    world.world.advance(std::chrono::milliseconds{seed});
    close(2);
    subscribe(world, sockets[3], "u");
    world.world.advance(5s);
    view.take(watcher, "t");
    const Names expected{"user3", "user4", "user5", "user6", "user7", "another", "watcher"};
    CHECK_EQ(view.users, expected);
    CHECK_EQ(page(world, watcher, "t"), expected);
    CHECK_EQ(page(world, watcher, "u"), Names{"user3"});
    close(4);
    world.world.advance(1s);
    CHECK_EQ(changes(watcher, "t"), Change{{}, {"user4"}});
  }
}

/// A client of the property below: what is true of it, whatever the server thinks.
struct Member {
  std::string user;
  Socket socket;
  std::string session;
  Names topics;
  std::optional<base::Instant> vanished;
};

constexpr auto session_time = 10s;
const std::vector<std::string> party_topics{"a", "b", "c.d"};

/// Members who do anything, and on each core somebody who watches.
struct Party {
  explicit Party(actor::test::Seed seed, actor::test::Faults faults = {}) : world(options(), seed, {}, faults) {
    for (std::size_t core = 0; core < 2; ++core) {
      watchers.push_back(world.connect(fmt::format("watcher{}", core), core));
      for (const auto& topic : party_topics) subscribe(world, watchers[core], topic, true);
    }
    asker = world.connect("asker", 1);
  }
  static RealtimeOptions options() {
    RealtimeOptions options;
    options.sessions.session_time = session_time;
    return options;
  }
  base::Instant now() { return world.world.core(0).now(); }
  bool chance(std::uint64_t of) { return world.world.random().below(of) == 0; }
  std::size_t core() { return world.world.random().below(2); }
  Frames resume(Member& member) {
    member.socket = ask(world, member.user, fmt::format("?session={}", member.session), core());
    return member.socket->take();
  }

  void step() {
    auto& random = world.world.random();
    if (members.size() < 3 || chance(5)) {
      Member fresh{fmt::format("user{}", random.below(5)), nullptr, {}, {}, {}};
      fresh.socket = ask(world, fresh.user, "", core());
      fresh.session = session_of(fresh.socket->take());
      members.push_back(std::move(fresh));
    }
    const auto index = random.below(members.size());
    members[index].vanished ? come_back(members[index]) : act(index);
    world.world.advance(std::chrono::milliseconds{random.below(400)});
  }

  void come_back(Member& member) {
    auto frames = resume(member);
    if (field(frames.at(0), "resumed") == "false") {
      CHECK_GE((now() - *member.vanished).count(), base::Duration{session_time}.count());
      member.session = session_of(frames);
      member.topics.clear();
    } else if (chance(2)) {
      world.exchange(member.socket, R"({"type":"resume","positions":{}})");
    }
    member.vanished.reset();
  }

  void act(std::size_t index) {
    auto& member = members[index];
    const auto& topic = party_topics[world.world.random().below(party_topics.size())];
    const auto what = world.world.random().below(8);
    if (what < 3) {
      subscribe(world, member.socket, topic);
      member.topics.insert(topic);
    } else if (what < 5) {
      world.exchange(member.socket, fmt::format(R"({{"type":"unsubscribe","topics":["{}"]}})", topic));
      member.topics.erase(topic);
    } else if (what == 5) {
      member.socket->send(wire::Opcode::close, "\x03\xe8");
      world.world.run_until_idle();
      members.erase(members.begin() + static_cast<std::ptrdiff_t>(index));
    } else if (what == 6) {
      member.socket->vanish();
      world.world.run_until_idle();
      member.vanished = now();
    } else {
      auto old = std::move(member.socket);  // which is still open
      CHECK_EQ(field(resume(member).at(0), "resumed"), "true");
    }
  }

  void look() {
    for (std::size_t core = 0; core < 2; ++core) {
      for (const auto& frame : watchers[core]->take()) {
        auto& view = views[core][field(frame, "topic")];
        for (const auto& user : list(frame, "joined")) view.insert(user);
        for (const auto& user : list(frame, "left")) view.erase(user);
      }
    }
  }

  /// False where nobody knows who is there, because a session ends just now.
  bool check() {
    world.world.advance(1s);
    for (const auto& member : members) {
      if (!member.vanished) continue;
      const auto ends = *member.vanished + session_time;
      if (ends <= now() + 1s && now() <= ends + 2s) return false;
    }
    std::erase_if(members, [&](Member& member) { return member.vanished && *member.vanished + session_time <= now(); });
    for (const auto& topic : party_topics) {
      CAPTURE(topic);
      Names truth{"watcher0", "watcher1"};
      for (const auto& member : members) {
        if (member.topics.contains(topic)) truth.insert(member.user);
      }
      look();
      CHECK_EQ(views[0][topic], truth);
      CHECK_EQ(views[1][topic], truth);
      CHECK_EQ(page(world, asker, topic, 2), truth);
    }
    return true;
  }

  RealtimeWorld world;
  std::vector<Socket> watchers;
  Socket asker;  // of pages
  std::vector<std::map<std::string, Names>> views{2};
  std::vector<Member> members;
};

TEST_CASE("whatever members do, after a quiet time each watcher's view, the pages and the truth are the same") {
  int checks = 0;
  actor::test::explore(
      {.schedules = 16},
      [&](actor::test::Seed seed) {
        // Cores may be held up for a while, and what goes from one to the other too.
        Party party{seed,
                    {.timer_delay_max = 20ms,
                     .ring_full = {20},
                     .stall = {seed.number % 2 == 0 ? 50U : 0U},
                     .stall_max = 50ms}};
        for (int step = 1; step <= 120; ++step) {
          party.step();
          if (step % 15 == 0) checks += party.check() ? 1 : 0;
        }
        party.world.world.advance(2 * session_time);
        CHECK(party.check());
      },
      [&] { CHECK_GT(checks, 20); });
}

TEST_CASE("presence goes on being told when one watcher could not be") {
  RealtimeOptions options;
  options.connection.outbox.control_bytes_pause = 0;  // so each answer has its link read no more for a moment
  RealtimeWorld world{options};
  const auto seen = testing::open_broken(world);
  {
    const actor::Core::Scope scope{world.world.core(0)};
    seen->events->on_message(wire::Opcode::text, R"({"type":"subscribe","topics":["t"],"presence":true})");
  }
  auto watcher = world.connect("watcher", 0);
  subscribe(world, watcher, "t", true);
  world.world.advance(1s);
  CHECK_EQ(changes(watcher, "t"), Change{{"broken", "watcher"}, {}});
  seen->breaks_at = "pause_reading";
  auto first = world.connect("first", 1);
  subscribe(world, first, "t");
  world.world.advance(1s);
  seen->breaks_at = {};
  CHECK_EQ(seen->closed, 1011);
  CHECK_EQ(changes(watcher, "t"), Change{{"first"}, {}});
  auto second = world.connect("second", 1);
  subscribe(world, second, "t");
  world.world.advance(1s);
  CHECK_EQ(changes(watcher, "t"), Change{{"second"}, {}});
}

}  // namespace
}  // namespace troupe::realtime
