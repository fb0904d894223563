// What connections say to the keeper of their session, and it to them.
//
// All is of the control class: none of it may get lost, and what one connection says about
// its session must arrive in the order in which it was said.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "troupe/actor/actor.h"
#include "troupe/realtime/protocol/ids.h"
#include "troupe/realtime/topic/router_messages.h"
#include "troupe/realtime/topic/session.h"

namespace troupe::realtime {

class SessionsActor;
using SessionsRef = actor::Ref<SessionsActor>;

/// Another socket goes on with the session of this connection, which closes with 4004.
struct ReplaceConnection {
  static constexpr auto message_class = actor::MessageClass::control;
  std::uint64_t connection;
  SessionId session;
};

/// The connection that a session has now, by its core and its number there.
struct SessionOwner {
  CoreIndex core = 0;
  std::uint64_t connection = 0;
  actor::Ref<actor::Protocol<ReplaceConnection>> supervisor;

  friend bool operator==(const SessionOwner& a, const SessionOwner& b) noexcept {
    return a.core == b.core && a.connection == b.connection;
  }
};

/// Whether the user is known by a token, or only by having the session.
enum class SessionUser : std::uint8_t { authenticated, anonymous };

/// Whether another socket may go on with a session. A stream of events goes on by the ids of its events, and its
/// session ends with it.
enum class Resumable : std::uint8_t { no, yes };

/// A connection has begun a session of its own.
struct OpenSession {
  static constexpr auto message_class = actor::MessageClass::control;
  SessionId session;
  UserId user;
  SessionUser kind;
  SessionOwner owner;
  Resumable resumable = Resumable::yes;
};

struct ClaimedSession {
  UserId user;
  SubscriptionMap subscriptions;
};

enum class ClaimError : std::uint8_t {
  unknown,    // there is none that another socket could go on with, or no more
  forbidden,  // it is another user's
};

/// A new connection wants to go on with a session. From the answer on the session is its own.
struct ClaimSession {
  static constexpr auto message_class = actor::MessageClass::control;
  SessionId session;
  UserId user;
  SessionUser kind;
  SessionOwner owner;
  using reply = ClaimedSession;
  using error = ClaimError;
};

/// Its connection has subscribed and unsubscribed; what was removed comes before what was added.
struct ChangeSession {
  static constexpr auto message_class = actor::MessageClass::control;
  SessionId session;
  SessionOwner owner;
  std::vector<TopicPattern> removed;
  std::vector<std::pair<TopicPattern, SubscriptionOptions>> added;
};

enum class Leaving : std::uint8_t {
  vanished,  // the session waits for the next socket, if it is resumable
  closed,    // the client has ended it, or may not go on with it
};

/// A connection has ended. A session that another one has claimed meanwhile is not touched.
struct LeaveSession {
  static constexpr auto message_class = actor::MessageClass::control;
  SessionId session;
  SessionOwner owner;
  Leaving leaving;
};

/// From now on these bounds hold.
struct UseSessionsOptions {
  static constexpr auto message_class = actor::MessageClass::control;
  SessionsOptions options;
};

struct SessionFigures {
  std::uint64_t open = 0;
  std::uint64_t parked = 0;
  std::uint64_t resumed = 0;
  std::uint64_t expired = 0;
};
struct MeasureSessions {
  using reply = SessionFigures;
};

}  // namespace troupe::realtime
