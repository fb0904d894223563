// MessageRouterActor: one on each core. It is the home of a share of the topics and users,
// and it brings what concerns its core's connections to their outboxes.
//
// A topic's home numbers, keeps and encodes a publication once and tells each core that
// has subscribers once; the cores answer with counts. All is done by messages that wait
// for nobody, so the order in which a home publishes is the order in which each core gets.
//
// A router that starts anew after a fault has lost its tables, and what its home kept. All
// routers then begin their tables anew, and each connection fills them again: it knows what
// it is subscribed to, and each core knows how far the streams of the homes had come to it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "troupe/realtime/topic/idempotency.h"
#include "troupe/realtime/topic/inbox_shard.h"
#include "troupe/realtime/topic/journal_messages.h"
#include "troupe/realtime/topic/local_receivers.h"
#include "troupe/realtime/topic/missed_ranges.h"
#include "troupe/realtime/topic/pressed_topics.h"
#include "troupe/realtime/topic/router_messages.h"
#include "troupe/realtime/topic/topic_shard.h"

namespace troupe::realtime {

struct RouterOptions {
  SettingsPtr settings = default_settings();  // until UseSettings
  TopicOptions topics{};
  InboxOptions inboxes{};
  IdempotencyOptions idempotency{};
  std::size_t subscription_segments_max = 4'000'000;        // of what is subscribed to here; a quarter KiB each
  std::size_t recoveries_max = 32;                          // at once; each may bring 8 MiB from each home
  std::size_t window_messages = 8 * 1024;                   // handed to another core and not yet handled by it
  std::size_t window_bytes = 64 * 1024 * 1024;              // past either, its connections are told a gap
  std::size_t recording_max = 10'000;                       // that wait for the disk; past either bound publications
  std::size_t recording_bytes_max = 64 * 1024 * 1024;       // to durable topics are refused
  std::size_t loading_max = 10'000;                         // topics that are read from the disk for who wants to read
  base::Duration housekeeping = std::chrono::seconds{1};    // how late expired history may go
  base::Duration answer_within = std::chrono::seconds{10};  // another core's; longer than any asker waits
};

/// What outlives a router's fault. Touched on its core alone, once it has started.
struct RouterMemory {
  std::shared_ptr<const std::vector<RouterRef>> routers;  // null until it has joined them
  SettingsPtr settings;                                   // null: those of its options
  std::optional<actor::Ref<TopicJournal>> journal;
  std::uint32_t incarnation = 0;
  std::unique_ptr<LocalReceivers> local;  // whose tables are not trusted after a fault, but whoever stood there is told
  std::vector<ShardPlace> handled;        // by home: what came to this core
  std::vector<std::uint32_t> incarnations;  // by home, as far as told

  /// A delivery that ended in a fault, and who had got it by then.
  struct Interrupted {
    CoreIndex home;
    ShardPlace place;
    std::set<ReceiverNumber> reached;
  };
  std::optional<Interrupted> interrupted;
};

class MessageRouterActor {
 public:
  static constexpr std::string_view actor_type = "MessageRouterActor";

  /// `memory` is this router's own.
  MessageRouterActor(RouterOptions options, CoreIndex index,
                     std::shared_ptr<RouterMemory> memory = std::make_shared<RouterMemory>());

  void started(actor::Context& ctx);
  void inspect(actor::Inspection& out) const;
  void handle(JoinRouters message);
  void handle(UseSettings message, actor::Context& ctx);
  RouterFigures handle(const MeasureRouter&) const;

  // For the connections of this core.
  ReceiverNumber handle(const Register& message);
  void handle(Unregister message);
  void handle(AddSubscriptions message, actor::Reply<std::vector<SubscribedResult>, NotOpened> reply,
              actor::Context& ctx);
  void handle(RemoveSubscriptions message);
  void handle(CatchUp) {}
  void handle(const DeliveriesSettled& message);

