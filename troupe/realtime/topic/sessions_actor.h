// SessionsActor: one on each core; keeper of a share of the sessions, by the hash of their id.
//
// It is told of every change of a session's subscriptions, so that a session whose
// connection is gone, for whatever reason and however suddenly, can go on elsewhere. Parked
// sessions are bounded in number and time; those parked longest go first. A session's user
// is present in its topics until it ends, with or without a socket.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "troupe/actor/actor.h"
#include "troupe/realtime/topic/presence_reporter.h"
#include "troupe/realtime/topic/session_messages.h"

namespace troupe::realtime {

class SessionsActor {
 public:
  static constexpr std::string_view actor_type = "SessionsActor";

  SessionsActor(SessionsOptions options, CoreIndex index, PresenceHomes homes)
      : options_(options), presence_(index, std::move(homes)) {}

  void inspect(actor::Inspection& out) const;

  void handle(OpenSession message);
  std::expected<ClaimedSession, ClaimError> handle(const ClaimSession& message, actor::Context& ctx);
  void handle(ChangeSession message);
  void handle(const LeaveSession& message, actor::Context& ctx);
  void handle(const UseSessionsOptions& message) { options_ = message.options; }
  void handle(const PresenceTold& message) { presence_.forget(message); }
  void handle(const RepeatPresence& message) { presence_.repeat(message); }
  SessionFigures handle(const MeasureSessions&) const;

  struct Expire {};
  void handle(Expire, actor::Context& ctx);

 private:
  struct Session {
    UserId user;
    SubscriptionMap subscriptions;
    std::uint64_t connection;    // that it has, or had, by its number on `core`
    base::Instant expires_at{};  // while parked
    CoreIndex core;
    SessionUser kind;
    Resumable resumable;
    bool parked = false;  // it has no connection

    bool is_of(const SessionOwner& owner) const noexcept {
      return !parked && core == owner.core && connection == owner.connection;
    }
  };
  using Sessions = std::unordered_map<SessionId, Session>;

  Session* find(const SessionId& id, const SessionOwner& owner);
  void park(Sessions::iterator place, base::Instant now);
  void unpark(const SessionId& id, const Session& session);
  void expire(const SessionId& id);
  void end(Sessions::iterator place);
  void arm(actor::Context& ctx);

  SessionsOptions options_;
  PresenceReporter presence_;
  Sessions sessions_;
  std::map<CoreIndex, decltype(SessionOwner::supervisor)> supervisors_;  // of connections, as they were heard of last
  std::set<std::pair<base::Instant, SessionId>> parked_;                 // by when they expire
  std::map<UserId, std::vector<SessionId>> parked_by_user_;              // longest parked first
  std::size_t parked_subscriptions_ = 0;
  std::uint64_t resumed_ = 0;
  std::uint64_t expired_ = 0;
};

}  // namespace troupe::realtime
