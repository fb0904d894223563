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
  const std::size_t left = text.size() % 4;
  if (left == 1) return std::nullopt;
  // Negative where the character is in no alphabet, and so is all that it is made a part of.
  const auto value = [&](std::size_t i) -> std::int32_t { return values[static_cast<unsigned char>(text[i])]; };
  const std::size_t whole = text.size() - left;
  std::string bytes(whole / 4 * 3 + (left > 0 ? left - 1 : 0), '\0');
  char* next = bytes.data();
  for (std::size_t i = 0; i < whole; i += 4) {
    const std::int32_t bits = value(i) << 18 | value(i + 1) << 12 | value(i + 2) << 6 | value(i + 3);
    if (bits < 0) return std::nullopt;
    for (const int shift : {16, 8, 0}) *next++ = static_cast<char>(bits >> shift & 0xff);
  }
  if (left == 0) return bytes;
  const std::int32_t bits = value(whole) << 12 | value(whole + 1) << 6 | (left == 3 ? value(whole + 2) : 0);
  // What is left over after the last whole byte must be zero, or two texts would mean one value.
  const std::int32_t left_over = left == 3 ? 0x3 : 0x3ff;
  if (bits < 0 || (bits & left_over) != 0) return std::nullopt;
  *next++ = static_cast<char>(bits >> 10 & 0xff);
  if (left == 3) *next = static_cast<char>(bits >> 2 & 0xff);
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
