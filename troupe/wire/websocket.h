// WebSocket frames (RFC 6455) as values: the handshake's key, an incremental decoder and
// the encoder. Where permessage-deflate was agreed on, the first reserved bit marks a
// compressed message (RFC 7692, 6); without it, and for the others, they must be zero.
//
// The decoder takes bytes out of the caller's read buffer and unmasks them there. A
// message that lies whole in that buffer is handed out without a copy; only what is
// still incomplete when the buffer ends is kept, and what a compressed message stands for.
// It never holds more than the limit.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "troupe/wire/utf8.h"

namespace troupe::wire {

enum class Opcode : std::uint8_t { continuation = 0, text = 1, binary = 2, close = 8, ping = 9, pong = 10 };

/// Close codes that we send or meet (RFC 6455, 7.4.1); applications add their own from 4000.
namespace close_code {
inline constexpr std::uint16_t normal = 1000;
inline constexpr std::uint16_t going_away = 1001;
inline constexpr std::uint16_t protocol_error = 1002;
inline constexpr std::uint16_t no_status = 1005;  // never on the wire: the close frame bore no code
inline constexpr std::uint16_t abnormal = 1006;   // never on the wire: the stream ended without a close frame
inline constexpr std::uint16_t invalid_payload = 1007;
inline constexpr std::uint16_t policy_violation = 1008;
inline constexpr std::uint16_t too_large = 1009;
inline constexpr std::uint16_t internal_error = 1011;
inline constexpr std::uint16_t try_again_later = 1013;  // of IANA's registry
}  // namespace close_code

/// Whether an endpoint may send `code` in a close frame (RFC 6455, 7.4; IANA adds 1012 to 1014).
bool is_sendable_close_code(std::uint16_t code) noexcept;

/// The value of Sec-WebSocket-Accept for a client's Sec-WebSocket-Key (RFC 6455, 4.2.2).
std::string websocket_accept(std::string_view key);

/// Whether `key` is what a client must send: base64 of sixteen bytes (RFC 6455, 4.2.1).
bool is_websocket_key(std::string_view key);

/// Whom we decode for: a server demands masks, a client refuses them (RFC 6455, 5.1).
enum class WebSocketRole : std::uint8_t { server, client };

struct WebSocketLimits {
  std::size_t message_bytes_max = 1024 * 1024;  // one message, however many fragments it comes in; inflated; to 1 GiB
};

class Inflater;

/// What the peer did wrong, and the close code that says so. `why` is a literal.
struct WebSocketError {
  std::uint16_t code;
  std::string_view why;
};

/// A whole text or binary message, or one control frame, already unmasked.
struct WebSocketEvent {
  Opcode opcode;  // never continuation
  std::string_view payload;
};

struct CloseStatus {
  std::uint16_t code = close_code::no_status;
  std::string_view reason;
};

/// Reads the payload of a close frame that the decoder has let through; 1005 when it is empty.
CloseStatus read_close(std::string_view payload);

class WebSocketDecoder {
 public:
  /// `inflater` reads compressed messages, and must outlive the decoder; none: there are none. One without a kept
  /// context may serve many decoders.
  explicit WebSocketDecoder(WebSocketRole role, WebSocketLimits limits = {}, Inflater* inflater = nullptr) noexcept;

  using Result = std::expected<std::optional<WebSocketEvent>, WebSocketError>;

  /// Takes bytes off the front of `input` (unmasking them in place) up to the end of the next event, and gives it;
  /// or takes all of them and gives nothing when it is not complete yet. The payload is valid until the next call
  /// and as long as the buffer behind `input`. After an error the decoder must not be used again.
  Result next(std::span<char>& input);

  /// Bytes held for an incomplete frame or message; zero for an idle connection.
  std::size_t bytes_held() const noexcept {
    return kept_ ? kept_->header.size() + kept_->message.size() + kept_->control.size() : 0;
  }

 private:
  struct Kept {
    std::string header;
    std::string message;
    std::string control;
  };

