// Connection: one client's WebSocket, or its stream of events, and all that belongs to it:
// session, outbox, limits, clockwork. It outlives restarts of its WebSocketActor, which runs its commands.
//
// Deliveries come straight from the router, whatever a command waits for; all that came in
// one turn leaves in one write. It owns its link; it ends when the link has closed. Other
// connections never see its faults. Most connections are silent most of the time: what only
// one that talks needs, or a slow one, exists only then. One core.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "troupe/actor/actor.h"
#include "troupe/base/prefetch.h"
#include "troupe/realtime/command/client.h"
#include "troupe/realtime/connection/due_queue.h"
#include "troupe/realtime/connection/event_coding.h"
#include "troupe/realtime/connection/heartbeat.h"
#include "troupe/realtime/connection/held_topics.h"
#include "troupe/realtime/connection/history_stream.h"
#include "troupe/realtime/connection/outbox.h"
#include "troupe/realtime/connection/site.h"
#include "troupe/realtime/connection/spilled_topics.h"
#include "troupe/realtime/protocol/command.h"
#include "troupe/realtime/topic/receiver.h"
#include "troupe/web/websocket_link.h"

namespace troupe::realtime {

class WebSocketActor;

/// A command from when it was read to when it has ended: it waits and runs in one place.
struct CommandRun : actor::CoreMemory {
  CommandRun() = default;  // of what no client has asked for
  CommandRun(ClientFrame&& read, std::size_t size) : frame(std::move(read)), bytes(size) {}

  ClientFrame frame;
  std::size_t bytes = 0;           // of the frame as it came
  std::vector<TopicPattern> held;  // let go when the command ends, whatever becomes of it
  std::set<TopicPattern> begun;    // the patterns among them that the router did not know before
};

/// A message that waits for room, and its publisher's ack with it.
struct OverDelivery {
  FrameRef frame;
  base::Instant until;
  bool is_awaited = true;  // false: it was held when it came, and its publisher was told then
};

/// The router knows nothing of a connection since `cut`.
struct LostRoutes {
  RoutesCut cut;
  RoutesCut again;  // the same, while restore() was under way
};

/// What publishers feel of a connection.
struct FeltByPublishers {
  FlatQueue<OverDelivery> over;
  base::Instant give_up_at = base::Instant::never();  // the earliest of these
  std::map<std::string, Overflow> pressed;            // topics whose homes were told, and under which policy

  bool is_empty() const noexcept { return over.empty() && pressed.empty(); }
};

/// What the client of a stream of events wants; it will say nothing more.
struct EventStreamParts {
  Subscribe subscribe;
  StreamCursor cursor;               // from where it goes on
  std::vector<TopicPattern> lost{};  // what it had, and may not have any more
};

struct ConnectionParts {
  std::shared_ptr<ConnectionSite> site;
  ConnectionNumber number = 0;
  std::unique_ptr<web::WebSocketLink> link;
  std::optional<Identity> identity;  // whom the token of the upgrade stands for; nothing when none came
  Lease lease;
  std::optional<wire::DeflateAgreement> deflate;
  std::optional<SessionId> session;  // that the client wants to go on with
  net::IpAddress address{};
  std::optional<EventStreamParts> events{};  // of a stream; none: a WebSocket
};

class Connection final : public Receiver, public Client, public DueQueue::Member, private web::WebSocketEvents {
 public:
  Connection(actor::Core& core, ConnectionParts parts);
  ~Connection() override;

  // ---- for its actor ----

  /// Begins to read; called once for each incarnation of the actor. A command that was under way is answered.
  void attach(actor::Ref<WebSocketActor> actor);
  /// Takes the identity that the client brought with its upgrade, if that has not been done.
  actor::Task<void> arrive();
  /// The router knows of it, and it does not close yet.
  bool is_open() const noexcept { return state_ == State::open || state_ == State::draining; }
  /// The router of this core has lost it; restore() is to be called until it is not so any more.
  bool has_lost_routes() const noexcept { return rare().lost != nullptr && state_ < State::closing; }
  /// Registers again, and goes on with all subscriptions after what was brought here before. False: in vain for now.
  actor::Task<bool> restore();
  /// Too many commands have failed, or it was sent away: it closes, and those that wait are not run any more.
  bool drops_commands() const noexcept { return drops_commands_; }
  /// A command is being run; it has ended.
  /// The frame stays where it is until then, or until the next begins.
  ClientFrame& begin(std::unique_ptr<CommandRun> command = std::make_unique<CommandRun>());
  void finish();
  /// The actor has ended: nothing more is delivered, the socket closes.
  void end();
  /// The same, and its supervisor forgets it.
  void depart();

