// Client: the connection as commands see it: who is there, what they may, where answers go.
//
// Implemented by connection/; commands live above topics and below connections, so this is
// the only way in which they touch a socket. One core; lives as long as the command.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "troupe/actor/actor.h"
#include "troupe/base/bytes.h"
#include "troupe/realtime/protocol/error.h"
#include "troupe/realtime/protocol/identity.h"
#include "troupe/realtime/protocol/permission.h"
#include "troupe/realtime/topic/message_router_actor.h"
#include "troupe/realtime/topic/sessions_actor.h"

namespace troupe::realtime {

/// What is known of one connection once it has been let in.
struct Session {
  ConnectionId connection;
  SessionId id;
  Identity identity;
  Permissions permissions;
  SubscriptionMap subscriptions;
  std::unique_ptr<SubscriptionMap> restored;  // what a session that was claimed had, until `resume`; else null
  ReceiverNumber receiver = 0;

  /// How many subscriptions it has, those that wait for `resume` too; a topic is never in both.
  std::size_t subscription_count() const noexcept {
    return subscriptions.size() + (restored != nullptr ? restored->size() : 0);
  }
};

/// The routers and the keepers of sessions as one core sees them.
struct Routing {
  std::shared_ptr<const std::vector<RouterRef>> routers;
  CoreIndex here = 0;
  std::shared_ptr<const std::vector<SessionsRef>> keepers{};
  PresenceHomes presence{};

  const RouterRef& local() const { return (*routers)[here]; }
  const RouterRef& home(std::string_view topic) const { return (*routers)[home_of(topic, routers->size())]; }
  const PresenceRef& presence_home(std::string_view topic) const {
    return (*presence)[home_of(topic, presence->size())];
  }
  const SessionsRef& keeper(const SessionId& session) const {
    return (*keepers)[home_of(session.value(), keepers->size())];
  }
};

/// Who asks for something that needs no connection, and by what it is judged. Refers to the caller's values.
struct Asker {
  const Identity& identity;
  const Permissions& permissions;
  const RealtimeSettings& settings;
  const Routing& routing;
  ReceiverNumber receiver = 0;  // of the connection; none: 0
};

struct ClientFigures {
  std::size_t queue = 0;  // messages that wait for the socket
  std::optional<base::Duration> rtt;
};

using OptionalId = std::optional<RequestId>;
/// What the client has of topics.
using TopicPositions = std::map<std::string, Position>;
/// How far streams of shards have come, by the shard's name.
using ShardSeqs = std::map<std::string, std::uint64_t>;

class Client {
 public:
  virtual ~Client() = default;

  virtual Session& session() noexcept = 0;
  /// As the session's keeper knows the connection.
  virtual SessionOwner owner() const = 0;
  virtual const Routing& routing() const noexcept = 0;
  virtual const RealtimeSettings& settings() const noexcept = 0;
  virtual std::size_t subscriptions_max() const noexcept = 0;
  virtual ClientFigures figures() const noexcept = 0;

  /// Sends a finished frame behind all that was sent before.
  virtual void answer(base::Bytes frame) = 0;
  /// The same of a frame that says where topics go on: what is missing before it is told before it.
  virtual void confirm(base::Bytes frame) = 0;

  /// Sends the ack of a publication, behind what this connection gets of its topic up to there.
  virtual void acknowledge(base::Bytes frame, std::string_view topic, const Position& position) = 0;

  /// Keeps the live messages of topics and patterns back until release(), which lets those go that come after what the
  /// client has of their topics. Of a name that is in `last`, a hole behind it is told. What only patterns bring that
  /// were not there before goes only where it comes after `begins`, the places at which they begin. A command holds
  /// once at most, and lets all of it go at once.
  virtual void hold(std::vector<TopicPattern> topics) = 0;
  virtual void release(const TopicPositions& last, const ShardSeqs& begins) = 0;
  /// Where the client is in a topic of which messages are held, or still to be read; none: it has all that has come.
  virtual std::optional<Position> place_in(const std::string& topic) const = 0;
  /// Whether the pattern is one that the present command begins, of those that it holds.
  virtual bool has_begun(const TopicPattern& pattern) const = 0;
  /// The subscription of a name begins at `place`, which is being confirmed: what it was behind with before that is
  /// not read any more.
  virtual void begin_anew(const std::string& topic, const Position& place) = 0;
  /// Holds them no more, and forgets what was held for them alone: it will be recovered.
  virtual void discard() = 0;
  /// The subscriptions were not made, or have ended: what was held goes on where another one of the client brings it.
  virtual void call_off() = 0;
  /// Sends what was missed, in this order. Ask has_room_to_recover() before.
  virtual void recover(const std::vector<RecoveredMessage>& messages) = 0;
  virtual bool has_room_to_recover(std::size_t messages, std::size_t bytes) const noexcept = 0;

  /// Forgets what is behind of topics that only these subscriptions, which have ended, brought here.
  virtual void end_topics(const std::vector<TopicPattern>& ended) = 0;

  /// From now on it is told who comes into this topic and who leaves it, or no more.
  virtual void watch_presence(const TopicPattern& topic) = 0;
  virtual void unwatch_presence(const TopicPattern& topic) = 0;

  /// Sends a page of history as fast as the socket takes it, then its end. An error when too much is under way.
  virtual std::optional<ClientError> start_history(const std::optional<RequestId>& id, std::string topic,
                                                   HistoryPage page) = 0;
  /// Ends the history that was asked for with this id; false when there is none.
  virtual bool cancel_history(const RequestId& id) = 0;

  virtual actor::Task<std::expected<Identity, ClientError>> verify(base::Secret<std::string> token) = 0;
  /// A place within the limit of its user for a connection that came without a token. False: `id` was answered.
  virtual actor::Task<bool> admit(UserId user, OptionalId id) = 0;
  /// Takes an identity: the first one opens the session, a later one of the same user replaces it. Of a connection that
  /// closes nothing changes.
  virtual actor::Task<void> adopt(Identity identity) = 0;
  /// Its user is known, and is nobody else from then on.
  virtual bool has_user() const noexcept = 0;
};

/// The client as one who asks; valid until it waits for something.
inline Asker asker(Client& client) {
  const auto& session = client.session();
  return {session.identity, session.permissions, client.settings(), client.routing(), session.receiver};
}

/// Sends an error that answers `id`.
inline void refuse(Client& client, const std::optional<RequestId>& id, ErrorCode code, std::string message) {
  client.answer(finished(ClientError{code, std::move(message), {}}, id));
}

}  // namespace troupe::realtime
