// Base64 by table: three bytes to four characters, and back with every bit accounted for.
#include "troupe/wire/base64.h"

#include <array>
#include <cstdint>

namespace troupe::wire {
namespace {

enum class Padding { none, required };

constexpr std::string_view standard_alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view url_alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

using ReverseAlphabet = std::array<std::int8_t, 256>;

constexpr ReverseAlphabet reversed(std::string_view alphabet) {
  ReverseAlphabet values{};
  values.fill(-1);
  for (std::size_t i = 0; i < alphabet.size(); ++i) {
    values[static_cast<unsigned char>(alphabet[i])] = static_cast<std::int8_t>(i);
  }
  return values;
}

constexpr ReverseAlphabet standard_values = reversed(standard_alphabet);
constexpr ReverseAlphabet url_values = reversed(url_alphabet);

std::string encode(std::string_view bytes, std::string_view alphabet, Padding padding) {
  const auto byte = [bytes](std::size_t i) -> std::uint32_t { return static_cast<unsigned char>(bytes[i]); };
  const std::size_t whole = bytes.size() / 3;
  std::string text;
  text.reserve(whole * 4 + 4);
  text.resize(whole * 4);
  char* next = text.data();
  for (std::size_t i = 0; i < whole * 3; i += 3) {
    const std::uint32_t bits = byte(i) << 16 | byte(i + 1) << 8 | byte(i + 2);
    for (const int shift : {18, 12, 6, 0}) *next++ = alphabet[bits >> shift & 63];
  }
  const std::size_t left = bytes.size() % 3;
  if (left == 0) return text;
  const std::uint32_t bits = byte(whole * 3) << 16 | (left == 2 ? byte(whole * 3 + 1) << 8 : 0);
  text += alphabet[bits >> 18 & 63];
  text += alphabet[bits >> 12 & 63];
  if (left == 2) text += alphabet[bits >> 6 & 63];
  if (padding == Padding::required) text.append(3 - left, '=');
  return text;
}

std::optional<std::string> decode(std::string_view text, const ReverseAlphabet& values) {
  if (text.size() % 4 == 1) return std::nullopt;
  std::string bytes;
  bytes.reserve(text.size() / 4 * 3 + 2);
  std::uint32_t bits = 0;
  int bit_count = 0;
  for (unsigned char character : text) {
    std::int8_t value = values[character];
    if (value < 0) return std::nullopt;
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    bit_count += 6;
    if (bit_count < 8) continue;
    bit_count -= 8;
    bytes += static_cast<char>(bits >> bit_count & 0xff);
  }
  // What is left over after the last whole byte must be zero, or two texts would mean one value.
  if ((bits & ((1u << bit_count) - 1)) != 0) return std::nullopt;
  return bytes;
}

std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

std::string to_base64(std::string_view bytes) { return encode(bytes, standard_alphabet, Padding::required); }
std::string to_base64(std::span<const std::byte> bytes) { return to_base64(as_text(bytes)); }
std::string to_base64url(std::string_view bytes) { return encode(bytes, url_alphabet, Padding::none); }
std::string to_base64url(std::span<const std::byte> bytes) { return to_base64url(as_text(bytes)); }

std::optional<std::string> from_base64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  for (int padding = 0; padding < 2 && text.ends_with('='); ++padding) text.remove_suffix(1);
  return decode(text, standard_values);
}

std::optional<std::string> from_base64url(std::string_view text) { return decode(text, url_values); }

}  // namespace troupe::wire
