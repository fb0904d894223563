// SessionsActor: open, claim, park, expire.
#include "troupe/realtime/topic/sessions_actor.h"

#include <algorithm>

namespace troupe::realtime {

namespace {

bool is_present(const SubscriptionOptions& options) noexcept { return options.presence != PresencePart::none; }

}  // namespace

void SessionsActor::handle(OpenSession message) {
  supervisors_[message.owner.core] = message.owner.supervisor;
  sessions_.insert_or_assign(std::move(message.session), Session{std::move(message.user),
                                                                 {},
                                                                 message.owner.connection,
                                                                 {},
                                                                 message.owner.core,
                                                                 message.kind,
                                                                 message.resumable});
}

std::expected<ClaimedSession, ClaimError> SessionsActor::handle(const ClaimSession& message, actor::Context& ctx) {
  auto found = sessions_.find(message.session);
  if (found == sessions_.end()) return std::unexpected(ClaimError::unknown);
  auto& session = found->second;
  if (session.resumable == Resumable::no) return std::unexpected(ClaimError::unknown);
  // Without a token the id alone says whose the session is; with one, both must agree.
  const bool same =
      session.kind == message.kind && (session.kind == SessionUser::anonymous || session.user == message.user);
  if (!same) return std::unexpected(ClaimError::forbidden);
  if (session.parked) {
    unpark(found->first, session);
    arm(ctx);
  } else if (!session.is_of(message.owner)) {
    supervisors_[session.core].tell(ReplaceConnection{session.connection, message.session});
  }
  supervisors_[message.owner.core] = message.owner.supervisor;
  session.parked = false;
  session.core = message.owner.core;
  session.connection = message.owner.connection;
  ++resumed_;
  return ClaimedSession{session.user, session.subscriptions};
}

void SessionsActor::handle(ChangeSession message) {
  auto* session = find(message.session, message.owner);
  if (session == nullptr) return;
  std::vector<TopicPattern> came, left;
  for (const auto& topic : message.removed) {
    const auto* known = session->subscriptions.find(topic);
    if (known == nullptr) continue;
    if (is_present(*known)) left.push_back(topic);
    session->subscriptions.erase(topic);
  }
  for (const auto& [topic, options] : message.added) {
    auto [place, fresh] = session->subscriptions.try_emplace(topic);
    const bool was_present = is_present(std::exchange(*place, options));
    if (is_present(options) && !was_present) came.push_back(topic);
    if (!is_present(options) && was_present) left.push_back(topic);
  }
  presence_.report(session->user, came, left);
}

void SessionsActor::handle(const LeaveSession& message, actor::Context& ctx) {
  const auto* session = find(message.session, message.owner);
  if (session == nullptr) return;
  const bool waits = message.leaving == Leaving::vanished && session->resumable == Resumable::yes &&
                     options_.session_time > base::Duration::zero();
  auto place = sessions_.find(message.session);
  if (!waits) return end(place);
  park(place, ctx.now());
  arm(ctx);
}

void SessionsActor::handle(Expire, actor::Context& ctx) {
  while (!parked_.empty() && parked_.begin()->first <= ctx.now()) expire(parked_.begin()->second);
  arm(ctx);
}

SessionsActor::Session* SessionsActor::find(const SessionId& id, const SessionOwner& owner) {
  auto found = sessions_.find(id);
  return found != sessions_.end() && found->second.is_of(owner) ? &found->second : nullptr;
}

void SessionsActor::park(Sessions::iterator place, base::Instant now) {
  auto& [id, session] = *place;
  session.parked = true;
  session.expires_at = now + options_.session_time;
  parked_.emplace(session.expires_at, id);
  parked_subscriptions_ += session.subscriptions.size();
  auto& of_user = parked_by_user_[session.user];
  of_user.push_back(id);
  if (of_user.size() > options_.parked_by_user_max) expire(SessionId{of_user.front()});
  while (parked_.size() > options_.parked_max || parked_subscriptions_ > options_.parked_subscriptions_max) {
    expire(SessionId{parked_.begin()->second});
  }
}

void SessionsActor::unpark(const SessionId& id, const Session& session) {
  parked_.erase({session.expires_at, id});
  parked_subscriptions_ -= session.subscriptions.size();
  auto of_user = parked_by_user_.find(session.user);
  std::erase(of_user->second, id);
  if (of_user->second.empty()) parked_by_user_.erase(of_user);
}

void SessionsActor::expire(const SessionId& id) {
  ++expired_;
  auto place = sessions_.find(id);
  unpark(place->first, place->second);
  end(place);
}

void SessionsActor::end(Sessions::iterator place) {
  const auto& session = place->second;
  std::vector<TopicPattern> left;
  session.subscriptions.for_each([&](const TopicPattern& topic, const SubscriptionOptions& options) {
    if (is_present(options)) left.push_back(topic);
  });
  presence_.report(session.user, {}, left);
  sessions_.erase(place);
}

// One timer, for the one that expires first.
void SessionsActor::arm(actor::Context& ctx) {
  if (parked_.empty()) return ctx.cancel("expiry");
  auto in = std::max(parked_.begin()->first - ctx.now(), base::Duration{std::chrono::milliseconds{1}});
  ctx.after(this, "expiry", in, Expire{});
}

SessionFigures SessionsActor::handle(const MeasureSessions&) const {
  return {sessions_.size() - parked_.size(), parked_.size(), resumed_, expired_};
}

void SessionsActor::inspect(actor::Inspection& out) const {
  auto figures = handle(MeasureSessions{});
  out.add("open", figures.open);
  out.add("parked", figures.parked);
  out.add("resumed", figures.resumed);
  out.add("expired", figures.expired);
}

}  // namespace troupe::realtime
