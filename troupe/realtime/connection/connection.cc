// Connection: what comes in, and what goes out.
#include "troupe/realtime/connection/connection.h"

#include <algorithm>

#include "troupe/base/check.h"
#include "troupe/realtime/connection/connection_supervisor.h"
#include "troupe/realtime/connection/shared_limits.h"
#include "troupe/realtime/connection/websocket_actor.h"
#include "troupe/realtime/protocol/random_id.h"

namespace troupe::realtime {

namespace {

constexpr std::size_t parts_max = 64;  // frames in one gathered write

}  // namespace

Connection::Connection(actor::Core& core, ConnectionParts parts)
    : Member(parts.number),
      core_(core),
      rare_(std::make_unique<Rare>(std::make_unique<Arrival>(std::move(parts.identity), std::move(parts.session),
                                                             core.now() + parts.site->options.authenticate_within))),
      link_(std::move(parts.link)),
      site_(std::move(parts.site)),
      lease_(std::move(parts.lease)),
      address_rate_(site_->address_rates.find(counted_address(parts.address), site_->options.address, core.now())),
      frames_(site_->options.frames, core.now()),
      bytes_(site_->options.bytes),
      heartbeat_(site_->options.heartbeat, core.now(), core.random().unit()) {
  session_.connection = ConnectionId{random_id(random_id_characters_max, core.random())};
  session_.id = SessionId{random_id(random_id_characters_max, core.random())};
  if (parts.deflate) compression_ = std::make_unique<ConnectionCompression>(site_->compression, *parts.deflate);
  if (parts.events) stream(*std::move(parts.events));
  ++site_->figures.opened;
  ++site_->figures.open;
}

Connection::~Connection() {
  end();
  if (writes_this_turn_) site_->writers.remove(*this, turn_place_);
}

const Connection::Rare& Connection::nothing_rare() noexcept {
  static const Rare nothing;
  return nothing;
}

// ---- the actor's side ----

void Connection::attach(actor::Ref<WebSocketActor> actor) {
  actor_ = actor;
  if (!std::exchange(started_, true)) {
    link_->start(*this, {.message_bytes_max = site_->options.frame_bytes_max},
                 compression_ ? &compression_->inflater() : nullptr);
    reschedule();
    return;
  }
  if (rare().lost) routes_lost(RoutesCut{rare().lost->cut});
  if (!command_) return;
  // The last incarnation failed in the middle of a command, which is not tried again.
  auto& failures = make_rare().failures;
  failures.push_back(core_.now());
  while (failures.front() + site_->options.failures_within <= core_.now()) failures.pop_front();
  if (failures.size() > site_->options.failures_max) {
    drops_commands_ = true;
    return close(wire::close_code::internal_error, "too many commands have failed");
  }
  if (command_->frame.id) {
    answer(finished(ClientError{ErrorCode::internal, "the command failed", {}}, command_->frame.id));
  }
  finish();
}

actor::Task<void> Connection::arrive() {
  const auto& arrival = rare().arrival;
  if (is_open() || !arrival || !arrival->identity) co_return;
  auto identity = *arrival->identity;
  co_await adopt(std::move(identity));
}

ClientFrame& Connection::begin(std::unique_ptr<CommandRun> command) {
  command_ = std::move(command);
  return command_->frame;
}

void Connection::finish() {
  if (command_ && !command_->held.empty()) rare().lost ? discard() : release({}, {});
  if (command_) commands_bytes_ -= command_->bytes;
  command_.reset();
  if (commands_waiting_ > 0) --commands_waiting_;
  forget_rare();
  if (review_due_) end_forbidden_subscriptions();
  if (state_ == State::draining) take_turn();  // it may have been the last that was waited for
  update_reading();
}

void Connection::end() {
  const auto before = std::exchange(state_, State::ended);
  if (before == State::ended) return;
  release_publishers();
  auto& figures = site_->figures;
  --figures.open;
  if (before < State::closing)
    figures.closes.add(wire::close_code::abnormal, ClosedBy::server);  // nobody said anything
  if (rare().drain_at != base::Instant::never()) --figures.drain.left, ++figures.drain.gone;
  is_due_never();
  if (session_.receiver != 0) site_->routing.local().tell(Unregister{session_.receiver});
  leave_session();
  link_.reset();
  outbox_.reset();
  lease_.reset();
  if (rare_ == nullptr) return;
  rare_->user_lease.reset();
  rare_->histories.clear();
}

void Connection::depart() {
  end();
  site_->supervisor.tell(ConnectionEnded{number()});
}

// ---- what comes in ----

void Connection::on_message(web::Opcode opcode, std::string_view message) {
  if (state_ >= State::closing) return;
  try {
    receive(opcode, message);
  } catch (const std::bad_alloc&) {
    close(wire::close_code::internal_error, "out of memory");
  }
}

void Connection::receive(web::Opcode opcode, std::string_view message) {
  auto& figures = site_->figures;
  ++figures.frames_in;
  figures.bytes_in += message.size();
  auto now = core_.now();
  if (!within_rate(message.size(), now)) return;
  // A frame that cannot be read counts, too.
  auto refused = over_shared_rates(site_->options, user_rate_.get(), *address_rate_, message.size(), now);
  auto frame = figures.decoding.measure(core_, [&] {
    return opcode == web::Opcode::text ? site_->decoder.decode_text(message) : site_->decoder.decode_binary(message);
  });
  if (!frame) {
    ++figures.frames_refused;
    return answer(finished(frame.error().error, frame.error().id));
  }
  if (refused) {
    ++figures.frames_limited;
    return answer(finished(*refused, frame->id));
  }
  if (!welcomed_ && !std::holds_alternative<Authenticate>(frame->command)) {
    ++figures.frames_refused;
    return answer(
        finished(ClientError{ErrorCode::unauthorized, "the first frame must be `authenticate`", {}}, frame->id));
  }
  auto id = frame->id;
  ++commands_waiting_;
  commands_bytes_ += message.size();
  if (actor_.tell(RunCommand{std::make_unique<CommandRun>(*std::move(frame), message.size())}) != actor::Sent::sent) {
    --commands_waiting_;
    commands_bytes_ -= message.size();
    answer(finished(ClientError{ErrorCode::overloaded, "too many commands wait", {}}, id));
  }
  update_reading();
}

void Connection::on_pong(std::string_view) {
  heartbeat_.on_pong(core_.now());
  reschedule();
}

void Connection::on_writable() {
  socket_full_ = false;
  if (state_ == State::closing) {
    write_some();  // the rest of a frame that was cut, so that the close frame can follow it
  } else {
    flush();
  }
}

void Connection::on_closed(const web::WebSocketClosed& closed) {
  const bool by_client = state_ < State::closing && closed.closing == web::Closing::clean;
  const bool for_good = closed.code == wire::close_code::normal || closed.code == wire::close_code::no_status;
  // A session is resumed by WebSockets; a stream goes on by the id of its last event.
  if (is_stream() || (by_client && for_good)) end_session();
  if (state_ < State::closing) {
    const bool refused = !by_client && closed.code != wire::close_code::abnormal;
    site_->figures.closes.add(closed.code, refused ? ClosedBy::server : ClosedBy::client);
  }
  state_ = std::max(state_, State::closing);
  is_due_never();
  actor_.tell(LinkClosed{});
}

// Whether more than that part of what may wait does: 4 is a quarter.
bool Connection::has_many_commands(std::size_t part) const noexcept {
  const auto& options = site_->options;
  return commands_waiting_ > options.commands_pause / part || commands_bytes_ > options.commands_bytes_pause / part;
}

// Reading pauses while too many commands wait, or too many answers that the client does not take. Who is told to go is
// heard no more.
void Connection::update_reading() {
  if (state_ >= State::draining) return;
  const auto& options = site_->options;
  const std::size_t answers = control_bytes();
  if (!reading_paused_) {
    if (!has_many_commands(1) && answers <= options.outbox.control_bytes_pause) return;
    reading_paused_ = true;
    link_->pause_reading();
  } else if (!has_many_commands(4) && answers <= options.outbox.control_bytes_pause / 2) {
    reading_paused_ = false;
    heartbeat_.on_hearing(core_.now());
    (void)frames_.take(options.frames, core_.now(), 0);  // it has been silent since now at most
    reschedule();
    link_->resume_reading();
  }
}

// ---- what goes out ----

void Connection::answer(base::Bytes frame) {
  if (state_ >= State::closing) return;
  pushed(open_outbox().push_control(std::move(frame)));
  update_reading();
}

// What was lost meanwhile, and cannot be told, must not lie before a place that is confirmed.
void Connection::confirm(base::Bytes frame) {
  if (state_ >= State::closing) return;
  if (rare().held.is_overrun()) return close_slow();
  pushed(open_outbox().push_divider(std::move(frame)));
  update_reading();
}

// A router that began anew while it was asked for this has told the registration of an earlier try: what is lost with
// that is no loss of this one.
void Connection::registered(ReceiverNumber number) {
  session_.receiver = number;
  if (rare().lost != nullptr) rare().lost->again.reset();
  if (state_ == State::ended) site_->routing.local().tell(Unregister{number});
}

Delivery Connection::deliver(const FrameRef& frame, Overflow overflow) {
  if (state_ >= State::closing) return Delivery::dropped;
  if (overflow == Overflow::spill) [[unlikely]]
    overflow = spill_or_drop();
  if (rare_ != nullptr) [[unlikely]] {
    if (takes_to_hold(frame, overflow)) return Delivery::accepted;
    // It will be recovered; but an inbox is not, and goes on since it was opened anew.
    if (rare_->lost && !frame->topic.starts_with('$')) return Delivery::dropped;
  }
  if (frame->topic.starts_with('$')) [[unlikely]] {
    // What was in the inbox when it was opened may come once more as a live message.
    if (frame->position.epoch == inbox_last_.epoch && frame->position.offset <= inbox_last_.offset)
      return Delivery::dropped;
    inbox_last_ = frame->position;
  }
  const auto result = push(frame, overflow);
  if (result != Outbox::Pushed::accepted) [[unlikely]]
    return pushed(result);
  take_turn();
  return socket_full_ ? Delivery::queued : Delivery::accepted;
}

Delivery Connection::pushed(Outbox::Pushed result) {
  if (result == Outbox::Pushed::overrun && !socket_full_) {
    write_some();  // much in one turn is no slow reader
    if (!outbox().is_overrun()) result = Outbox::Pushed::accepted;
  }
  if (result == Outbox::Pushed::disconnect || result == Outbox::Pushed::overrun) {
    close_slow();
    return Delivery::dropped;
  }
  take_turn();
  if (result == Outbox::Pushed::dropped) return Delivery::dropped;
  if (result == Outbox::Pushed::spilled) return Delivery::spilled;
  if (result == Outbox::Pushed::over) return Delivery::over;
  return socket_full_ ? Delivery::queued : Delivery::accepted;
}

void Connection::missed(std::string_view topic, const Epoch& epoch, Offset from, Offset to, Overflow overflow,
                        const StreamPlace& last) {
  if (state_ >= State::closing) return;
  const auto nothing = [&] {
    return FrameRef::message({}, std::string{topic}, {epoch, from}, Priority::normal, Came::by_name, last);
  };
  if (rare_ != nullptr && takes_to_hold(nothing(), overflow, to)) return;
  if (rare().lost) return;
  tell_missed(topic, epoch, from, to, overflow);
}

void Connection::tell_missed(std::string_view topic, const Epoch& epoch, Offset from, Offset to, Overflow overflow) {
  if (auto* spilled = find_spilled(topic)) {
    pushed(stay_behind(topic, *spilled, epoch, from, to));
  } else if (overflow == Overflow::spill && spill_or_drop() == Overflow::spill) {
    pushed(spill(topic, {epoch, from - 1}, to));
  } else {
    pushed(open_outbox().push_gap({topic, epoch.value(), from, to, GapReason::overflow}));
  }
}

void Connection::withheld(std::string_view topic, const Position& position, const StreamPlace& place) {
  if (state_ >= State::closing) return;
  const auto nothing = [&] {
    return FrameRef::message({}, std::string{topic}, position, Priority::normal, Came::by_name, place);
  };
  if (rare_ != nullptr && takes_to_hold(nothing(), Overflow::drop_oldest)) return;
  if (rare().lost) return;
  tell_withheld(topic, position);
}

void Connection::tell_withheld(std::string_view topic, const Position& position) {
  if (auto* spilled = find_spilled(topic)) {
    pushed(stay_behind(topic, *spilled, position.epoch, position.offset, position.offset));
    return;
  }
  pushed(
      open_outbox().push_gap({topic, position.epoch.value(), position.offset, position.offset, GapReason::filtered}));
}

void Connection::write_turn(JoinedFrames& joined) {
  writes_this_turn_ = false;
  flush(&joined);
}

void Connection::prefetch_queue() const noexcept {
  base::prefetch(outbox_.get(), sizeof(Outbox));
  base::prefetch(link_.get());
}

FrameCoding* Connection::coding() noexcept {
  if (rare().events != nullptr) return &rare().events->coding;
  return compression_.get();
}

void Connection::borrow_outbox() { outbox_ = site_->outboxes.lend(coding()); }

void Connection::flush(JoinedFrames* joined) {
  if (link_ == nullptr || state_ >= State::closing) return;
  const bool takes_more = !socket_full_;
  do {
    pump_histories();
    if (!write_some(joined)) break;
  } while (!rare().histories.empty());
  if (takes_more && is_behind()) read_spilled();
  if (rare().felt != nullptr) ease();
  update_reading();
  if (state_ == State::draining && commands_waiting_ == 0 && outbox().empty() && rare().histories.empty() &&
      !is_behind()) {
    close(wire::close_code::going_away, "the server is going away");
  }
}

// Writes all that waits; false when the socket took less.
bool Connection::write_some(JoinedFrames* joined) {
  if (socket_full_) return false;
  if (outbox_ == nullptr) return true;
  std::array<iovec, parts_max> parts;
  auto& figures = site_->figures;
  if (figures.writes % sampled_one_in == 0 && !outbox_->empty()) [[unlikely]]
    note_queue();
  while (auto used = outbox_->gather(parts, joined)) {
    std::size_t offered = 0;
    for (const auto& part : std::span{parts}.first(used)) offered += part.iov_len;
    auto taken = figures.writing.measure(core_, [&] { return link_->write_some(std::span{parts}.first(used)); });
    outbox_->written(taken);
    ++figures.writes;
    figures.bytes_out += taken;
    if (taken < offered) {
      socket_full_ = true;
      return false;
    }
  }
  if (outbox_->is_fresh()) site_->outboxes.take_back(std::move(outbox_));
  return true;
}

// What it remembers of bad times is forgotten.
void Connection::rest_outbox() {
  if (outbox_ == nullptr) return;
  outbox_->rest();
  if (outbox_->is_fresh()) site_->outboxes.take_back(std::move(outbox_));
}

// How much waits for the socket, and how long already. With compression what stands first is a frame of its own.
void Connection::note_queue() {
  auto& figures = site_->figures;
  figures.queue_depth.add(outbox_->messages());
  const auto since = outbox_->first_queued_at();
  if (since != base::Instant::never()) figures.queue_wait.add(core_.read_clock() - since);
}

void Connection::close_slow() {
  ++site_->figures.closed_slow;
  close(close_codes::slow_consumer, "the client does not keep up");
}

void Connection::close(std::uint16_t code, std::string_view reason) {
  if (state_ >= State::closing) return;
  write_some();
  const bool was_draining = std::exchange(state_, State::closing) == State::draining;
  release_publishers();
  site_->figures.closes.add(code, ClosedBy::server);
  is_due_never();
  link_->close(code, reason);
  if (was_draining) link_->resume_reading();  // up to the client's own close frame
}

// ---- who is there ----

actor::Task<std::expected<Identity, ClientError>> Connection::verify(base::Secret<std::string> token) {
  auto identity = co_await site_->verifier.ask(VerifyToken{std::move(token)});
  if (identity) co_return *std::move(identity);
  if (identity.error().domain == TokenRefusal::invalid) {
    co_return std::unexpected(ClientError{ErrorCode::unauthorized, "the token is not valid", {}});
  }
  co_return std::unexpected(
      ClientError{ErrorCode::overloaded, "the token cannot be verified now", std::chrono::seconds{1}});
}

actor::Task<void> Connection::adopt(Identity identity) {
  if (state_ >= State::closing) co_return;
  // The router, the keeper of its session and the door know it by its user.
  INVARIANT(!welcomed_ || identity.user == session_.identity.user, "a connection stays its user's");
  bool first = state_ == State::unauthenticated;
  use(std::move(identity));
  if (!may_stay()) co_return;
  if (!first || state_ != State::unauthenticated) co_return;
  if (!is_anonymous()) user_rate_ = site_->user_rates.find(session_.identity.user, site_->options.user, core_.now());
  welcomed_ = true;
  co_await begin_session();
  if (state_ != State::unauthenticated) co_return;
  welcome();  // first, for what waits in the inbox comes as soon as the router knows of us
  hold_inbox();
  auto receiver = co_await site_->routing.local().ask(Register{ReceiverRef{*this}});
  if (!receiver) {
    close(wire::close_code::internal_error, "the service is not ready");
    co_return;
  }
  if (state_ != State::unauthenticated) co_return;  // it was closed meanwhile
  state_ = State::open;
  make_rare().arrival.reset();
  forget_rare();
  reschedule();
}

void Connection::welcome() {
  const auto& options = site_->options;
  auto interval = std::chrono::duration_cast<std::chrono::milliseconds>(options.heartbeat.interval);
  answer(finished(Welcome{
      session_.connection,
      session_.identity.user,
      session_.id,
      core_.wall(),
      interval,
      {options.frame_bytes_max, static_cast<std::uint64_t>(options.frames.per_second), options.subscriptions_max},
      resumed_}));
}

void Connection::dismiss() {
  drops_commands_ = true;
  end_session();
  close(wire::close_code::policy_violation, "sent away by an operator");
}

void Connection::close_token(std::string_view reason) {
  ++site_->figures.closed_token;
  drops_commands_ = true;  // what it may was the token's
  end_session();
  close(close_codes::token_ended, reason);
}

}  // namespace troupe::realtime
