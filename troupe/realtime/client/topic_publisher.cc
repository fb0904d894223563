// Publications leave in their order as the rate permits; answers find them by their ids.
#include "troupe/realtime/client/topic_publisher.h"

#include <fmt/format.h>

#include <system_error>

#include "troupe/realtime/protocol/decoder.h"
#include "troupe/wire/json.h"

namespace troupe::realtime {
namespace {

using Outcome = PublishFailure::Outcome;
constexpr std::string_view token_id = "token";                 // publications have numbers
constexpr base::Duration saved_max = std::chrono::seconds{1};  // of unused rate: a server grants more at once

std::string frame_of(const PublishPayload& publication, std::string_view id) {
  std::string text;
  wire::JsonWriter writer{text};
  writer.begin_object().member("type", "publish").member("id", id).member("topic", publication.topic);
  writer.key("payload").raw(publication.payload).end_object();
  return text;
}

/// Without the white space that JSON allows around a value.
std::string trimmed(const std::string& json) {
  constexpr std::string_view space = " \t\r\n";
  const auto begin = json.find_first_not_of(space);
  if (begin == std::string::npos) return {};
  return json.substr(begin, json.find_last_not_of(space) - begin + 1);
}

/// Why a publication is none: its topic is no name, its payload is no JSON value or more than one.
std::string fault_of(const PublishPayload& publication) {
  Decoder decoder;
  auto frame = decoder.decode_text(frame_of(publication, "0"));
  if (!frame) return frame.error().error.message;
  const auto& publish = *std::get<PublishPtr>(frame->command);
  const bool alone = publish.topic.text() == publication.topic && !publish.exclude_self &&
                     publish.idempotency_key.empty() && publish.priority == Priority::normal &&
                     publish.payload.bytes == publication.payload;
  return alone ? std::string{} : std::string{"the payload must be one JSON value"};
}

std::string too_large(std::size_t bytes, std::uint64_t max) {
  return fmt::format("its frame has {} bytes, and the server takes {} (too_large)", bytes, max);
}

}  // namespace

void TopicPublisher::started(actor::Context& ctx) {
  ctx_ = &ctx;
  entry_ = ctx.entry();
  ClientSocketEvents& events = *this;
  try {
    socket_ = std::make_unique<ClientSocket>(ctx.core(), options_.dial(ctx.core()), options_.socket, events);
  } catch (const std::system_error& error) {
    ended(error.what());
  }
}

void TopicPublisher::handle(PublishPayload message, Answering reply, actor::Context&) {
  if (why_ended_) return reply.fail({Outcome::unsent, *why_ended_});
  message.payload = trimmed(message.payload);
  if (auto fault = fault_of(message); !fault.empty()) return reply.fail({Outcome::refused, std::move(fault)});
  waiting_.push_back({std::move(message), std::move(reply)});
  send_some();
}

void TopicPublisher::handle(FinishPublishing, actor::Reply<void> reply, actor::Context&) {
  finishing_ = std::move(reply);
  finish_if_done();
}

void TopicPublisher::handle(SendNext, actor::Context&) { send_some(); }

void TopicPublisher::handle(ShowToken, actor::Context& ctx) {
  if (!socket_ || !options_.renew_token) return;
  const auto token = shown_.next(options_.renew_token);
  if (!token) return ctx.after(this, "token", options_.token_look_interval, ShowToken{});
  socket_->authenticate(token_id, *token);
}

void TopicPublisher::token_shown(const ServerFrame& answer) {
  if (!shown_.answered(answer)) ctx_->after(this, "token", options_.token_look_interval, ShowToken{});
}

void TopicPublisher::send_some() {
  const auto now = ctx_->core().read_clock();
  while (welcomed_ && !waiting_.empty()) {
    if (next_at_ > now) return ctx_->after(this, "next", next_at_ - now, SendNext{});
    auto [publication, reply] = std::move(waiting_.front());
    waiting_.pop_front();
    auto id = std::to_string(numbered_ + 1);
    const std::string frame = frame_of(publication, id);
    if (frame.size() > frame_bytes_max_) {  // the server would close the connection, and what follows were lost with it
      reply.fail({Outcome::refused, too_large(frame.size(), frame_bytes_max_)});
      continue;
    }
    ++numbered_;
    next_at_ = std::max(next_at_, now - saved_max) + pause_;
    socket_->send(wire::Opcode::text, frame);
    sent_.emplace(std::move(id), std::move(reply));
  }
  finish_if_done();
}

void TopicPublisher::on_frame(wire::Opcode opcode, std::string_view message) {
  entry_([&] {
    if (const auto frame = reader_.read(opcode, message)) take(*frame, message);
  });
}

void TopicPublisher::take(const ServerFrame& frame, std::string_view text) {
  if (frame.type == ServerFrameType::welcome) {
    welcomed_ = true;
    if (frame.frame_bytes > 0) frame_bytes_max_ = frame.frame_bytes;
    if (frame.messages_per_second > 0)
      pause_ = base::Duration{std::chrono::seconds{1}} / static_cast<std::int64_t>(frame.messages_per_second);
    return send_some();
  }
  if (frame.id == token_id) return token_shown(frame);
  if (frame.type == ServerFrameType::token_expiring) return handle(ShowToken{}, *ctx_);
  const auto found = sent_.find(frame.id);
  if (found == sent_.end()) return;
  if (frame.type == ServerFrameType::ack) found->second.set(std::string{text});
  if (frame.type == ServerFrameType::error)
    found->second.fail({Outcome::refused, fmt::format("{} ({})", frame.words, frame.code)});
  sent_.erase(found);
  finish_if_done();
}

void TopicPublisher::finish_if_done() {
  if (!finishing_ || !sent_.empty() || !waiting_.empty()) return;
  if (why_ended_) return std::exchange(finishing_, std::nullopt)->set();
  socket_->close(wire::close_code::normal);
}

void TopicPublisher::on_end(const SocketEnd& end) {
  entry_([&] {
    socket_.reset();
    ended(in_words(end));
  });
}

void TopicPublisher::ended(const std::string& why) {
  why_ended_ = why;
  for (auto& [id, reply] : std::exchange(sent_, {})) reply.fail({Outcome::unknown, why});
  for (auto& [publication, reply] : std::exchange(waiting_, {})) reply.fail({Outcome::unsent, why});
  finish_if_done();
}

}  // namespace troupe::realtime