  /// What its client wants from the beginning, once, and tells it what it has lost since it was here; nothing for a
  /// WebSocket, whose client says it.
  std::optional<Subscribe> take_wanted();
  /// Ends a stream that has nothing to tell any more.
  void end_empty_stream();

  // ---- for its supervisor ----

  /// New settings hold: what it may is asked anew, and what it may not any more ends.
  void review();
  const TokenId& token() const noexcept { return session_.identity.token; }
  net::IpAddress address() const noexcept { return lease_ != nullptr ? lease_->address() : net::IpAddress{}; }
  /// It closes, or has closed.
  bool is_going() const noexcept { return state_ >= State::closing; }
  /// What waits in its outbox, of whatever kind.
  const Outbox& outbox() const noexcept { return outbox_ != nullptr ? *outbox_ : site_->outboxes.nothing(); }
  bool is_stream() const noexcept { return rare().events != nullptr; }
  /// Does what is due: pings, warnings, closing.
  void on_time(base::Instant now);
  /// Tells the client at `at` to reconnect elsewhere, writes what waits, and closes with 1001.
  void drain(base::Instant at);
  /// The token is good no longer (4001).
  void close_token(std::string_view reason);
  /// An operator sends it away, for good (1008).
  void dismiss();
  /// Another socket goes on with the session (4004).
  void replace(const SessionId& session);
  /// What history has of a topic behind the place up to which it was written; nothing when it could not be asked.
  void take_spilled(const SpilledTopics::Wanted& wanted, const std::optional<HistoryPage>& page);
  /// Writes what the socket takes, then closes.
  void close(std::uint16_t code, std::string_view reason);

  // ---- for the writers of its turn ----
  /// `joined`: of what others write in this turn.
  void write_turn(JoinedFrames& joined);
  /// It will be called soon: what it needs of memory is brought near, in three steps, for each finds in what the one
  /// before has brought where to go on.
  void prefetch_write() const noexcept { base::prefetch(this, 128); }
  void prefetch_queue() const noexcept;
  void prefetch_socket() const noexcept {
    if (link_ != nullptr) link_->prefetch_write();
  }

  // ---- Receiver ----
  const ConnectionId& connection() const noexcept override { return session_.connection; }
  const UserId& user() const noexcept override { return session_.identity.user; }
  void registered(ReceiverNumber number) override;
  Delivery deliver(const FrameRef& frame, Overflow overflow) override;
  bool has_scope(const std::string& scope) const override { return session_.identity.has_scope(scope); }
  void withheld(std::string_view topic, const Position& position, const StreamPlace& place) override;
  void left_out(std::string_view topic, const Position& position) override;
  void missed(std::string_view topic, const Epoch& epoch, Offset from, Offset to, Overflow overflow,
              const StreamPlace& last) override;
  void open_inbox(const InboxContents& contents) override;
  void routes_lost(RoutesCut cut) override;

  // ---- Client ----
  Session& session() noexcept override { return session_; }
  SessionOwner owner() const override;
  const Routing& routing() const noexcept override { return site_->routing; }
  const RealtimeSettings& settings() const noexcept override { return *site_->settings; }
  std::size_t subscriptions_max() const noexcept override { return site_->options.subscriptions_max; }
  ClientFigures figures() const noexcept override { return {outbox().messages(), heartbeat_.rtt()}; }
  void answer(base::Bytes frame) override;
  void confirm(base::Bytes frame) override;
  void acknowledge(base::Bytes frame, std::string_view topic, const Position& position) override;
  void hold(std::vector<TopicPattern> topics) override;
  void release(const TopicPositions& last, const ShardSeqs& begins) override;
  std::optional<Position> place_in(const std::string& topic) const override;
  bool has_begun(const TopicPattern& pattern) const override { return command_->begun.contains(pattern); }
  void begin_anew(const std::string& topic, const Position& place) override;
  void discard() override;
  void call_off() override;
  void recover(const std::vector<RecoveredMessage>& messages) override;
  bool has_room_to_recover(std::size_t messages, std::size_t bytes) const noexcept override {
    return outbox().has_room_to_recover(messages, bytes);
  }
  void end_topics(const std::vector<TopicPattern>& ended) override;
  void watch_presence(const TopicPattern& topic) override;
  void unwatch_presence(const TopicPattern& topic) override;
  std::optional<ClientError> start_history(const std::optional<RequestId>& id, std::string topic,
                                           HistoryPage page) override;
  bool cancel_history(const RequestId& id) override;
  actor::Task<std::expected<Identity, ClientError>> verify(base::Secret<std::string> token) override;
  actor::Task<bool> admit(UserId user, OptionalId id) override;
  actor::Task<void> adopt(Identity identity) override;
  bool has_user() const noexcept override { return welcomed_; }

