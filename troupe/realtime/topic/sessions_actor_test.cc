// SessionsActor alone: whose a session is, who may have it next, and what it remembers.
#include "troupe/realtime/topic/sessions_actor.h"

#include <doctest/doctest.h>

#include "troupe/actor/sim/world.h"

namespace troupe::realtime {
namespace {

using namespace std::chrono_literals;

/// Stands for a ConnectionSupervisor: remembers whom it was told to replace.
struct Supervisor {
  explicit Supervisor(std::shared_ptr<std::vector<std::uint64_t>> replaced) : replaced_(std::move(replaced)) {}
  void handle(const ReplaceConnection& message) { replaced_->push_back(message.connection); }

 private:
  std::shared_ptr<std::vector<std::uint64_t>> replaced_;
};

struct Keeper {
  explicit Keeper(SessionsOptions options = {})
      : sessions(world.spawn<SessionsActor>({}, options, CoreIndex{0}, homes)) {
    supervisor = world.spawn<Supervisor>({}, replaced);
  }
  ~Keeper() { world.shutdown(); }

  SessionOwner owner(std::uint64_t connection) const { return {0, connection, supervisor}; }
  void open(std::string_view session, std::string_view user, std::uint64_t connection,
            SessionUser kind = SessionUser::authenticated, Resumable resumable = Resumable::yes) {
    sessions.tell(OpenSession{id(session), UserId{std::string{user}}, kind, owner(connection), resumable});
    world.run_until_idle();
  }
  void leave(std::string_view session, std::uint64_t connection, Leaving leaving = Leaving::vanished) {
    sessions.tell(LeaveSession{id(session), owner(connection), leaving});
    world.run_until_idle();
  }
  /// The names of the subscriptions, or what was wrong.
  std::string claim(std::string_view session, std::string_view user, std::uint64_t connection,
                    SessionUser kind = SessionUser::authenticated) {
    auto claimed =
        world.block_on(sessions.ask(ClaimSession{id(session), UserId{std::string{user}}, kind, owner(connection)}));
    world.run_until_idle();
    if (!claimed) return claimed.error().domain == ClaimError::unknown ? "unknown" : "forbidden";
    std::string names = std::string{claimed->user.value()} + ":";
    claimed->subscriptions.for_each(
        [&](const TopicPattern& topic, const SubscriptionOptions&) { names += " " + topic.text(); });
    return names;
  }
  void change(std::string_view session, std::uint64_t connection, std::string_view removed, std::string_view added) {
    ChangeSession message{id(session), owner(connection), {}, {}};
    if (!removed.empty()) message.removed.push_back(TopicPattern::parse(removed).value());
    if (!added.empty()) message.added.emplace_back(TopicPattern::parse(added).value(), SubscriptionOptions{});
    sessions.tell(std::move(message));
    world.run_until_idle();
  }
  SessionFigures figures() { return *world.block_on(sessions.ask(MeasureSessions{})); }
  static SessionId id(std::string_view text) { return SessionId{std::string{text}}; }

