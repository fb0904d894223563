// TestSocket: a WebSocket client on a memory stream, for tests. It makes the handshake, keeps
// the frames that arrive and answers pings unless told not to.
#pragma once

#include <fmt/format.h>

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "troupe/base/check.h"
#include "troupe/net/stream.h"
#include "troupe/wire/deflate.h"
#include "troupe/wire/websocket.h"

namespace troupe::realtime::testing {

class TestSocket final : public net::StreamEvents {
 public:
  /// Asks for `target` ("/ws?x=y"); `headers` are whole lines, each with its line break.
  TestSocket(std::unique_ptr<net::Stream> stream, std::string_view target, std::string_view headers)
      : stream_(std::move(stream)) {
    INVARIANT(stream_ != nullptr, "nobody listens there");
    stream_->start(*this);
    raw(
        fmt::format("GET {} HTTP/1.1\r\nHost: test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{}\r\n",
                    target, headers));
  }

  /// A socket whose handshake was made without us.
  explicit TestSocket(std::unique_ptr<net::Stream> stream) : stream_(std::move(stream)), head_("HTTP/1.1 101 done") {
    stream_->start(*this);
  }

  void say(std::string_view json) { send(wire::Opcode::text, json); }
  void send(wire::Opcode opcode, std::string_view bytes) {
    raw(wire::encode_masked_frame(opcode, bytes, {1, 2, 3, 4}));
  }
  /// A message of a payload that is compressed already.
  void send_deflated(wire::Opcode opcode, std::string_view bytes) {
    raw(wire::encode_masked_frame(opcode, bytes, {1, 2, 3, 4}, wire::Fragment::last, wire::Compressed::yes));
  }
  void raw(std::string_view bytes) {
    unsent_ += bytes;
    on_writable();
  }

  /// The messages that came since the last call.
  std::vector<std::string> take() { return std::exchange(messages_, {}); }
  /// From now on each message is shown to `hears` when it comes, and not kept.
  void hear(std::function<void(std::string_view)> hears) { hears_ = std::move(hears); }
  /// The status of the handshake's answer, 0 before it came; and its head.
  int status() const { return head_.empty() ? 0 : std::stoi(head_.substr(9, 3)); }
  const std::string& head() const { return head_; }
  /// The code of the server's close frame.
  std::optional<std::uint16_t> close_code() const { return close_code_; }
  bool is_closed() const { return closed_; }
  /// The server, or the network before it, takes no more for now.
  bool is_stuck() const { return !unsent_.empty(); }
  int pings() const { return pings_; }
  /// Bytes of frames that came, as they came.
  std::size_t bytes_received() const { return bytes_received_; }

  void stop_reading() { stream_->pause_reading(); }
  void read_again() { stream_->resume_reading(); }
  void ignore_pings() { answers_pings_ = false; }
  void vanish() { stream_.reset(); }

 private:
  void on_bytes(std::span<char> bytes) override {
    if (status() == 101) return take_frames(bytes);
    received_.append(bytes.data(), bytes.size());
    auto end = received_.find("\r\n\r\n");
    if (end == std::string::npos) return;
    head_ = received_.substr(0, end + 4);
    std::string rest = received_.substr(end + 4);
    if (status() == 101) take_frames(rest);
  }
  void on_writable() override {
    if (unsent_.empty()) return;
    iovec part{unsent_.data(), unsent_.size()};
    unsent_.erase(0, stream_->write_some({&part, 1}));
  }
  void on_closed(net::CloseReason) override { closed_ = true; }

  void take_frames(std::span<char> bytes) {
    bytes_received_ += bytes.size();
    if (!decoder_) {
      if (head_.contains("permessage-deflate")) inflater_.emplace(wire::DeflateDirection{wire::DeflateContext::kept});
      decoder_.emplace(wire::WebSocketRole::client, wire::WebSocketLimits{.message_bytes_max = 32 << 20},
                       inflater_ ? &*inflater_ : nullptr);
    }
    while (true) {
      auto event = decoder_->next(bytes);
      INVARIANT(event.has_value(), "the server sent a broken frame");
      if (!*event) return;
      auto payload = (*event)->payload;
      switch ((*event)->opcode) {
        case wire::Opcode::ping:
          ++pings_;
          if (answers_pings_) send(wire::Opcode::pong, payload);
          break;
        case wire::Opcode::close:
          close_code_ = wire::read_close(payload).code;
          send(wire::Opcode::close, payload.substr(0, 2));
          break;
        case wire::Opcode::pong:
          break;
        default:
          hears_ ? hears_(payload) : static_cast<void>(messages_.emplace_back(payload));
      }
    }
  }

  std::unique_ptr<net::Stream> stream_;
  std::string head_;
  std::optional<wire::Inflater> inflater_;
  std::optional<wire::WebSocketDecoder> decoder_;  // from the first frame on
  std::size_t bytes_received_ = 0;
  std::string received_;
  std::string unsent_;  // a write came short, and goes on when there is room
  std::vector<std::string> messages_;
  std::function<void(std::string_view)> hears_;
  std::optional<std::uint16_t> close_code_;
  int pings_ = 0;
  bool answers_pings_ = true;
  bool closed_ = false;
};

}  // namespace troupe::realtime::testing
