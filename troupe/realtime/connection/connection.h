// Connection: one client's WebSocket, or its stream of events, and all that belongs to it:
// session, outbox, limits, clockwork. It outlives restarts of its WebSocketActor, which runs its commands.
//
// Deliveries come straight from the router, whatever a command waits for; all that came in
// one turn leaves in one write. It owns its link; it ends when the link has closed. Other
// connections never see its faults. One core.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "troupe/actor/actor.h"
#include "troupe/realtime/command/client.h"
#include "troupe/realtime/connection/event_coding.h"
#include "troupe/realtime/connection/heartbeat.h"
#include "troupe/realtime/connection/held_topics.h"
#include "troupe/realtime/connection/history_stream.h"
#include "troupe/realtime/connection/outbox.h"
#include "troupe/realtime/connection/site.h"
#include "troupe/realtime/connection/spilled_topics.h"
#include "troupe/realtime/topic/receiver.h"
#include "troupe/web/websocket_link.h"

namespace troupe::realtime {

class WebSocketActor;

/// A message that waits for room, and its publisher's ack with it.
struct OverDelivery {
  FrameRef frame;
  base::Instant until;
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
};

/// What the client of a stream of events wants; it will say nothing more.
struct EventStreamParts {
  Subscribe subscribe;
  StreamCursor cursor;  // from where it goes on
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

class Connection final : public Receiver,
                         public Client,
                         public std::enable_shared_from_this<Connection>,
                         private web::WebSocketEvents,
                         private actor::TurnEndHook {
 public:
  Connection(actor::Core& core, ConnectionParts parts);
  ~Connection() override;

  // ---- for its actor ----

  /// Begins to read; called once for each incarnation of the actor. A command that was under way is answered.
  void attach(actor::Ref<WebSocketActor> actor);
  /// Takes the identity that the client brought with its upgrade, if that has not been done.
  actor::Task<void> arrive();
  /// The router of this core has lost it; restore() is to be called until it is not so any more.
  bool has_lost_routes() const noexcept { return lost_ != nullptr && state_ < State::closing; }
  /// Registers again, and goes on with all subscriptions after what was brought here before. False: in vain for now.
  actor::Task<bool> restore();
  /// Too many commands have failed: it closes, and those that wait are not run any more.
  bool has_given_up() const noexcept { return gave_up_; }
  /// A command is being run; it has ended.
  void begin(const std::optional<RequestId>& id);
  void finish();
  /// The actor has ended: nothing more is delivered, the socket closes.
  void end();
  /// The same, and its supervisor forgets it.
  void depart();

  /// What its client wants from the beginning, once; nothing for a WebSocket, whose client says it.
  std::optional<Subscribe> take_wanted();
  /// Ends a stream that has nothing to tell any more.
  void end_empty_stream();

  // ---- for its supervisor ----

  ConnectionNumber number() const noexcept { return number_; }
  /// When it is due, as its site's queue knows it.
  base::Instant& noted_due() noexcept { return noted_due_; }
  /// New settings hold: what it may is asked anew.
  void review();
  const TokenId& token() const noexcept { return session_.identity.token; }
  const net::IpAddress& address() const noexcept { return address_; }
  /// It closes, or has closed.
  bool is_going() const noexcept { return state_ >= State::closing; }
  /// What waits in its outbox, of whatever kind.
  const Outbox& outbox() const noexcept { return outbox_; }
  bool is_stream() const noexcept { return events_ != nullptr; }
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

  // ---- Receiver ----
  const ConnectionId& connection() const noexcept override { return session_.connection; }
  const UserId& user() const noexcept override { return session_.identity.user; }
  void registered(ReceiverNumber number) override;
  Delivery deliver(const FrameRef& frame, Overflow overflow) override;
  bool has_scope(const std::string& scope) const override { return session_.identity.has_scope(scope); }
  void withheld(std::string_view topic, const Position& position) override;
  void left_out(std::string_view topic, const Position& position) override;
  void missed(std::string_view topic, const Epoch& epoch, Offset from, Offset to, Overflow overflow) override;
  void open_inbox(const InboxContents& contents) override;
  void routes_lost(RoutesCut cut) override;

  // ---- Client ----
  Session& session() noexcept override { return session_; }
  SessionOwner owner() const override;
  const Routing& routing() const noexcept override { return site_->routing; }
  const RealtimeSettings& settings() const noexcept override { return *site_->settings; }
  std::size_t subscriptions_max() const noexcept override { return site_->options.subscriptions_max; }
  ClientFigures figures() const noexcept override { return {outbox_.messages(), heartbeat_.rtt()}; }
  void answer(base::Bytes frame) override;
  void acknowledge(base::Bytes frame, const Position& position) override;
  void hold(std::vector<TopicPattern> topics) override;
  void release(const TopicPositions& last) override;
  void begin_anew(const std::string& topic) override { answer_all(spilled_.erase(topic)); }
  void discard() override;
  void call_off() override;
  void recover(const std::vector<RecoveredMessage>& messages) override;
  bool has_room_to_recover(std::size_t messages, std::size_t bytes) const noexcept override {
    return outbox_.has_room_to_recover(messages, bytes);
  }
  void end_topics(const std::vector<TopicPattern>& ended) override;
  void watch_presence(const TopicPattern& topic) override;
  void unwatch_presence(const TopicPattern& topic) override;
  bool start_history(const std::optional<RequestId>& id, std::string topic, HistoryPage page) override;
  bool cancel_history(const RequestId& id) override;
  actor::Task<std::expected<Identity, ClientError>> verify(base::Secret<std::string> token) override;
  actor::Task<bool> admit(UserId user, OptionalId id) override;
  actor::Task<void> adopt(Identity identity) override;
  bool is_open() const noexcept override { return state_ == State::open || state_ == State::draining; }

 private:
  enum class State : std::uint8_t {
    unauthenticated,  // only `authenticate` is heard, and not for long
    open,
    draining,  // told to go; closes once all is written
    closing,   // the close frame is sent
    ended,
  };

  void on_message(web::Opcode opcode, std::string_view message) override;
  void on_pong(std::string_view payload) override;
  void on_writable() override;
  void on_closed(const web::WebSocketClosed& closed) override;
  void on_turn_end() override;

  void receive(web::Opcode opcode, std::string_view message);
  bool within_rate(std::size_t bytes, base::Instant now);
  void take_turn() { core_.at_turn_end(*this); }
  void flush();
  bool write_some();
  void note_queue();
  void pump_histories();
  void update_reading();
  Delivery pushed(Outbox::Pushed result);
  Outbox::Pushed push(const FrameRef& frame, Overflow overflow) {
    if (overflow >= Overflow::spill || !spilled_.empty()) [[unlikely]]
      return push_or_spill(frame, overflow);
    return outbox_.push(frame, overflow);
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
  base::Instant give_up_at() const noexcept { return felt_ ? felt_->give_up_at : base::Instant::never(); }
  std::size_t control_bytes() const noexcept { return outbox_.control_bytes() + spilled_.ack_bytes(); }
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
  std::vector<TopicPattern> live_patterns_but(const std::vector<TopicPattern>& topics) const;
  /// Sends live messages that were held.
  void let_go(HeldTopics::Released held);
  void use(Identity identity);
  void find_permissions();
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
  void end_session() { leaving_ = leaving_ ? Leaving::closed : leaving_; }
  void leave_session();
  void on_resume_time(base::Instant now);
  void on_drain(base::Instant now);
  void reschedule();
  base::Instant due() const noexcept;

  // First what a delivery needs, in as few lines of the processor's cache as may be.
  actor::Core& core_;
  std::unique_ptr<web::WebSocketLink> link_;
  std::shared_ptr<ConnectionSite> site_;
  State state_ = State::unauthenticated;  // in rising order: it never goes back
  bool started_ = false;
  bool welcomed_ = false;  // its user is known; what it says now waits until the router knows of it too
  bool socket_full_ = false;
  bool reading_paused_ = false;
  bool gave_up_ = false;
  Outbox outbox_;
  HeldTopics held_;
  SpilledTopics spilled_;
  std::unique_ptr<LostRoutes> lost_;        // null while it has its routes
  std::unique_ptr<FeltByPublishers> felt_;  // null while they have felt nothing
  std::vector<HistoryStream> histories_;
  std::size_t commands_waiting_ = 0;
  std::unique_ptr<ConnectionCompression> compression_;
  struct Events {
    std::optional<Subscribe> wanted;  // by its client, until it was asked for
    std::optional<Position> read;     // of the inbox, until that is known to be the one that there is
    EventCoding coding;
  };
  std::unique_ptr<Events> events_;  // of a stream

  const ConnectionNumber number_;
  const net::IpAddress address_;
  Lease lease_;
  Lease user_lease_;  // of one whose user was not known when it was let in
  SharedRates<net::IpAddress>::Rate address_rate_;
  SharedRates<UserId>::Rate user_rate_;  // null while the user is not known, and without a token
  actor::Ref<WebSocketActor> actor_;
  Session session_;
  struct Arrival {
    std::optional<Identity> identity;
    std::optional<SessionId> session;  // that it wants to go on with, until that was asked for
    base::Instant authenticate_until;
  };
  std::unique_ptr<Arrival> arrival_;  // what it brought; null once it is open
  std::optional<Leaving> leaving_;    // what becomes of the session at the end; none: there is none yet
  bool resumed_ = false;
  bool inbox_held_ = false;  // until open_inbox()
  struct Running {
    std::optional<RequestId> id;
    std::vector<TopicPattern> held;  // let go when the command ends, whatever becomes of it
  };
  std::unique_ptr<Running> command_;                    // that is being run
  std::unique_ptr<FlatQueue<base::Instant>> failures_;  // of commands, lately; null: none yet
  Position inbox_last_;                                 // the newest direct message that was delivered
  web::TokenBucket frames_;
  web::TokenBucket bytes_;
  Heartbeat heartbeat_;
  base::Instant resume_until_ = base::Instant::never();
  base::Instant expiring_at_ = base::Instant::never();
  base::Instant expires_at_ = base::Instant::never();
  base::Instant drain_at_ = base::Instant::never();
  base::Instant noted_due_ = base::Instant::never();
};

}  // namespace troupe::realtime
