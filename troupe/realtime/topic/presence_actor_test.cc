// PresenceActor alone: rounds, which wait for the slowest core, and building its tables anew.
#include "troupe/realtime/topic/presence_actor.h"

#include <doctest/doctest.h>

#include "troupe/actor/sim/world.h"

namespace troupe::realtime {
namespace {

using namespace std::chrono_literals;

struct Log {
  std::vector<std::string> rounds;  // "t{joined|left}" for each frame
  std::vector<ReportNumber> told;
  int repeats = 0;
};

std::string between(std::string_view text, std::string_view begin, std::string_view end) {
  auto at = text.find(begin) + begin.size();
  return std::string{text.substr(at, text.find(end, at) - at)};
}

struct Watcher {
  explicit Watcher(std::shared_ptr<Log> log) : log_(std::move(log)) {}
  void handle(const DeliverPresence& message) {
    std::string round;
    for (const auto& [topic, frame] : message.frames) {
      auto text = frame.view();
      round += topic + "{" + between(text, "\"joined\":[", "]") + "|" + between(text, "\"left\":[", "]") + "}";
    }
    log_->rounds.push_back(round);
  }
  void handle(const RepeatPresence&) { ++log_->repeats; }

 private:
  std::shared_ptr<Log> log_;
};

struct Reporter {
  explicit Reporter(std::shared_ptr<Log> log) : log_(std::move(log)) {}
  void handle(const PresenceTold& message) { log_->told.push_back(message.number); }
  void handle(const RepeatPresence&) { ++log_->repeats; }

 private:
  std::shared_ptr<Log> log_;
};

struct Owner {
  void handle(const PresenceStarted&) {}
};

TopicPattern topic(std::string_view text) { return TopicPattern::parse(text).value(); }
UserId user(std::string_view name) { return UserId{std::string{name}}; }

struct Home {
  explicit Home(PresenceTables tables) {
    actor::Ref<actor::Protocol<PresenceStarted>> owner = world.spawn<Owner>({});
    presence = world.spawn<PresenceActor>({}, PresenceOptions{.interval = 250ms}, CoreIndex{0}, owner);
    JoinPresence join{{}, {}, tables};
    join.keepers.push_back(world.spawn<Reporter>({}, log));
    join.watchers.push_back(world.spawn<Watcher>({}, log));
    presence.tell(std::move(join));
    world.run_until_idle();
  }
  ~Home() { world.shutdown(); }

  void came(std::string_view name, std::string_view where = "t") {
    presence.tell(ReportPresence{0, ++number, user(name), {topic(where)}, {}});
  }
  void left(std::string_view name, std::string_view where = "t") {
    presence.tell(ReportPresence{0, ++number, user(name), {}, {topic(where)}});
  }

  actor::test::World world{1};
  std::shared_ptr<Log> log = std::make_shared<Log>();
  PresenceRef presence;
  ReportNumber number = 0;
};

TEST_CASE("changes are told once in an interval, and the keepers hear that they were") {
  Home home{PresenceTables::empty};
  home.presence.tell(WatchPresence{0, topic("t")});
  home.came("alice");
  home.came("bob");
  home.came("bob", "nobody.watches");
  home.world.advance(200ms);
  CHECK(home.log->rounds.empty());
  home.world.advance(60ms);
  CHECK_EQ(home.log->rounds, std::vector<std::string>{R"(t{"alice","bob"|})"});
  CHECK_EQ(home.log->told, std::vector<ReportNumber>{3});
  home.presence.tell(PresenceDelivered{});
  home.presence.tell(UnwatchPresence{0, topic("t")});
  home.left("alice");
  home.world.advance(10s);
  CHECK_EQ(home.log->rounds.size(), 1);
  CHECK_EQ(home.log->told.back(), 4);
}

TEST_CASE("a round waits until the last one was handled, and what was undone meanwhile is not told") {
  Home home{PresenceTables::empty};
  home.presence.tell(WatchPresence{0, topic("t")});
  home.came("alice");
  home.world.advance(1s);
  REQUIRE_EQ(home.log->rounds.size(), 1);
  home.came("bob");
  home.came("carol");
  home.world.advance(1min);
  home.left("bob");
  home.world.advance(1min);
  CHECK_EQ(home.log->rounds.size(), 1);
  home.presence.tell(PresenceDelivered{});
  home.world.advance(1s);
  REQUIRE_EQ(home.log->rounds.size(), 2);
  CHECK_EQ(home.log->rounds[1], R"(t{"carol"|})");
}

TEST_CASE("a topic that fills at once is told in frames of bounded size") {
  Home home{PresenceTables::empty};
  home.presence.tell(WatchPresence{0, topic("t")});
  for (int i = 0; i < 1234; ++i) home.came(std::to_string(i));
  home.world.advance(1s);
  REQUIRE_EQ(home.log->rounds.size(), 1);
  CHECK_EQ(std::ranges::count(home.log->rounds[0], 't'), 3);
}

TEST_CASE("who lost the tables asks, says nothing before all have answered, and then tells all of it") {
  Home home{PresenceTables::lost};
  CHECK_EQ(home.log->repeats, 2);
  home.came("alice");
  auto page = [&] { return home.world.block_on(home.presence.ask(ReadPresence{*TopicName::parse("t"), 10, {}})); };
  CHECK_EQ(page().error().domain, PresenceError::rebuilding);
  home.presence.tell(
      PresenceRepeated{0, 7, {{topic("t"), user("alice")}, {topic("t"), user("bob")}}, {{topic("t"), user("carol")}}});
  home.world.advance(1s);
  CHECK(home.log->rounds.empty());
  home.presence.tell(WatchesRepeated{0, {topic("t")}});
  home.world.advance(1s);
  CHECK_EQ(home.log->rounds, std::vector<std::string>{R"(t{"alice","bob"|"carol"})"});
  CHECK_EQ(home.log->told, std::vector<ReportNumber>{7});
  CHECK_EQ(page()->count, 2);
}

}  // namespace
}  // namespace troupe::realtime
