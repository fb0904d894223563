// Connect, subscribe or resume, hear, and again. What the server answers to our own frames bears the id "s", or "a"
// where it answers another token.
#include "troupe/realtime/client/subscriber.h"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>

#include "troupe/realtime/protocol/error.h"
#include "troupe/realtime/protocol/topic_name.h"
#include "troupe/wire/form.h"
#include "troupe/wire/json.h"

namespace troupe::realtime {
namespace {

constexpr std::string_view own_id = "s";
constexpr std::string_view token_id = "a";
constexpr base::Duration welcome_late = std::chrono::seconds{30};
constexpr base::Duration answer_late = std::chrono::seconds{10};  // after a heartbeat is due

/// A time that the server names, as long as we are ready to believe.
base::Duration bounded(std::uint64_t milliseconds, std::chrono::milliseconds most) {
  return std::chrono::milliseconds{std::min(milliseconds, static_cast<std::uint64_t>(most.count()))};
}

/// Whether coming again would end the same way.
bool is_final(const SocketEnd& end) {
  if (end.cause == SocketEnd::Cause::refused) return end.code != 429 && end.code < 500;
  if (end.cause != SocketEnd::Cause::closed) return false;
  return end.code == close_codes::token_ended || end.code == close_codes::replaced ||
         end.code == wire::close_code::policy_violation || end.code == wire::close_code::normal;
}

/// Whether it may end otherwise with another token.
bool is_of_token(const SocketEnd& end) {
  return end.cause == SocketEnd::Cause::closed ? end.code == close_codes::token_ended
                                               : end.cause == SocketEnd::Cause::refused && end.code == 401;
}

bool is_name(const std::string& topic) {
  const auto pattern = TopicPattern::parse(topic);
  return pattern.has_value() && pattern->is_name();
}

}  // namespace

Subscriber::Subscriber(actor::Core& core, SubscriberOptions options, SubscriberEvents& events)
    : core_(core), options_(std::move(options)), events_(events), backoff_(options_.backoff) {
  for (const auto& topic : options_.topics) {
    if (is_name(topic)) positions_.emplace(topic, std::nullopt);
  }
  core_.timers().arm(alarm_, core_.now());
}

Subscriber::~Subscriber() = default;

std::optional<Position> Subscriber::position(const std::string& topic) const {
  const auto found = positions_.find(topic);
  return found == positions_.end() ? std::nullopt : found->second;
}

// ---- connections ----

void Subscriber::connect() {
  if (over_) return;
  if (closing_) return over("closed");
  if (!find_token()) return;
  asked_again_.clear();
  shown_ = ShownToken{options_.socket.token};
  auto socket = options_.socket;
  if (!session_.empty()) socket.target = wire::add_query(socket.target, {{"session", session_}});
  ClientSocketEvents& events = *this;
  try {
    socket_ = std::make_unique<ClientSocket>(core_, options_.dial(core_), std::move(socket), events);
  } catch (const std::system_error& error) {
    interrupted(error.what());
  }
}

void Subscriber::close() {
  if (over_ || std::exchange(closing_, true)) return;
  if (socket_) return socket_->close(wire::close_code::normal);
  core_.timers().arm(alarm_, core_.now());
}

void Subscriber::cut() {
  if (!socket_ || over_ || closing_) return;
  socket_.reset();
  core_.timers().disarm(token_alarm_);
  if (options_.observer != nullptr) options_.observer->closed();
  live_ = false;
  core_.timers().arm(alarm_, core_.now() + backoff_.wait(core_.random()));
}

void Subscriber::pause_reading() {
  if (socket_) socket_->pause_reading();
}
void Subscriber::resume_reading() {
  if (socket_) socket_->resume_reading();
}

void Subscriber::on_open() { socket_->expect_words_within(welcome_late); }

void Subscriber::on_end(const SocketEnd& end) {
  socket_.reset();
  core_.timers().disarm(token_alarm_);
  if (options_.observer != nullptr) options_.observer->closed();
  const auto why = in_words(end);
  if (closing_) return over(refusal_.empty() ? "closed" : refusal_);
  if (may_outlive(end)) {
    if (!token_until_) token_until_ = core_.now() + options_.token_patience;
    token_ended_ = why;
  } else if (is_final(end)) {
    return over(why);
  }
  interrupted(why);
}

void Subscriber::interrupted(const std::string& why) {
  live_ = false;
  if (options_.reconnect == Reconnect::never) return over(why);
  const auto wait = std::max(backoff_.wait(core_.random()), std::exchange(wait_min_, {}));
  core_.timers().arm(alarm_, core_.now() + wait);
  events_.on_interrupted(why, wait);
}

void Subscriber::over(const std::string& why) {
  live_ = false;
  over_ = true;
  events_.on_over(why);
}

// ---- tokens ----

/// Whether it comes back although its token is no good any more. One that never was any good is told at once.
bool Subscriber::may_outlive(const SocketEnd& end) const {
  return is_of_token(end) && !session_.empty() && options_.renew_token && options_.reconnect == Reconnect::always;
}

/// Whether there is a token to come with: where the last one has ended, only another one will do.
bool Subscriber::find_token() {
  if (!options_.renew_token) return true;
  if (auto renewed = options_.renew_token(options_.socket.token)) {
    options_.socket.token = *std::move(renewed);
    token_until_.reset();
    told_to_wait_ = false;
    return true;
  }
  if (!token_until_) return true;
  if (core_.now() >= *token_until_) {
    over(token_ended_ + ", and there is no other one");
    return false;
  }
  core_.timers().arm(alarm_, core_.now() + options_.token_look_interval);
  if (!std::exchange(told_to_wait_, true)) events_.on_note("there is no other token yet");
  return false;
}

/// Shows another token on the open connection, as soon as there is one. No recording has it.
void Subscriber::show_token() {
  if (!socket_ || closing_ || !options_.renew_token) return;
  const auto token = shown_.next(options_.renew_token);
  if (!token) return core_.timers().arm(token_alarm_, core_.now() + options_.token_look_interval);
  socket_->authenticate(token_id, *token);
}

void Subscriber::token_shown(const ServerFrame& answer) {
  if (auto taken = shown_.answered(answer)) {
    options_.socket.token = *std::move(taken);
    core_.timers().disarm(token_alarm_);
    return events_.on_note("the server has taken another token");
  }
  core_.timers().arm(token_alarm_, core_.now() + options_.token_look_interval);
  events_.on_note(fmt::format("the server refuses another token: {} ({})", answer.words, answer.code));
}

// ---- frames ----

void Subscriber::on_frame(wire::Opcode opcode, std::string_view message) {
  if (closing_) return;
  const auto frame = reader_.read(opcode, message);
  if (!frame) return events_.on_note(frame.error());
  if (options_.observer != nullptr) options_.observer->received(opcode, message, *frame);
  take(*frame);
}

void Subscriber::take(const ServerFrame& frame) {
  switch (frame.type) {
    case ServerFrameType::message:
      if (has_come(frame)) return;
      if (!frame.shard.empty()) advance_patterns(frame);
      if (asked_again_.contains(frame.topic)) return;
      advance(frame.topic, frame.epoch, frame.offset);
      return events_.on_message(frame);
    case ServerFrameType::gap:
      if (asked_again_.contains(frame.topic)) return;
      advance(frame.topic, frame.epoch, frame.to);
      return events_.on_gap(frame);
    case ServerFrameType::welcome:
      return welcomed(frame);
    case ServerFrameType::subscription_confirmed:
    case ServerFrameType::resumed:
      return confirmed(frame);
    case ServerFrameType::restarted:
      return restarted(frame);
    case ServerFrameType::unsubscribed:
      return unsubscribed(frame);
    case ServerFrameType::error:
      return refused(frame);
    case ServerFrameType::token_expiring:
      events_.on_note("the token expires within a minute");
      return show_token();
    case ServerFrameType::authenticated:
      return token_shown(frame);
    case ServerFrameType::draining:
      wait_min_ = bounded(frame.reconnect_after_ms, std::chrono::minutes{1});
      return events_.on_note("the server is going away");
    default:
      return;
  }
}

void Subscriber::welcomed(const ServerFrame& frame) {
  session_ = frame.session;
  const auto heartbeat = bounded(frame.heartbeat_interval_ms, std::chrono::hours{1});
  if (heartbeat > base::Duration::zero()) socket_->expect_words_within(heartbeat + answer_late);
  if (!frame.resumed) return subscribe(options_.topics);
  std::string text;
  wire::JsonWriter writer{text};
  writer.begin_object().member("type", "resume").member("id", own_id);
  write_positions(writer, "positions", options_.topics);
  writer.end_object();
  say(text);
}

void Subscriber::subscribe(const std::vector<std::string>& topics) {
  std::string text;
  wire::JsonWriter writer{text};
  writer.begin_object().member("type", "subscribe").member("id", own_id);
  writer.key("topics").begin_array();
  for (const auto& topic : topics) writer.value(topic);
  writer.end_array();
  write_positions(writer, "recover", topics);
  if (!options_.overflow.empty()) writer.member("overflow", options_.overflow);
  writer.end_object();
  say(text);
}

void Subscriber::write_positions(wire::JsonWriter& writer, std::string_view key,
                                 const std::vector<std::string>& topics) const {
  writer.key(key).begin_object();
  for (const auto& topic : topics) {
    if (const auto at = position(topic)) {
      writer.key(topic).begin_object();
      writer.member("epoch", at->epoch.value()).member("offset", at->offset).end_object();
    }
    const auto pattern = patterns_.find(topic);
    if (pattern == patterns_.end()) continue;
    writer.key(topic).begin_object().key("shards").begin_object();
    for (const auto& [shard, at] : pattern->second) {
      writer.key(shard).begin_object();
      writer.member("epoch", at.epoch.value()).member("seq", at.offset).end_object();
    }
    writer.end_object().end_object();
  }
  writer.end_object();
}

void Subscriber::say(const std::string& text) {
  if (options_.observer != nullptr) options_.observer->sent(wire::Opcode::text, text);
  socket_->send(wire::Opcode::text, text);
}

void Subscriber::confirmed(const ServerFrame& frame) {
  std::vector<std::string> missing;  // a session may have been cut off before it had all its topics
  if (frame.type == ServerFrameType::resumed) {
    std::ranges::copy_if(options_.topics, std::back_inserter(missing), [&](const auto& topic) {
      return std::ranges::find(frame.topics, topic, &ServerFrame::Topic::name) == frame.topics.end();
    });
  }
  for (const auto& topic : frame.topics) {
    if (const auto asked = asked_again_.find(topic.name); asked != asked_again_.end()) asked_again_.erase(asked);
    place(topic);
  }
  if (!missing.empty()) return subscribe(missing);
  backoff_.reset();
  if (!std::exchange(live_, true)) events_.on_live();
}

/// Some have lost something while the connection stayed: each goes on after its new position. Where the epoch is still
/// the same, what is missing may be kept after all, and is asked for from where we are.
void Subscriber::restarted(const ServerFrame& frame) {
  std::vector<std::string> again;
  for (const auto& topic : frame.topics) {
    const bool is_ours = std::ranges::find(options_.topics, topic.name) != options_.topics.end();
    const auto known = positions_.find(topic.name);
    const bool continues = known != positions_.end() && known->second && known->second->epoch.value() == topic.epoch;
    const bool is_asked = asked_again_.contains(topic.name) || (known != positions_.end() && !known->second);
    if (!is_ours) {
      events_.on_loss({topic.name});
    } else if (is_asked) {
      continue;  // the answer says where it goes on
    } else if (continues) {
      again.emplace_back(topic.name);
    } else {
      place(topic);
    }
  }
  if (again.empty()) return;
  asked_again_.insert(again.begin(), again.end());
  subscribe(again);
}

/// Where a topic goes on, and what of it is lost.
void Subscriber::place(const ServerFrame::Topic& topic) {
  const auto known = positions_.find(topic.name);
  if (known == positions_.end()) return place_pattern(topic);
  auto& position = known->second;
  if (topic.recovered) return;
  const auto before = std::exchange(position, Position{Epoch{std::string{topic.epoch}}, topic.offset});
  if (!before) return;
  if (before->epoch.value() != topic.epoch) return events_.on_loss({topic.name});
  if (topic.offset > before->offset) events_.on_loss({topic.name, before->offset + 1, topic.offset});
}

/// What a pattern recovers may overlap with what a topic of the same connection has had already.
bool Subscriber::has_come(const ServerFrame& message) const {
  const auto known = positions_.find(message.topic);
  if (known == positions_.end() || !known->second) return false;
  return known->second->epoch.value() == message.epoch && message.offset <= known->second->offset;
}

void Subscriber::place_pattern(const ServerFrame::Topic& topic) {
  if (topic.recovered) return;
  const bool was_placed = patterns_.contains(topic.name);
  auto& places = patterns_[std::string{topic.name}];
  places.clear();
  for (const auto& shard : topic.shards)
    places.emplace(shard.name, Position{Epoch{std::string{shard.epoch}}, shard.seq});
  if (was_placed) events_.on_loss({topic.name});
}

/// Whatever pattern it came by: within a shard all of them rise together.
void Subscriber::advance_patterns(const ServerFrame& message) {
  for (auto& [pattern, places] : patterns_) {
    const auto place = places.find(message.shard);
    if (place != places.end()) place->second.offset = std::max(place->second.offset, message.seq);
  }
}

void Subscriber::advance(std::string_view topic, std::string_view epoch, Offset offset) {
  const auto known = positions_.find(topic);
  if (known == positions_.end()) return;
  auto& position = known->second;
  if (position && position->epoch.value() == epoch) {
    position->offset = offset;
  } else {
    position = Position{Epoch{std::string{epoch}}, offset};
  }
}

void Subscriber::unsubscribed(const ServerFrame& frame) {
  for (const auto& topic : frame.topics) {
    std::erase(options_.topics, topic.name);
    if (const auto known = positions_.find(topic.name); known != positions_.end()) positions_.erase(known);
    if (const auto known = patterns_.find(topic.name); known != patterns_.end()) patterns_.erase(known);
    events_.on_note(fmt::format("{} is not permitted any more", topic.name));
  }
  if (!options_.topics.empty()) return;
  refusal_ = "no topic is left";
  closing_ = true;
  socket_->close(wire::close_code::normal);
}

void Subscriber::refused(const ServerFrame& frame) {
  if (frame.id == token_id) return token_shown(frame);
  const auto why = fmt::format("the server refuses: {} ({})", frame.words, frame.code);
  if (frame.id != own_id) return events_.on_note(why);
  if (is_passing(frame.code)) {
    wait_min_ = bounded(frame.retry_after_ms, std::chrono::minutes{1});
    events_.on_note(why);
    return socket_->close(wire::close_code::going_away);  // and comes again
  }
  refusal_ = why;
  closing_ = true;
  socket_->close(wire::close_code::normal);
}

}  // namespace troupe::realtime
