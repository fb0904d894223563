// A handshake, then frames both ways; each way to end passes through end().
#include "troupe/realtime/client/client_socket.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "troupe/realtime/protocol/error.h"
#include "troupe/wire/base64.h"
#include "troupe/wire/json.h"

namespace troupe::realtime {
namespace {

constexpr std::string_view subprotocol = "troupe.v1";

std::string make_key(base::Random& random) {
  std::array<std::byte, 16> bytes;
  random.fill(bytes);
  return wire::to_base64(bytes);
}

std::array<char, 4> make_mask(base::Random& random) {
  const auto bits = random.next();
  return {static_cast<char>(bits), static_cast<char>(bits >> 8), static_cast<char>(bits >> 16),
          static_cast<char>(bits >> 24)};
}

std::string handshake(const ClientSocketOptions& options, const HandshakeOffer& offer) {
  auto text = fmt::format(
      "GET {} HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
      "Sec-WebSocket-Key: {}\r\nSec-WebSocket-Protocol: {}\r\n",
      options.target, options.host, offer.key, offer.subprotocol);
  if (!options.token.expose().empty()) text += fmt::format("Authorization: Bearer {}\r\n", options.token.expose());
  return text + "\r\n";
}

std::string_view words_of_status(std::uint16_t status) {
  switch (status) {
    case 401:
      return "the server wants a token, or does not accept this one (401)";
    case 403:
      return "the server does not permit it (403)";
    case 404:
      return "there is no live delivery at this address (404)";
    case 426:
      return "what answers there speaks no WebSocket (426)";
    case 429:
      return "the server is asked too often from here (429)";
    case 503:
      return "the server has no place left, or is going away (503)";
    default:
      return {};
  }
}

/// What a code stands for where the server says nothing more; one code has several reasons, so that these are vague.
std::string_view words_of_code(std::uint16_t code) {
  switch (code) {
    case wire::close_code::going_away:
      return "it goes away";
    case wire::close_code::policy_violation:
      return "it does not permit this connection";
    case wire::close_code::too_large:
      return "a frame was larger than it takes";
    case close_codes::token_ended:
      return "the token has ended";
    case close_codes::heartbeat_lost:
      return "no answer to its pings";
    case close_codes::slow_consumer:
      return "we were too slow a reader";
    case close_codes::replaced:
      return "another connection goes on with the session";
    case close_codes::rate_limited:
      return "too much at once";
    default:
      return {};
  }
}

/// With a dot in place of what a terminal would obey (C0, DEL and C1).
std::string harmless(std::string text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const bool is_c1 = byte >= 0x80 && byte < 0xa0 && i > 0 && text[i - 1] == '\xc2';
    if (is_c1) text[i - 1] = '.';
    if (is_c1 || byte < 0x20 || byte == 0x7f) text[i] = '.';
  }
  return text;
}

std::string words_of_close(const SocketEnd& end) {
  if (end.code == wire::close_code::normal && end.reason.empty()) return "closed";
  const auto why = end.reason.empty() ? std::string{words_of_code(end.code)} : harmless(end.reason);
  if (why.empty()) return fmt::format("the server closed with {}", end.code);
  return fmt::format("the server closed: {} ({})", why, end.code);
}

}  // namespace

std::string in_words(const SocketEnd& end) {
  using Cause = SocketEnd::Cause;
  switch (end.cause) {
    case Cause::unreachable:
      return end.reason.empty() ? "nobody answers there" : end.reason;
    case Cause::refused: {
      const auto words = words_of_status(end.code);
      return words.empty() ? fmt::format("the server answered {}", end.code) : std::string{words};
    }
    case Cause::closed:
      return words_of_close(end);
    case Cause::lost:
      return "the connection was lost";
    case Cause::silent:
      return "the server says nothing any more";
    case Cause::broken:
      return "the server broke the protocol: " + end.reason;
    case Cause::full:
      return "the server does not take what is sent";
  }
  return "the connection was lost";
}

ClientSocket::ClientSocket(actor::Core& core, std::unique_ptr<net::Stream> stream, ClientSocketOptions options,
                           ClientSocketEvents& events)
    : core_(core),
      stream_(std::move(stream)),
      options_(std::move(options)),
      events_(events),
      offer_{make_key(core.random()), std::string{subprotocol}},
      decoder_(wire::WebSocketRole::client, {.message_bytes_max = options_.message_bytes_max}) {
  unsent_ = handshake(options_, offer_);
  core_.timers().arm(alarm_, core_.now() + options_.handshake_within);
  stream_->start(*this);
  core_.at_turn_end(*this);
}

ClientSocket::~ClientSocket() {
  if (gone_ != nullptr) *gone_ = true;
}

// ---- reading ----

void ClientSocket::on_bytes(std::span<char> bytes) {
  heard_ = core_.now();
  bool gone = false;
  gone_ = &gone;
  phase_ == Phase::shaking ? take_head(bytes) : take_frames(bytes);
  if (!gone) gone_ = nullptr;
}