 private:
  enum class State : std::uint8_t {
    unauthenticated,  // only `authenticate` is heard, and not for long
    open,
    draining,  // told to go; closes once its commands are answered and all is written
    closing,   // the close frame is sent
    ended,
  };

  void on_message(web::Opcode opcode, std::string_view message) override;
  void on_pong(std::string_view payload) override;
  void on_writable() override;
  void on_closed(const web::WebSocketClosed& closed) override;

  void receive(web::Opcode opcode, std::string_view message);
  bool within_rate(std::size_t bytes, base::Instant now);
  void take_turn() {
    if (!std::exchange(writes_this_turn_, true)) turn_place_ = site_->writers.add(core_, *this);
  }
  Outbox& open_outbox() {
    if (outbox_ == nullptr) [[unlikely]]
      borrow_outbox();
    return *outbox_;
  }
  void borrow_outbox();
  void rest_outbox();
  FrameCoding* coding() noexcept;
  void flush(JoinedFrames* joined = nullptr);
  bool write_some(JoinedFrames* joined = nullptr);
  void close_slow();
  void note_queue();
  void pump_histories();
  void end_forbidden_histories();
  bool has_many_commands(std::size_t part) const noexcept;
  void update_reading();
  Delivery pushed(Outbox::Pushed result);
  [[gnu::always_inline]] Outbox::Pushed push(const FrameRef& frame, Overflow overflow) {
    if (!open_outbox().has_room_for(frame->bytes.size())) [[unlikely]]
      write_some();  // much in one turn is no slow reader
    if (overflow >= Overflow::spill || is_behind()) [[unlikely]]
      return push_or_spill(frame, overflow);
    return open_outbox().push(frame, overflow);
  }
  Outbox::Pushed push_or_spill(const FrameRef& frame, Overflow overflow);
  Outbox::Pushed spill(std::string_view topic, const Position& after, Offset top);
  Outbox::Pushed stay_behind(std::string_view topic, SpilledTopics::Topic& spilled, const Epoch& epoch, Offset from,
                             Offset to);
  void push_page(const std::string& topic, SpilledTopics::Topic& spilled, const HistoryPage& page);
  void lose_spilled(std::string_view topic, SpilledTopics::Topic& spilled, Offset to, GapReason reason);
  void read_spilled();
  void answer_all(const std::vector<SpilledTopics::Ack>& acks);
  base::Instant idle_at() const noexcept;
  base::Instant give_up_at() const noexcept { return rare().felt ? rare().felt->give_up_at : base::Instant::never(); }
  std::size_t control_bytes() const noexcept {
    return outbox().control_bytes() + (rare_ != nullptr ? rare_->spilled.ack_bytes() : 0);
  }
  Outbox::Pushed push_or_press(const FrameRef& frame, Overflow overflow);
  FeltByPublishers& felt();
  void press(const std::string& topic, Overflow overflow);
  void relieve(const std::function<bool(const std::string&, Overflow)>& relieved);
  void ease();
  void settle(const std::vector<FrameRef>& frames, Delivery delivery);
  void give_up(base::Instant now);
  void release_publishers();
  void stream(EventStreamParts parts);
  Overflow spill_or_drop() const;
  void acknowledge_inbox(const Epoch& epoch);
  HeldLimits held_limits() const noexcept;
  bool has_other(const std::string& topic, const std::set<TopicPattern>& begun) const;
  std::vector<TopicPattern> live_patterns_but(const std::vector<TopicPattern>& topics) const;
  /// Sends live messages that were held.
  void let_go(HeldTopics::Released held);
  void use(Identity identity);
  void find_permissions();
  void end_forbidden_subscriptions();
  bool is_anonymous() const noexcept { return token().value().empty(); }
  bool may_stay();
  void push_recovered(const std::string& topic, const Epoch& epoch, const std::vector<KeptMessage>& messages);
  void tell_withheld(std::string_view topic, const Position& position);
  void hold_inbox();
  void tell_missed(std::string_view topic, const Epoch& epoch, Offset from, Offset to, Overflow overflow);
  void welcome();
  actor::Task<void> begin_session();
  actor::Task<bool> claim(SessionId wanted);
  /// The session ends with this connection.
  void end_session();
  void leave_session();
  void on_resume_time(base::Instant now);
  void on_drain(base::Instant now);
  void reschedule();
  void is_due_never() { site_->due.move(*this, base::Instant::never()); }
  base::Instant due() const noexcept;

