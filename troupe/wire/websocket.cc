// WebSocket frames: the decoder (header, then payload, then what the frame means) and the
// encoder. Section numbers are those of RFC 6455.
#include "troupe/wire/websocket.h"

#include <openssl/evp.h>

#include <algorithm>
#include <cstring>

#include "troupe/base/check.h"
#include "troupe/wire/base64.h"
#include "troupe/wire/deflate.h"

namespace troupe::wire {
namespace {

constexpr std::uint8_t final_bit = 0x80;
constexpr std::uint8_t reserved_bits = 0x70;
constexpr std::uint8_t compressed_bit = 0x40;  // RFC 7692, 6
constexpr std::uint8_t mask_bit = 0x80;
constexpr std::size_t control_payload_max = 125;  // 5.5

using Failure = std::unexpected<WebSocketError>;

Failure violation(std::string_view why) { return Failure{{close_code::protocol_error, why}}; }

bool is_known(Opcode opcode) noexcept {
  auto value = static_cast<std::uint8_t>(opcode);
  return value <= 2 || (value >= 8 && value <= 10);
}

/// The size of the header that begins with these bytes, as far as they tell: by its second one.
std::size_t header_bytes(std::string_view begin) noexcept {
  if (begin.size() < 2) return 2;
  const auto second = static_cast<std::uint8_t>(begin[1]);
  std::size_t length = second & 0x7f;
  std::size_t extended = length == 127 ? 8 : length == 126 ? 2 : 0;
  return 2 + extended + ((second & mask_bit) ? 4 : 0);
}

std::uint64_t big_endian(std::string_view bytes) noexcept {
  std::uint64_t value = 0;
  for (unsigned char byte : bytes) value = value << 8 | byte;
  return value;
}

/// XORs `bytes` with the mask, beginning at its byte `offset` (5.3). Eight bytes at a time.
void apply_mask(std::span<char> bytes, const std::array<char, 4>& mask, std::size_t offset) noexcept {
  std::array<char, 8> turned;
  for (std::size_t i = 0; i < 8; ++i) turned[i] = mask[(offset + i) % 4];
  std::uint64_t wide;
  std::memcpy(&wide, turned.data(), 8);
  std::size_t i = 0;
  for (; i + 8 <= bytes.size(); i += 8) {
    std::uint64_t word;
    std::memcpy(&word, bytes.data() + i, 8);
    word ^= wide;
    std::memcpy(bytes.data() + i, &word, 8);
  }
  for (std::size_t k = 0; i < bytes.size(); ++i, ++k) bytes[i] = static_cast<char>(bytes[i] ^ turned[k]);
}

struct Head {
  Opcode opcode;
  std::uint64_t length;
  bool masked = false;
  Fragment fragment = Fragment::last;
  Compressed compressed = Compressed::no;
};

/// Writes the first bytes of a frame up to its length (5.2), and gives how many they are.
std::size_t write_head(std::array<char, frame_head_bytes_max>& bytes, const Head& head) {
  const char* end = write_frame_head(bytes.data(), head.opcode, head.length);
  const auto flag = [&](std::size_t at, std::uint8_t bit) { bytes[at] = static_cast<char>(bytes[at] ^ bit); };
  if (head.fragment == Fragment::more) flag(0, final_bit);
  if (head.compressed == Compressed::yes) flag(0, compressed_bit);
  if (head.masked) flag(1, mask_bit);
  return static_cast<std::size_t>(end - bytes.data());
}

void append_head(std::string& out, const Head& head) {
  std::array<char, frame_head_bytes_max> bytes;
  out.append(bytes.data(), write_head(bytes, head));
}

std::optional<WebSocketError> close_violation(std::string_view payload) {
  if (payload.empty()) return std::nullopt;
  if (payload.size() == 1) return WebSocketError{close_code::protocol_error, "a close code of one byte"};
  if (!is_sendable_close_code(static_cast<std::uint16_t>(big_endian(payload.substr(0, 2))))) {
    return WebSocketError{close_code::protocol_error, "a close code that must not be sent"};
  }
  if (!is_utf8(payload.substr(2))) return WebSocketError{close_code::invalid_payload, "a close reason not in UTF-8"};
  return std::nullopt;
}

}  // namespace

bool is_sendable_close_code(std::uint16_t code) noexcept {
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}

std::string websocket_accept(std::string_view key) {
  constexpr std::string_view guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";  // 1.3
  std::string text{key};
  text += guid;
  std::array<unsigned char, 20> sha1;
  unsigned int size = sha1.size();
  int done = EVP_Digest(text.data(), text.size(), sha1.data(), &size, EVP_sha1(), nullptr);
  INVARIANT(done == 1 && size == sha1.size(), "SHA-1 is missing in the crypto library");
  return to_base64(std::string_view{reinterpret_cast<const char*>(sha1.data()), sha1.size()});
}

bool is_websocket_key(std::string_view key) {
  auto bytes = from_base64(key);
  return bytes && bytes->size() == 16;
}

CloseStatus read_close(std::string_view payload) {
  if (payload.size() < 2) return {};
  return {static_cast<std::uint16_t>(big_endian(payload.substr(0, 2))), payload.substr(2)};
}

// --- decoder ---------------------------------------------------------------------------

WebSocketDecoder::WebSocketDecoder(WebSocketRole role, WebSocketLimits limits, Inflater* inflater) noexcept
    : message_bytes_max_(static_cast<std::uint32_t>(limits.message_bytes_max)), inflater_(inflater), role_(role) {
  constexpr std::size_t of_all_messages_max = std::size_t{1} << 30;  // lest what is compressed outgrows `frame_rest_`
  INVARIANT(limits.message_bytes_max <= of_all_messages_max, "a WebSocket message has at most 1 GiB");
}

WebSocketDecoder::Kept& WebSocketDecoder::kept() {
  if (kept_ == nullptr) kept_ = std::make_unique<Kept>();
  return *kept_;
}

// The caller is done with the last payload; an idle connection keeps no memory of it.
void WebSocketDecoder::forget_last() {
  handed_out_ = false;
  if (kept_ == nullptr) return;
  (is_control() ? kept_->control : kept_->message) = {};
  if (kept_->control.empty() && kept_->message.empty()) kept_.reset();
}

WebSocketDecoder::Result WebSocketDecoder::next(std::span<char>& input) {
  if (handed_out_) forget_last();
  while (true) {
    if (!in_frame_) {
      auto header = take_header(input);
      if (!header) return Failure{header.error()};
      if (!in_frame_) return std::nullopt;
    }
    auto event = is_control() ? take_control(input) : take_data(input);
    if (!event || *event) return event;
    if (in_frame_) return std::nullopt;  // its payload is not complete; all input is used up
  }
}

// A header that has come whole is read where it lies; of another one what there is is kept.
std::expected<void, WebSocketError> WebSocketDecoder::take_header(std::span<char>& input) {
  if (kept_ == nullptr || kept_->header.empty()) {
    const std::string_view come{input.data(), input.size()};
    const std::size_t size = header_bytes(come);
    if (size <= come.size()) {
      input = input.subspan(size);
      return begin_frame(come.substr(0, size));
    }
  }
  while (!input.empty()) {
    auto& header = kept().header;
    const std::size_t taken = std::min(header_bytes(header) - header.size(), input.size());
    header.append(input.data(), taken);
    input = input.subspan(taken);
    if (header.size() == header_bytes(header)) return begin_frame(std::exchange(header, {}));
  }
  return {};
}

std::expected<void, WebSocketError> WebSocketDecoder::begin_frame(std::string_view header) {
  auto first = static_cast<std::uint8_t>(header[0]);
  auto second = static_cast<std::uint8_t>(header[1]);

  bool masked = (second & mask_bit) != 0;
  if (masked) std::copy_n(header.end() - 4, 4, mask_.begin());
  header.remove_prefix(2);
  std::uint64_t length = second & 0x7f;
  if (length >= 126) {
    std::uint64_t shortest = length == 126 ? 126 : 0x10000;
    length = big_endian(header.substr(0, length == 126 ? 2 : 8));
    if (length < shortest) return violation("a length in more bytes than it needs");
    if (length >> 63 != 0) return violation("a length with its highest bit set");
  }
  if (masked != (role_ == WebSocketRole::server)) {
    return violation(masked ? "a masked frame from a server" : "an unmasked frame from a client");
  }
  opcode_ = static_cast<Opcode>(first & 0x0f);
  final_ = (first & final_bit) != 0;
  mask_offset_ = 0;
  if (auto error = reserved_violation(first)) return Failure{*error};
  if (begins_message()) compressed_ = (first & compressed_bit) != 0;
  if (auto error = frame_violation(length)) return Failure{*error};
  frame_rest_ = static_cast<std::uint32_t>(length);  // for it lies within the limit
  if (begins_message()) message_opcode_ = opcode_;
  in_frame_ = true;
  return {};
}

/// The bit that says "compressed" stands in the first frame of a message, and nowhere else (RFC 7692, 6.1).
std::optional<WebSocketError> WebSocketDecoder::reserved_violation(std::uint8_t first) const {
  std::uint8_t allowed = inflater_ != nullptr && begins_message() ? compressed_bit : 0;
  if ((first & reserved_bits & ~allowed) == 0) return std::nullopt;
  return WebSocketError{close_code::protocol_error, "reserved bits are set"};
}

std::optional<WebSocketError> WebSocketDecoder::frame_violation(std::uint64_t length) const {
  auto breaks = [](std::string_view why) { return WebSocketError{close_code::protocol_error, why}; };
  if (!is_known(opcode_)) return breaks("an unknown opcode");
  if (is_control()) {
    if (!final_) return breaks("a fragmented control frame");
    if (length > control_payload_max) return breaks("a control frame over 125 bytes");
    return std::nullopt;
  }
  if (opcode_ == Opcode::continuation && !message_opcode_) return breaks("a continuation of nothing");
  if (opcode_ != Opcode::continuation && message_opcode_) return breaks("a new message inside a fragmented one");
  // Refused by its announcement, before a byte of it is kept.
  std::size_t bytes_max = compressed_ ? deflated_bytes_max(message_bytes_max_) : message_bytes_max_;
  if (length > bytes_max - (kept_ ? kept_->message.size() : 0)) {
    return WebSocketError{close_code::too_large, "a message over the limit"};
  }
  return std::nullopt;
}

std::span<char> WebSocketDecoder::take_payload(std::span<char>& input) {
  const auto size = static_cast<std::uint32_t>(std::min<std::size_t>(frame_rest_, input.size()));
  auto payload = input.first(size);
  input = input.subspan(size);
  if (role_ == WebSocketRole::server) apply_mask(payload, mask_, mask_offset_);
  mask_offset_ = static_cast<std::uint8_t>((mask_offset_ + size) % 4);
  frame_rest_ -= size;
  if (frame_rest_ == 0) in_frame_ = false;
  return payload;
}

WebSocketDecoder::Result WebSocketDecoder::take_control(std::span<char>& input) {
  auto taken = take_payload(input);
  std::string_view payload{taken.data(), taken.size()};
  if (in_frame_ || (kept_ && !kept_->control.empty())) {
    payload = kept().control += payload;
  }
  if (in_frame_) return std::nullopt;
  if (opcode_ == Opcode::close) {
    if (auto error = close_violation(payload)) return Failure{*error};
  }
  handed_out_ = true;
  return WebSocketEvent{opcode_, payload};
}

WebSocketDecoder::Result WebSocketDecoder::take_data(std::span<char>& input) {
  auto taken = take_payload(input);
  std::string_view payload{taken.data(), taken.size()};
  bool ends = !in_frame_ && final_;
  const bool is_text = *message_opcode_ == Opcode::text;
  if (is_text && !compressed_) {
    bool valid = utf8_.feed(payload) && (!ends || utf8_.complete());
    if (!valid) return Failure{{close_code::invalid_payload, "text that is not UTF-8"}};
  }
  if (!ends || (kept_ && !kept_->message.empty())) {
    payload = kept().message += payload;
  }
  if (!ends) return std::nullopt;
  if (compressed_) {
    auto message = inflated(payload);
    if (!message) return Failure{message.error()};
    payload = *message;
    if (is_text && !is_utf8(payload)) return Failure{{close_code::invalid_payload, "text that is not UTF-8"}};
  }
  WebSocketEvent event{*message_opcode_, payload};
  message_opcode_.reset();
  handed_out_ = true;
  return event;
}

/// What a whole compressed message stands for; it is kept in place of what came.
std::expected<std::string_view, WebSocketError> WebSocketDecoder::inflated(std::string_view compressed) {
  auto message = inflater_->inflate(compressed, message_bytes_max_);
  if (message) return kept().message = *std::move(message);
  if (message.error() == InflateError::too_large) {
    return Failure{{close_code::too_large, "a message over the limit"}};
  }
  return Failure{{close_code::invalid_payload, "a message that cannot be inflated"}};
}

// --- encoder ---------------------------------------------------------------------------

FrameHeader::FrameHeader(Opcode opcode, std::size_t payload_bytes, Compressed compressed)
    : size_(static_cast<std::uint8_t>(
          write_head(bytes_, {.opcode = opcode, .length = payload_bytes, .compressed = compressed}))) {}

std::string encode_frame(Opcode opcode, std::string_view payload) {
  std::string frame;
  frame.reserve(payload.size() + frame_head_bytes_max);
  append_head(frame, {.opcode = opcode, .length = payload.size()});
  frame += payload;
  return frame;
}

FrameView view_frame(std::string_view finished) {
  INVARIANT(finished.size() >= 2, "no finished frame");
  auto opcode = static_cast<Opcode>(static_cast<std::uint8_t>(finished[0]) & 0x0f);
  std::size_t head = header_bytes(finished);
  INVARIANT(finished.size() >= head, "no finished frame");
  return {opcode, finished.substr(head)};
}

std::size_t finished_frame_bytes(std::string_view bytes) {
  INVARIANT(bytes.size() >= 2, "no finished frame");
  const std::size_t head = header_bytes(bytes);
  INVARIANT(bytes.size() >= head, "no finished frame");
  const auto length = static_cast<std::uint8_t>(bytes[1]);  // a server's: unmasked
  return head + (length < 126 ? length : big_endian(bytes.substr(2, head - 2)));
}

std::string close_payload(std::uint16_t code, std::string_view reason) {
  INVARIANT(is_sendable_close_code(code), "a close code that must not be sent");
  std::size_t size = std::min(reason.size(), control_payload_max - 2);
  while (size > 0 && size < reason.size() && (reason[size] & 0xc0) == 0x80) --size;  // not inside a character
  std::string payload{static_cast<char>(code >> 8), static_cast<char>(code & 0xff)};
  payload += reason.substr(0, size);
  return payload;
}

std::string encode_close(std::uint16_t code, std::string_view reason) {
  return encode_frame(Opcode::close, close_payload(code, reason));
}

std::string encode_masked_frame(Opcode opcode, std::string_view payload, std::array<char, 4> mask, Fragment fragment,
                                Compressed compressed) {
  std::string frame;
  frame.reserve(payload.size() + 14);
  append_head(frame, {opcode, payload.size(), true, fragment, compressed});
  frame.append(mask.data(), mask.size());
  std::size_t head_bytes = frame.size();
  frame += payload;
  apply_mask(std::span{frame}.subspan(head_bytes), mask, 0);
  return frame;
}

}  // namespace troupe::wire