void ClientSocket::take_head(std::span<char> bytes) {
  head_.append(bytes.data(), bytes.size());
  const auto end = head_.find("\r\n\r\n");
  if (end == std::string::npos) {
    if (head_.size() > handshake_answer_bytes_max) fail(SocketEnd::Cause::broken, "an endless head");
    return;
  }
  auto rest = head_.substr(end + 4);
  head_.resize(end + 4);
  const auto answer = read_handshake_answer(std::exchange(head_, {}), offer_);
  if (!answer) return fail(SocketEnd::Cause::broken, answer.error());
  if (answer->status != 101) {
    return this->end({SocketEnd::Cause::refused, static_cast<std::uint16_t>(answer->status), {}});
  }
  phase_ = Phase::open;
  core_.timers().disarm(alarm_);
  const bool& gone = *gone_;
  events_.on_open();
  if (gone) return;
  unsent_ += std::exchange(early_, {});
  core_.at_turn_end(*this);
  take_frames(rest);
}

void ClientSocket::take_frames(std::span<char> bytes) {
  const bool& gone = *gone_;
  while (phase_ == Phase::open || phase_ == Phase::closing) {
    const auto event = decoder_.next(bytes);
    if (!event) return fail(SocketEnd::Cause::broken, std::string{event.error().why});
    if (!*event) return;
    const auto& [opcode, payload] = **event;
    switch (opcode) {
      case wire::Opcode::ping:
        append(wire::Opcode::pong, payload);
        break;
      case wire::Opcode::close:
        return answer_close(payload);
      case wire::Opcode::pong:
        break;
      default:
        if (phase_ == Phase::open) events_.on_frame(opcode, payload);
    }
    if (gone) return;
  }
}

void ClientSocket::answer_close(std::string_view payload) {
  const auto said = wire::read_close(payload);
  if (phase_ == Phase::open) append(wire::Opcode::close, payload.substr(0, 2));
  flush();
  end({SocketEnd::Cause::closed, said.code, std::string{said.reason}});
}

void ClientSocket::on_closed(net::CloseReason) {
  if (phase_ != Phase::shaking) return fail(SocketEnd::Cause::lost);
  const auto& words = options_.words_of_no_answer;
  fail(SocketEnd::Cause::unreachable, words ? words({was_reached_, stream_->trouble()}) : std::string{});
}

// ---- writing ----

void ClientSocket::send(wire::Opcode opcode, std::string_view message) {
  if (phase_ == Phase::open) return append(opcode, message);
  if (phase_ == Phase::shaking) early_ += wire::encode_masked_frame(opcode, message, make_mask(core_.random()));
}

void ClientSocket::authenticate(std::string_view id, const AccessToken& token) {
  std::string text;
  wire::JsonWriter writer{text};
  writer.begin_object().member("type", "authenticate").member("id", id).member("token", token.expose()).end_object();
  send(wire::Opcode::text, text);
}

void ClientSocket::append(wire::Opcode opcode, std::string_view payload) {
  unsent_ += wire::encode_masked_frame(opcode, payload, make_mask(core_.random()));
  core_.at_turn_end(*this);
}

void ClientSocket::close(std::uint16_t code) {
  if (phase_ == Phase::ended || phase_ == Phase::closing) return;
  const bool is_open = phase_ == Phase::open;
  core_.timers().arm(alarm_, core_.now() + (is_open ? options_.closing_within : base::Duration{}));
  if (is_open) append(wire::Opcode::close, wire::close_payload(code, {}));
  phase_ = Phase::closing;
}

void ClientSocket::on_turn_end() {
  flush();
  if (phase_ != Phase::ended && unsent_bytes() > options_.unsent_bytes_max) fail(SocketEnd::Cause::full);
}

void ClientSocket::flush() {
  if (phase_ == Phase::ended || unsent_bytes() == 0) return;
  iovec part{unsent_.data() + sent_, unsent_bytes()};
  sent_ += stream_->write_some({&part, 1});
  if (sent_ > 0) was_reached_ = true;
  if (unsent_bytes() == 0) {
    unsent_ = {};  // a silent connection keeps no memory of it
    sent_ = 0;
  } else if (sent_ > unsent_.size() / 2) {
    unsent_.erase(0, std::exchange(sent_, 0));
  }
}

// ---- ending ----

void ClientSocket::expect_words_within(base::Duration duration) {
  silence_max_ = duration;
  if (phase_ == Phase::open) core_.timers().arm(alarm_, heard_ + duration);
}

void ClientSocket::on_alarm() {
  switch (phase_) {
    case Phase::shaking:
      return fail(SocketEnd::Cause::unreachable, "no answer came in time");
    case Phase::open:
      if (core_.now() >= heard_ + *silence_max_) return fail(SocketEnd::Cause::silent);
      return core_.timers().arm(alarm_, heard_ + *silence_max_);
    case Phase::closing:
      return fail(SocketEnd::Cause::lost);
    case Phase::ended:
      return;
  }
}

void ClientSocket::fail(SocketEnd::Cause cause, std::string reason) { end({cause, 0, std::move(reason)}); }

void ClientSocket::end(SocketEnd how) {
  if (std::exchange(phase_, Phase::ended) == Phase::ended) return;
  core_.timers().disarm(alarm_);
  stream_->close();
  events_.on_end(how);
}

}  // namespace troupe::realtime