  actor::test::World world{1};
  PresenceHomes homes = std::make_shared<const std::vector<PresenceRef>>(1);  // nobody is there
  std::shared_ptr<std::vector<std::uint64_t>> replaced = std::make_shared<std::vector<std::uint64_t>>();
  SessionsRef sessions;
  actor::Ref<Supervisor> supervisor;
};

TEST_CASE("a session is claimed by its user, and by whoever has it where it is anonymous") {
  Keeper keeper;
  keeper.open("s", "bob", 1);
  keeper.open("a", "anon:1", 2, SessionUser::anonymous);
  CHECK_EQ(keeper.claim("t", "bob", 3), "unknown");
  CHECK_EQ(keeper.claim("s", "carol", 3), "forbidden");
  CHECK_EQ(keeper.claim("s", "bob", 3, SessionUser::anonymous), "forbidden");
  CHECK_EQ(keeper.claim("a", "anon:1", 3), "forbidden");
  CHECK(keeper.replaced->empty());
  CHECK_EQ(keeper.claim("s", "bob", 3), "bob:");
  CHECK_EQ(keeper.claim("a", "anon:2", 4, SessionUser::anonymous), "anon:1:");
  CHECK_EQ(*keeper.replaced, std::vector<std::uint64_t>{1, 2});
  CHECK_EQ(keeper.claim("s", "bob", 3), "bob:");  // asked again by the one that has it
  CHECK_EQ(keeper.replaced->size(), 2);
}

TEST_CASE("what the last connection has subscribed to is there for the next, and only its owner changes it") {
  Keeper keeper;
  keeper.open("s", "bob", 1);
  keeper.change("s", 1, "", "a");
  keeper.change("s", 1, "", "b.*");
  keeper.change("s", 1, "a", "c");
  keeper.change("s", 9, "c", "d");
  keeper.leave("s", 9, Leaving::closed);
  keeper.leave("s", 1);
  keeper.change("s", 1, "c", "");
  CHECK_EQ(keeper.claim("s", "bob", 2), "bob: b.* c");
  keeper.change("s", 1, "c", "");  // from the old one, too late
  keeper.leave("s", 1, Leaving::closed);
  keeper.change("s", 2, "b.*", "");
  CHECK_EQ(keeper.claim("s", "bob", 3), "bob: c");
}

TEST_CASE("sessions end by a close, by time, and the longest parked where there are too many") {
  Keeper keeper{{.session_time = 10s, .parked_max = 3, .parked_by_user_max = 2}};
  for (auto session : {"a", "b", "c", "d", "e", "f"})
    keeper.open(session, session < std::string{"d"} ? "bob" : session, 1);
  keeper.leave("a", 1, Leaving::closed);
  CHECK_EQ(keeper.claim("a", "bob", 2), "unknown");
  keeper.leave("b", 1);
  keeper.world.advance(1s);
  keeper.leave("c", 1);
  keeper.world.advance(1s);
  keeper.leave("d", 1);
  keeper.leave("e", 1);  // one too many
  CHECK_EQ(keeper.claim("b", "bob", 2), "unknown");
  keeper.world.advance(9500ms);  // c is over
  CHECK_EQ(keeper.claim("c", "bob", 2), "unknown");
  CHECK_EQ(keeper.claim("d", "d", 2), "d:");
  keeper.world.advance(1min);  // e is over, d and f have a socket
  auto figures = keeper.figures();
  CHECK_EQ(figures.open, 2);
  CHECK_EQ(figures.parked, 0);
  CHECK_EQ(figures.resumed, 1);
  CHECK_EQ(figures.expired, 3);
}

TEST_CASE("a session that is not resumable is nobody else's, and ends with its connection however that ends") {
  for (const auto leaving : {Leaving::vanished, Leaving::closed}) {
    Keeper keeper;
    keeper.open("s", "bob", 1, SessionUser::authenticated, Resumable::no);
    CHECK_EQ(keeper.claim("s", "bob", 2), "unknown");
    CHECK(keeper.replaced->empty());
    CHECK_EQ(keeper.figures().open, 1);
    keeper.leave("s", 1, leaving);
    CHECK_EQ(keeper.claim("s", "bob", 2), "unknown");
    CHECK_EQ(keeper.figures().open, 0);
    CHECK_EQ(keeper.figures().parked, 0);
  }
}

TEST_CASE("what sessions are subscribed to bounds them, too: the longest parked go") {
  Keeper keeper{{.session_time = 1min, .parked_subscriptions_max = 2}};
  keeper.open("a", "ann", 1);
  keeper.change("a", 1, "", "t1");
  keeper.change("a", 1, "", "t2");
  keeper.open("b", "bob", 1);
  keeper.change("b", 1, "", "t1");
  keeper.leave("a", 1);
  keeper.world.advance(1s);
  keeper.leave("b", 1);
  CHECK_EQ(keeper.claim("a", "ann", 2), "unknown");
  CHECK_EQ(keeper.claim("b", "bob", 2), "bob: t1");
}

TEST_CASE("new bounds hold for what is parked from then on") {
  Keeper keeper;
  keeper.open("a", "bob", 1);
  keeper.open("b", "bob", 1);
  keeper.leave("a", 1);
  keeper.sessions.tell(UseSessionsOptions{{.session_time = 1s}});
  keeper.leave("b", 1);
  keeper.world.advance(2s);
  CHECK_EQ(keeper.claim("b", "bob", 2), "unknown");
  CHECK_EQ(keeper.claim("a", "bob", 2), "bob:");
}

}  // namespace
}  // namespace troupe::realtime