  struct Events {
    std::optional<Subscribe> wanted;  // by its client, until it was asked for
    std::optional<Position> read;     // of the inbox, until that is known to be the one that there is
    EventCoding coding;
    std::vector<TopicPattern> lost{};  // until it was told
  };
  struct Arrival {
    std::optional<Identity> identity;
    std::optional<SessionId> session;  // that it wants to go on with, until that was asked for
    base::Instant authenticate_until;
  };
  /// What few connections have, or each only for a while.
  struct Rare {
    std::unique_ptr<Arrival> arrival;  // what it brought; null once it is open
    HeldTopics held;
    SpilledTopics spilled;
    std::unique_ptr<LostRoutes> lost;        // null while it has its routes
    std::unique_ptr<FeltByPublishers> felt;  // null while they have felt nothing
    std::unique_ptr<Events> events;          // of a stream
    std::vector<HistoryStream> histories;
    FlatQueue<base::Instant> failures;  // of commands, lately
    Lease user_lease;                   // of one whose user was not known when it was let in
    base::Instant resume_until = base::Instant::never();
    base::Instant drain_at = base::Instant::never();

    bool is_empty() const noexcept {
      constexpr auto never = base::Instant::never();
      return !arrival && held.empty() && spilled.is_like_new() && !lost && (!felt || felt->is_empty()) && !events &&
             histories.empty() && failures.empty() && !user_lease && resume_until == never && drain_at == never;
    }
  };
  const Rare& rare() const noexcept { return rare_ != nullptr ? *rare_ : nothing_rare(); }
  static const Rare& nothing_rare() noexcept;
  Rare& make_rare() {
    if (rare_ == nullptr) rare_ = std::make_unique<Rare>();
    return *rare_;
  }
  void forget_rare() noexcept {
    if (rare_ != nullptr && rare_->is_empty()) rare_.reset();
  }
  /// Some topic is to be read again from history.
  bool is_behind() const noexcept { return rare_ != nullptr && !rare_->spilled.empty(); }
  SpilledTopics::Topic* find_spilled(std::string_view topic) const {
    return rare_ != nullptr ? rare_->spilled.find(topic) : nullptr;
  }
  bool takes_to_hold(const FrameRef& frame, Overflow overflow, Offset missed_to = 0) {
    return rare_ != nullptr && !rare_->held.empty() && rare_->held.take(frame, overflow, missed_to);
  }
  // First what a delivery needs, in as few lines of the processor's cache as may be.
  actor::Core& core_;
  State state_ = State::unauthenticated;  // in rising order: it never goes back
  bool socket_full_ = false;
  bool writes_this_turn_ = false;
  bool started_ = false;
  bool welcomed_ = false;  // its user is known; what it says now waits until the router knows of it too
  bool reading_paused_ = false;
  bool drops_commands_ = false;
  bool resumed_ = false;
  bool inbox_held_ = false;         // until open_inbox()
  bool review_due_ = false;         // once the present command has ended
  std::optional<Leaving> leaving_;  // what becomes of the session at the end; none: there is none yet
  std::uint32_t commands_waiting_ = 0;
  std::uint32_t commands_bytes_ = 0;  // of those that wait, and of the one that is run
  std::uint32_t turn_place_ = 0;      // among the writers of its turn, if it is one of them
  OutboxPtr outbox_;                  // null while nothing waits in it
  std::unique_ptr<Rare> rare_;
  std::unique_ptr<web::WebSocketLink> link_;
  std::shared_ptr<ConnectionSite> site_;
  std::unique_ptr<ConnectionCompression> compression_;

  actor::Ref<WebSocketActor> actor_;
  Lease lease_;
  SharedRates<net::IpAddress>::Rate address_rate_;
  SharedRates<UserId>::Rate user_rate_;  // null while the user is not known, and without a token
  Session session_;
  std::unique_ptr<CommandRun> command_;  // that is being run
  Position inbox_last_;                  // the newest direct message that was delivered
  web::TokenBucket frames_;
  web::TokenBucket bytes_;
  Heartbeat heartbeat_;
  base::Instant expires_at_ = base::Instant::never();
  base::Instant expiring_at_ = base::Instant::never();  // when it is told that its token will not be good for long
};

}  // namespace troupe::realtime
