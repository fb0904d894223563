// WebSocket frames by hand: headers of 7, 16 and 64 bit lengths, masks eight bytes at a time.
#include "bench/support/frame.h"

#include <endian.h>
#include <openssl/evp.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace troupe::bench {
namespace {

void unmask(std::span<char> bytes, const char* mask) {
  std::uint64_t wide = 0;
  std::memcpy(&wide, mask, 4);
  wide |= wide << 32;
  std::size_t at = 0;
  for (; at + 8 <= bytes.size(); at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data() + at, 8);
    word ^= wide;
    std::memcpy(bytes.data() + at, &word, 8);
  }
  for (; at < bytes.size(); ++at) bytes[at] = static_cast<char>(bytes[at] ^ mask[at % 4]);
}

std::uint64_t big_endian(std::span<const char> bytes) {
  std::uint64_t value = 0;
  for (const char byte : bytes) value = value << 8 | static_cast<unsigned char>(byte);
  return value;
}

}  // namespace

std::optional<Frame> read_frame(std::span<char> bytes) {
  if (bytes.size() < 2) return std::nullopt;
  const bool masked = (bytes[1] & 0x80) != 0;
  std::uint64_t length = bytes[1] & 0x7f;
  std::size_t header = 2;
  if (length >= 126) {
    const std::size_t extended = length == 126 ? 2 : 8;
    if (bytes.size() < header + extended) return std::nullopt;
    length = big_endian(bytes.subspan(header, extended));
    header += extended;
  }
  const std::size_t mask_at = header;
  if (masked) header += 4;
  if (bytes.size() < header + length) return std::nullopt;
  Frame frame{static_cast<Opcode>(bytes[0] & 0x0f), bytes.subspan(header, length), header + length};
  if (masked) unmask(frame.payload, bytes.data() + mask_at);
  return frame;
}

std::size_t write_header_before(char* payload, Opcode opcode, std::size_t size) {
  const auto first = static_cast<char>(0x80 | static_cast<int>(opcode));
  if (size < 126) {
    payload[-2] = first;
    payload[-1] = static_cast<char>(size);
    return 2;
  }
  if (size < 65536) {
    const std::uint16_t length = htobe16(static_cast<std::uint16_t>(size));
    payload[-4] = first;
    payload[-3] = 126;
    std::memcpy(payload - 2, &length, 2);
    return 4;
  }
  const std::uint64_t length = htobe64(size);
  payload[-10] = first;
  payload[-9] = 127;
  std::memcpy(payload - 8, &length, 8);
  return 10;
}

std::string server_frame(Opcode opcode, std::string_view payload) {
  std::string frame(server_header_max, '\0');
  frame.append(payload);
  const auto header = write_header_before(frame.data() + server_header_max, opcode, payload.size());
  frame.erase(0, server_header_max - header);
  return frame;
}

std::string client_frame(Opcode opcode, std::string_view payload) {
  constexpr std::array<char, 4> mask = {0x37, 0x59, 0x1d, 0x62};
  std::string frame = server_frame(opcode, payload);
  frame[1] = static_cast<char>(frame[1] | 0x80);
  const auto body = frame.size() - payload.size();
  frame.insert(body, mask.data(), mask.size());
  unmask(std::span{frame}.subspan(body + mask.size()), mask.data());
  return frame;
}

std::string accept_of(std::string_view key) {
  const std::string text = std::string{key} + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  std::array<unsigned char, SHA_DIGEST_LENGTH> digest{};
  SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  std::array<unsigned char, 32> encoded{};
  const int length = EVP_EncodeBlock(encoded.data(), digest.data(), digest.size());
  return {reinterpret_cast<const char*>(encoded.data()), static_cast<std::size_t>(length)};
}

}  // namespace troupe::bench