  std::expected<void, WebSocketError> take_header(std::span<char>& input);
  std::expected<void, WebSocketError> begin_frame(std::string_view header);
  std::optional<WebSocketError> frame_violation(std::uint64_t length) const;
  std::optional<WebSocketError> reserved_violation(std::uint8_t first) const;
  Result take_data(std::span<char>& input);
  std::expected<std::string_view, WebSocketError> inflated(std::string_view compressed);
  Result take_control(std::span<char>& input);
  std::span<char> take_payload(std::span<char>& input);
  Kept& kept();
  void forget_last();
  bool is_control() const noexcept { return static_cast<std::uint8_t>(opcode_) >= 8; }
  bool begins_message() const noexcept { return opcode_ == Opcode::text || opcode_ == Opcode::binary; }

  std::uint32_t message_bytes_max_;
  std::uint32_t frame_rest_ = 0;  // bytes of the payload still to come
  Inflater* inflater_;
  WebSocketRole role_;

  // The frame that is being read.
  Opcode opcode_ = Opcode::continuation;
  bool final_ = false;
  bool in_frame_ = false;
  std::uint8_t mask_offset_ = 0;
  std::array<char, 4> mask_{};

  // The message that its frames add up to.
  std::optional<Opcode> message_opcode_;
  bool compressed_ = false;
  bool handed_out_ = false;  // what is kept was given to the caller by the last call
  Utf8Validator utf8_;
  std::unique_ptr<Kept> kept_;  // null while nothing is incomplete
};

/// Whether a payload is compressed, as the first reserved bit says.
enum class Compressed : std::uint8_t { no, yes };

inline constexpr std::size_t frame_head_bytes_max = 10;  // of a server

/// How many bytes the head of a server's frame takes (RFC 6455, 5.2).
constexpr std::size_t frame_head_bytes(std::size_t payload_bytes) noexcept {
  return payload_bytes < 126 ? 2 : payload_bytes <= 0xffff ? 4 : frame_head_bytes_max;
}

/// Writes the head of a server's frame, of the one that is the whole message, and gives where it ends.
constexpr char* write_frame_head(char* at, Opcode opcode, std::size_t payload_bytes) noexcept {
  constexpr std::uint8_t final_bit = 0x80;
  const std::size_t length_bytes = frame_head_bytes(payload_bytes) - 2;
  *at++ = static_cast<char>(final_bit | static_cast<std::uint8_t>(opcode));
  *at++ = static_cast<char>(length_bytes == 0 ? payload_bytes : length_bytes == 2 ? 126 : 127);
  for (std::size_t i = length_bytes; i > 0; --i) *at++ = static_cast<char>(payload_bytes >> 8 * (i - 1));
  return at;
}

/// The same as bytes of its own, which go in front of the payload in a gathered write.
class FrameHeader {
 public:
  FrameHeader(Opcode opcode, std::size_t payload_bytes, Compressed compressed = Compressed::no);
  std::string_view view() const noexcept { return {bytes_.data(), size_}; }

 private:
  std::array<char, frame_head_bytes_max> bytes_{};
  std::uint8_t size_ = 0;
};

struct FrameView {
  Opcode opcode;
  std::string_view payload;
};

/// What is in a frame that we finished ourselves.
FrameView view_frame(std::string_view finished);

/// How many bytes the frame has, head and all, that begins at the front of `bytes`: one that we finished ourselves, of
/// which at least the head is there.
std::size_t finished_frame_bytes(std::string_view bytes);

/// One finished frame of a server: head and payload.
std::string encode_frame(Opcode opcode, std::string_view payload);

/// The payload of a close frame: a code that may be sent, and a reason cut at a character to fit into 123 bytes.
std::string close_payload(std::uint16_t code, std::string_view reason);

/// A server's close frame, with the payload as above.
std::string encode_close(std::uint16_t code, std::string_view reason);

enum class Fragment : std::uint8_t { last, more };

/// One frame of a client, masked with `mask` (four random bytes).
std::string encode_masked_frame(Opcode opcode, std::string_view payload, std::array<char, 4> mask,
                                Fragment fragment = Fragment::last, Compressed compressed = Compressed::no);

}  // namespace troupe::wire