  // As the home of topics and users.
  void handle(const TopicsPressed& message, actor::Context& ctx);
  void handle(const TopicsRelieved& message);
  void handle(PublishMessage&& message, actor::Reply<PublishAck, PublishError> reply, actor::Context& ctx);
  void handle(SendDirect message, actor::Reply<DirectAck, DirectError> reply, actor::Context& ctx);
  void handle(ReadTopic message, actor::Reply<HistoryPage> reply, actor::Context& ctx);
  TopicsPage handle(const ListTopics& message, actor::Context& ctx);
  void handle(const AcknowledgeInbox& message);
  void handle(const AddInterest& message);
  void handle(const DropInterest& message);
  void handle(const BeginAnew& message);
  void handle(OpenTopics message, actor::Context& ctx);
  void handle(OpenInbox message, actor::Context& ctx);
  void handle(const CloseInbox& message);

  // From the journal of this core.
  void handle(TopicLoaded message, actor::Context& ctx);
  void handle(const Recorded& message, actor::Context& ctx);
  void handle(const NotRecorded& message);
  void handle(const JournalBegan& message);

  // From other homes.
  void handle(TopicsOpened message);
  void handle(const Deliver& message);
  void handle(const DeliverMissed& message);
  void handle(const Delivered& message, actor::Context& ctx);
  void handle(const Handled& message);
  void handle(const InboxOpened& message);
  void handle(const DeliverDirect& message);
  void handle(DirectDelivered message, actor::Context& ctx);

  struct Housekeep {};
  void handle(Housekeep, actor::Context& ctx);

 private:
  /// A question to other cores whose answers have not all come.
  template <class Result, class Error>
  struct Waiting {
    std::vector<actor::Reply<Result, Error>> replies;
    Result result{};
    std::size_t missing = 0;
    base::Instant since;
    std::optional<IdempotencyKey> key{};  // of a message that bore one
    bool goes_on = false;                 // of subscriptions that there were before

    void answer() {
      for (auto& reply : replies) reply.set(result);
    }
  };
  template <class Result, class Error>
  using Tickets = std::map<Ticket, Waiting<Result, Error>>;

  /// A delivery to this core that waits for room in some outboxes, and is counted when all have settled.
  struct Unsettled {
    CoreIndex home;
    Ticket ticket;
    std::uint64_t accepted;
    std::uint64_t queued;
    std::uint64_t missing;
  };
  using DeliveryKey = std::tuple<std::string, Epoch, Offset>;  // topic, epoch, offset

  /// What was handed to another core and not yet handled by it, and what was not handed over for that reason.
  struct Window {
    std::size_t messages = 0;
    std::size_t bytes = 0;
    MissedRanges missed;
    std::uint64_t missed_to = 0;  // in the stream of this home
  };

  const RouterRef& router(std::size_t core) const { return (*routers_)[core]; }
  std::size_t cores() const noexcept { return routers_->size(); }
  Moment moment(actor::Context& ctx) const { return {ctx.now(), ctx.wall(), ctx.random()}; }
  LocalReceivers& local() const noexcept { return *memory_->local; }
  SettingsPtr settings() const { return memory_->settings ? memory_->settings : options_.settings; }
  void join();
  void begin_anew();
  void has_handled(CoreIndex home, const ShardPlace& place);
  void tell_interest(const std::vector<TopicPattern>& added);
  void tell_no_interest(const std::vector<TopicPattern>& dropped);
  std::vector<std::vector<TopicPattern>> by_home(const std::vector<TopicPattern>& patterns) const;
  bool has_room_for(const std::vector<WantedTopic>& topics) const;
  std::vector<OpenTopics> questions(const AddSubscriptions& message, Ticket ticket) const;
  void ask_homes(std::vector<OpenTopics> questions);
  void begin_recoveries();
  void end_recovery(Ticket ticket);
  void take_opened(Waiting<std::vector<SubscribedResult>, NotOpened>& waiting, TopicsOpened message);
  /// Where the keys of an operation are remembered, and those who wait for its counts; and the key of a message.
  template <class Result, class Error>
  struct Keyed {
    IdempotencyWindow<Result>& window;
    Tickets<Result, Error>& tickets;
    IdempotencyKey key;
    std::size_t payload_hash;

    bool has_key() const noexcept { return !std::get<std::string>(key).empty(); }
  };
  template <class Result, class Error>
  bool answer_repeat(const Keyed<Result, Error>& keyed, actor::Reply<Result, Error>& reply, base::Instant now);
  template <class Result, class Error>
  void remember(const Keyed<Result, Error>& keyed, Ticket ticket, base::Instant now);
  Keyed<PublishAck, PublishError> keyed(const PublishMessage& message);
  Keyed<DirectAck, DirectError> keyed(const SendDirect& message, const TopicName& inbox);
  Deliver delivery_to(CoreIndex core, Ticket ticket, const PublishMessage& message, Publication&& publication) const;
  void publish(const PublishMessage& message, Publication&& publication, actor::Reply<PublishAck, PublishError> reply,
               base::Instant now);
  void answer_direct(Ticket ticket, base::Instant now);

