// What is said to and between the routers of the cores.
//
// Connections ask the router of their own core, save for what goes straight to a topic's
// home: publications, direct messages and history. Routers tell each other; where an
// answer is due, it is a message of its own that bears the ticket of the first.
//
// What must not get lost, or must keep its place among what must not, is of the control
// class: the runtime never drops it. So homes bound by themselves what they hand to a core
// that is behind, and tell what they did not hand over.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "troupe/actor/actor.h"
#include "troupe/base/bytes.h"
#include "troupe/realtime/protocol/answer.h"
#include "troupe/realtime/protocol/command.h"
#include "troupe/realtime/protocol/ids.h"
#include "troupe/realtime/topic/by_namespace.h"
#include "troupe/realtime/topic/history.h"
#include "troupe/realtime/topic/receiver.h"
#include "troupe/realtime/topic/routing_rule.h"
#include "troupe/realtime/topic/spread.h"

namespace troupe::realtime {

class MessageRouterActor;
class TopicJournal;
using RouterRef = actor::Ref<MessageRouterActor>;
using CoreIndex = std::uint32_t;
using Ticket = std::uint64_t;  // of a router's own question, within its core

/// All routers, by core. Told to each of them once, before anything else.
struct JoinRouters {
  static constexpr auto message_class = actor::MessageClass::control;
  std::shared_ptr<const std::vector<RouterRef>> routers;
  std::optional<actor::Ref<TopicJournal>> journal{};  // of the same core; none: no topic outlives the process
};

// ---- from a connection to the router of its core ----

/// Makes a connection known, and tells it so by Receiver::registered() at once; the answer comes later. Its user's
/// inbox follows by Receiver::open_inbox().
struct Register {
  ReceiverRef receiver;
  using reply = ReceiverNumber;
};

/// Forgets it, with all its subscriptions.
struct Unregister {
  static constexpr auto message_class = actor::MessageClass::control;
  ReceiverNumber receiver;
};

struct WantedTopic {
  TopicPattern pattern;
  std::optional<RecoverFrom> recover{};
  Overflow overflow = Overflow::drop_oldest;
};

/// A message that is sent again to somebody who has missed it. Its frame is the one that history has: who sends it by a
/// pattern gives it `shard` and `seq`, which is a copy, and comes when it is known for how much there is room.
struct RecoveredMessage {
  std::string topic;
  Epoch epoch;
  KeptMessage message;
  Came came = Came::by_name;
  CoreIndex home = 0;
};

/// A topic that was subscribed to: its entry of the confirmation, and the messages after the client's position if
/// it asked for them and all are kept. Those of one shard stand in the order of their `seq`.
struct SubscribedResult {
  SubscribedTopic topic;
  std::vector<RecoveredMessage> recovered;
};

/// Why topics were not subscribed to; another try may go well.
enum class NotOpened : std::uint8_t {
  no_room,   // on the core, for so many topics that nobody there has subscribed to yet
  not_read,  // a topic could not be read from its disk, or found no room when it was; or a home has not answered in
             // time
};

/// Subscribes to each topic; one that this connection has already gets the new overflow policy. Not answered where the
/// receiver is not known. Errors: NotOpened, and then none is subscribed to; not for those that go on.
struct AddSubscriptions {
  static constexpr auto message_class =
      actor::MessageClass::control;  // as what ends them, so that both keep their order
  ReceiverNumber receiver;
  std::vector<WantedTopic> topics;
  /// Set: they are subscriptions that go on after it. A result is then `recovered` where nothing is lost; else its
  /// position says after what it goes on. Either way its messages follow.
  RoutesCut cut{};
  using reply = std::vector<SubscribedResult>;
  using error = NotOpened;
};

/// Ends subscriptions; those that there are not are passed over.
struct RemoveSubscriptions {
  static constexpr auto message_class = actor::MessageClass::control;  // a refused end would go on for ever
  ReceiverNumber receiver;
  std::vector<TopicPattern> topics;
};

/// Answered when all is done that this connection has told before.
struct CatchUp {
  static constexpr auto message_class = actor::MessageClass::control;  // like those, so that it does not pass them
  using reply = void;
};

// ---- from a connection to the home of a topic or user ----

struct Publisher {
  CoreIndex core = 0;
  ReceiverNumber receiver = 0;
  UserId user;
};

enum class PublishError : std::uint8_t {
  overloaded,        // no room for another topic
  too_many_topics,   // this user has begun as many as one may
  key_used_before,   // the idempotency key came with another payload
  slow_reader,       // a subscriber does not keep up, and its namespace lets publishers feel it; no offset was given
  not_recorded,      // the topic is durable, and the message is not on the disk; nobody got it
  record_too_large,  // nor can it be
};

/// Publishes. Asked, it counts who got it on all cores; told, nobody counts.
struct PublishMessage {
  Publisher publisher;
  PublishPtr publication;
  TargetScope target{};
  using reply = PublishAck;
  using error = PublishError;
};

enum class DirectError : std::uint8_t {
  overloaded,        // no room for another inbox, or for more in all of them
  too_many_inboxes,  // this user has begun as many of users who have not come as one may, or as much of its mail waits
  key_used_before,   // the idempotency key came with another payload
  too_large,         // more than an inbox holds
};

/// The inbox_topic() of the user must be a name.
struct SendDirect {
  UserId from;
  Direct direct;
  using reply = DirectAck;
  using error = DirectError;
};

/// Connections of this core do not keep up with these topics, or all do again. The first is repeated, and believed
/// for a short time only.
struct TopicsPressed {
  static constexpr auto message_class = actor::MessageClass::control;
  CoreIndex core;
  std::vector<std::string> topics;
};
struct TopicsRelieved {
  static constexpr auto message_class = actor::MessageClass::control;
  CoreIndex core;
  std::vector<std::string> topics;
};
inline constexpr base::Duration pressure_repeated = std::chrono::seconds{1};
inline constexpr base::Duration pressure_believed = std::chrono::seconds{3};

/// What became of messages that waited for room (Delivery::over). From a connection to the router of its core.
struct DeliveriesSettled {
  static constexpr auto message_class = actor::MessageClass::control;
  struct One {
    std::string topic;
    Position position;
    Delivery delivery;  // not `over`
  };
  std::vector<One> deliveries{};
};

/// The user has everything of the inbox up to `offset`: of the inbox of this epoch, where one is named. Answered when
/// that is so.
struct AcknowledgeInbox {
  UserId user;
  Offset offset;
  std::optional<Epoch> epoch;
  using reply = void;
};

struct ReadTopic {
  ReadHistory request;
  using reply = HistoryPage;
};

/// A topic that there is: where it stands, and how much of it is kept.
struct ListedTopic {
  std::string name;
  Position top;
  std::size_t kept = 0;
};

/// Topics in the order of their names.
struct TopicsPage {
  std::vector<ListedTopic> topics;
  bool more = false;  // there are others behind the last
};

/// The first `limit` topics of one home that lie in `pattern` and come after the name `after`. Its cost is that of
/// looking at all topics of the home.
struct ListTopics {
  TopicPattern pattern;
  std::string after;  // empty: from the beginning
  std::size_t limit = 0;
  using reply = TopicsPage;
};

// ---- from router to router ----

/// A core has its first subscriber of these, or no more.
struct AddInterest {
  static constexpr auto message_class = actor::MessageClass::control;
  CoreIndex core;
  std::vector<TopicPattern> patterns;
};
struct DropInterest {
  static constexpr auto message_class = actor::MessageClass::control;
  CoreIndex core;
  std::vector<TopicPattern> patterns;
};

/// The tables of a core are begun anew: it wants nothing more than what it says from now on. What its home has
/// numbered and kept is lost too, if its incarnation is another than before.
struct BeginAnew {
  static constexpr auto message_class = actor::MessageClass::control;
  CoreIndex core;
  std::uint32_t incarnation;
};

/// Where do these topics stand, and what came after these positions?
struct OpenTopics {
  CoreIndex core;
  Ticket ticket;
  std::optional<ShardPlace> cut;  // of this home: they go on after it, whatever `recover` says
  struct Topic {
    std::size_t index;  // the asker's, echoed
    TopicPattern pattern;
    std::optional<Position> recover;  // of the topic; of a pattern, of this home's stream
  };
  std::vector<Topic> topics;
  std::uint32_t tries = 0;  // to have all of them in memory
};
struct OpenedTopic {
  std::size_t index;
  Position top;
  bool recovered;
  std::vector<RecoveredMessage> messages;
};
struct TopicsOpened {
  static constexpr auto message_class = actor::MessageClass::control;
  Ticket ticket;
  CoreIndex home;
  ShardPlace handed;                // up to here the asking core was given all that it wanted
  std::vector<OpenedTopic> topics;  // none: one of them could not be read from the disk, or found no room
};

/// A publication on its way to the subscribers of one core. `ticket` 0: do not count.
struct Deliver {
  static constexpr auto message_class = actor::MessageClass::control;
  CoreIndex home;
  ShardPlace place;
  Ticket ticket;
  TopicName topic;
  Position position;
  base::Bytes frame;
  base::Bytes frame_by_pattern;  // empty when nobody anywhere came by a pattern
  std::optional<Publisher> excluded;
  ReceiverNumber publisher = 0;  // if its connection is of this core; it does not wait for its own outbox
  Priority priority = Priority::normal;
  TargetScope target{};
};
/// A core has handled so much of what this home has handed to it.
struct Handled {
  static constexpr auto message_class = actor::MessageClass::control;
  CoreIndex core;
  std::size_t messages;
  std::size_t bytes;
};
struct Delivered {
  static constexpr auto message_class = actor::MessageClass::control;
  Ticket ticket;
  std::uint64_t accepted;
  std::uint64_t queued;
};

/// A range of one topic that was not handed to a core because it is too far behind.
struct Missed {
  TopicName topic;
  Epoch epoch;
  Offset from;
  Offset to;
};
struct DeliverMissed {
  static constexpr auto message_class = actor::MessageClass::control;
  CoreIndex home;
  ShardPlace last;  // of them
  std::vector<Missed> ranges;
};

/// A core has a connection of the user, or no more.
struct OpenInbox {
  static constexpr auto message_class = actor::MessageClass::control;
  CoreIndex core;
  UserId user;
  ReceiverNumber receiver;
};
struct CloseInbox {
  static constexpr auto message_class = actor::MessageClass::control;
  CoreIndex core;
  UserId user;
};
struct InboxOpened {
  static constexpr auto message_class = actor::MessageClass::control;
  ReceiverNumber receiver;
  InboxContents contents;
};
struct DeliverDirect {
  static constexpr auto message_class = actor::MessageClass::control;
  CoreIndex home;
  Ticket ticket;
  UserId user;
  Position position;
  base::Bytes frame;
};
struct DirectDelivered {
  static constexpr auto message_class = actor::MessageClass::control;
  Ticket ticket;
  std::vector<ConnectionId> connections;
  std::uint64_t queued;
};

/// What a router has done and holds, for metrics.
struct RouterFigures {
  std::uint64_t published = 0;
  std::uint64_t delivered = 0;
  std::uint64_t dropped = 0;
  std::uint64_t spilled = 0;
  std::uint64_t pushed_back = 0;
  std::uint64_t missed = 0;
  std::uint64_t recorded = 0;      // on the disk
  std::uint64_t not_recorded = 0;  // refused, or nobody knows
  std::uint64_t recording = 0;     // wait for the disk
  std::uint64_t directs = 0;
  std::uint64_t topics = 0;
  std::uint64_t topics_refused = 0;          // publications that found no room for their topic
  std::uint64_t topics_refused_of_user = 0;  // or their user had begun as many as one may
  std::uint64_t history_bytes = 0;
  std::uint64_t inboxes = 0;
  std::uint64_t subscriptions = 0;
  std::uint64_t trie_lookups = 0;
  std::uint64_t trie_hits = 0;
  std::uint64_t trie_visited = 0;
  ByNamespace<NamespaceFigures> namespaces;
  SampledTime routing;    // at home: numbering, encoding, keeping
  SampledTime enqueuing;  // to all receivers of a core
};
struct MeasureRouter {
  using reply = RouterFigures;
};

}  // namespace troupe::realtime
