// WebSocket frames written by hand (RFC 6455, 5.2): just enough for the floors and the
// load generator, and on purpose not Troupe's own codec, which is what is measured.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace troupe::bench {

enum class Opcode : std::uint8_t { text = 1, binary = 2, close = 8, ping = 9, pong = 10 };

/// One whole frame inside a buffer. Fragments are not supported: nobody here sends any.
struct Frame {
  Opcode opcode{};
  std::span<char> payload;  // already unmasked
  std::size_t size = 0;     // header and payload
};

/// The frame at the start of `bytes`, unmasked in place, or nothing when it is not complete yet.
std::optional<Frame> read_frame(std::span<char> bytes);

constexpr std::size_t server_header_max = 10;
/// Writes the header of an unmasked frame so that it ends where the payload begins; gives its length.
std::size_t write_header_before(char* payload, Opcode opcode, std::size_t size);

/// A whole unmasked frame, as a server sends it.
std::string server_frame(Opcode opcode, std::string_view payload);
/// A whole frame with a fixed mask, as a client sends it. The floor and Troupe unmask the same bytes.
std::string client_frame(Opcode opcode, std::string_view payload);

/// The value of Sec-WebSocket-Accept for a key (RFC 6455, 4.2.2).
std::string accept_of(std::string_view key);

}  // namespace troupe::bench
