// Connection: its session, which it opens or claims before it is welcomed, and leaves at its end.
#include "troupe/realtime/connection/connection.h"
#include "troupe/realtime/connection/connection_supervisor.h"
#include "troupe/realtime/connection/websocket_actor.h"

namespace troupe::realtime {

namespace {

constexpr base::Duration claim_within = std::chrono::seconds{2};  // an answer of another core, which is busy at worst

}  // namespace

SessionOwner Connection::owner() const { return {site_->routing.here, number(), site_->supervisor}; }

// What the client says meanwhile waits, as it does until the router knows of us.
actor::Task<void> Connection::begin_session() {
  if (leaving_) co_return;  // an earlier incarnation of the actor has begun it
  if (auto wanted = std::exchange(rare().arrival->session, std::nullopt)) {
    auto claimed = co_await claim(*std::move(wanted));
    if (claimed) co_return;
  }
  leaving_ = Leaving::vanished;
  auto kind = is_anonymous() ? SessionUser::anonymous : SessionUser::authenticated;
  const auto resumable = is_stream() ? Resumable::no : Resumable::yes;
  site_->routing.keeper(session_.id).tell(OpenSession{session_.id, session_.identity.user, kind, owner(), resumable});
}

actor::Task<bool> Connection::claim(SessionId wanted) {
  auto own = std::exchange(session_.id, std::move(wanted));
  leaving_ = Leaving::vanished;  // whatever becomes of us now, the session will be left
  auto kind = is_anonymous() ? SessionUser::anonymous : SessionUser::authenticated;
  const auto& keeper = site_->routing.keeper(session_.id);
  auto claimed =
      co_await keeper.within(claim_within).ask(ClaimSession{session_.id, session_.identity.user, kind, owner()});
  if (!claimed) {
    leave_session();
    session_.id = std::move(own);
    co_return false;
  }
  resumed_ = true;
  session_.identity.user = std::move(claimed->user);
  if (auto& arrived = rare().arrival->identity) arrived->user = session_.identity.user;  // should it arrive anew
  session_.restored = std::make_unique<SubscriptionMap>(std::move(claimed->subscriptions));
  make_rare().resume_until = core_.now() + site_->options.resume_within;
  reschedule();
  co_return true;
}

void Connection::watch_presence(const TopicPattern& topic) {
  const auto& routing = site_->routing;
  if (site_->watchers.add(topic, number()) == PresenceWatchers::Added::further) return;
  routing.presence_home(topic.text()).tell(WatchPresence{routing.here, topic});
}

void Connection::unwatch_presence(const TopicPattern& topic) {
  const auto& routing = site_->routing;
  if (site_->watchers.remove(topic, number()) == PresenceWatchers::Removed::not_last) return;
  routing.presence_home(topic.text()).tell(UnwatchPresence{routing.here, topic});
}

void Connection::leave_session() {
  if (!leaving_) return;
  session_.subscriptions.for_each([&](const TopicPattern& topic, const SubscriptionOptions& options) {
    if (options.presence == PresencePart::told) unwatch_presence(topic);
  });
  auto leaving = *std::exchange(leaving_, std::nullopt);
  site_->routing.keeper(session_.id).tell(LeaveSession{session_.id, owner(), leaving});
}

// At once, for who was sent away may take long to go; what the keeper hears of it at the end finds no session.
void Connection::end_session() {
  if (!leaving_) return;
  leaving_ = Leaving::closed;
  site_->routing.keeper(session_.id).tell(LeaveSession{session_.id, owner(), Leaving::closed});
}

void Connection::replace(const SessionId& session) {
  if (session == session_.id) close(close_codes::replaced, "another socket goes on with the session");
}

// The client did not say where it was: its topics go on from now. Tried again as long as there is something to resume.
void Connection::on_resume_time(base::Instant now) {
  if (session_.restored && session_.restored->empty()) session_.restored.reset();
  make_rare().resume_until = session_.restored ? now + site_->options.resume_within : base::Instant::never();
  if (!session_.restored || commands_waiting_ > 0) return;  // what waits may be the client's own `resume`
  ++commands_waiting_;
  actor_.tell(ResumeAnyway{});
}

}  // namespace troupe::realtime