  /// A publication that is on its way to the disk. Its payload is with the journal.
  struct UnderRecord {
    PublishMessage message;
    std::vector<actor::Reply<PublishAck, PublishError>> replies;
    base::Instant since;
    std::size_t bytes = 0;
    std::size_t payload_hash = 0;
  };
  /// What goes on when a topic was read, or could not be.
  using Continuation = std::move_only_function<void(bool loaded, actor::Context& ctx)>;
  struct Loading {
    std::vector<Continuation> waiting;
    base::Instant since;
  };
  bool is_durable(const TopicName& topic) const;
  /// Whether it is durable and not here.
  bool must_load(const TopicName& topic) const;
  /// Whether there is room to read so many more for those who want to read: publications have their own bounds.
  bool may_load(std::size_t topics) const noexcept;
  void load(const TopicName& topic, Continuation then, actor::Context& ctx);
  void ask_to_load(const TopicName& topic);
  void end_loading(const TopicName& topic, bool loaded, actor::Context& ctx);
  void deliver_loaded(const TopicLoaded& loaded, const std::vector<Publication>& unknown, base::Instant now);
  void deliver_stored(const Publication& publication, const StoredMessage& stored, base::Instant now);
  bool has_room_to_record(std::size_t bytes) const noexcept;
  void record(PublishMessage message, actor::Reply<PublishAck, PublishError> reply, actor::Context& ctx);
  bool shares_record(const PublishMessage& message, actor::Reply<PublishAck, PublishError>& reply);
  std::optional<UnderRecord> take_recording(Ticket ticket);
  void take_late(const Recorded& message, std::optional<UnderRecord> under_way);
  void end_record(Ticket ticket, Recording why);
  void begin_stale(const TopicName& topic);
  void end_stale(const TopicName& topic);
  void keep_house_with_journal(actor::Context& ctx);
  bool loads_first(OpenTopics& message, actor::Context& ctx);

  bool is_pushed_back(const TopicName& topic, base::Instant now) const;
  void await_room(const Deliver& message, const LocalReceivers::Counted& counted);
  void name_namespaces(const RealtimeSettings& settings);
  LocalReceivers::Counted deliver_here(const Deliver& message);
  void hand_to(CoreIndex core, Deliver message);
  bool has_window(const Window& window) const noexcept;
  void tell_missed(CoreIndex core);

  RouterOptions options_;
  CoreIndex index_;
  std::shared_ptr<RouterMemory> memory_;
  std::shared_ptr<const std::vector<RouterRef>> routers_;
  std::unique_ptr<TopicShard> topics_;
  InboxShard inboxes_;
  IdempotencyWindow<PublishAck> published_;
  IdempotencyWindow<DirectAck> sent_;
  Ticket next_ticket_ = 1;
  Tickets<PublishAck, PublishError> counting_;
  Tickets<DirectAck, DirectError> directing_;
  Tickets<std::vector<SubscribedResult>, NotOpened> opening_;
  std::set<Ticket> recovering_;                           // of these, and asked by now
  std::map<Ticket, std::vector<OpenTopics>> recoveries_;  // and wait for their turn
  std::map<Ticket, UnderRecord> recording_;
  std::map<IdempotencyKey, Ticket> recording_keys_;
  std::map<TopicName, Loading> loading_;
  std::size_t recordings_waiting_ = 0;  // for the disk, or for a topic to be read
  std::size_t recording_bytes_ = 0;     // of their payloads
  std::set<TopicName> stale_;           // durable topics of which the disk may know more; each has one write under way
  std::vector<Window> windows_;         // by core, as a home
  std::vector<Handled> unreported_;     // by home: handled here and not yet told
  std::map<DeliveryKey, Unsettled> unsettled_;
  PressedTopics pressed_;
  RouterFigures figures_;  // what is counted as it happens
};

}  // namespace troupe::realtime
