// UTF-8: simdjson's vectorised check for what lies whole in memory, a byte-wise automaton
// (table 3-7 of the Unicode standard) for characters that are cut between two pieces.
#include "troupe/wire/utf8.h"

#include <simdjson.h>

#include <algorithm>

namespace troupe::wire {
namespace {

constexpr std::size_t bulk_bytes_min = 64;  // below this the automaton is as fast

bool is_continuation(unsigned char byte) noexcept { return (byte & 0xc0) == 0x80; }

std::size_t length_by_lead(unsigned char lead) noexcept {
  if (lead >= 0xf0) return 4;
  if (lead >= 0xe0) return 3;
  return lead >= 0xc0 ? 2 : 1;
}

/// Of a character of three bytes that begins with E2: U+2028 to U+202E and U+2066 to U+2069.
bool changes_lines_or_direction(int second, int third) noexcept {
  return (second == 0x80 && third >= 0xa8 && third <= 0xae) || (second == 0x81 && third >= 0xa6 && third <= 0xa9);
}

struct Characters {
  char32_t first, last;
};

/// What is not seen, in the order of the numbers: controls, spaces, what joins and parts, fillers, selectors, tags.
constexpr Characters unseen[] = {
    {0x0000, 0x0020}, {0x007f, 0x00a0},   {0x00ad, 0x00ad},   {0x034f, 0x034f},   {0x061c, 0x061c}, {0x115f, 0x1160},
    {0x1680, 0x1680}, {0x17b4, 0x17b5},   {0x180b, 0x180f},   {0x2000, 0x200f},   {0x2028, 0x202f}, {0x205f, 0x206f},
    {0x2800, 0x2800}, {0x3000, 0x3000},   {0x3164, 0x3164},   {0xfe00, 0xfe0f},   {0xfeff, 0xfeff}, {0xffa0, 0xffa0},
    {0xfff0, 0xfffb}, {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0xe0000, 0xe0fff},
};

bool is_seen(char32_t character) noexcept {
  return std::ranges::none_of(unseen,
                              [=](Characters each) { return each.first <= character && character <= each.last; });
}

/// How many bytes at the end of `piece` belong to a character that is not whole.
std::size_t cut_off_bytes(std::string_view piece) noexcept {
  for (std::size_t back = 1; back <= 3 && back <= piece.size(); ++back) {
    auto byte = static_cast<unsigned char>(piece[piece.size() - back]);
    if (is_continuation(byte)) continue;
    return length_by_lead(byte) > back ? back : 0;
  }
  return 0;
}

}  // namespace

bool is_utf8(std::string_view text) noexcept { return simdjson::validate_utf8(text.data(), text.size()); }

bool is_plain_utf8(std::string_view text) noexcept {
  if (!is_utf8(text)) return false;
  const auto byte = [text](std::size_t at) { return at < text.size() ? static_cast<unsigned char>(text[at]) : 0; };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int lead = byte(i);
    if (lead < 0x20 || lead == 0x7f) return false;
    if (lead == 0xc2 && byte(i + 1) < 0xa0) return false;  // C1: U+0080 to U+009F
    if (lead == 0xe2 && changes_lines_or_direction(byte(i + 1), byte(i + 2))) return false;
  }
  return true;
}

bool has_visible_character(std::string_view text) noexcept {
  while (!text.empty()) {
    const auto lead = static_cast<unsigned char>(text.front());
    const std::size_t length = std::min(length_by_lead(lead), text.size());
    auto character = static_cast<char32_t>(length == 1 ? lead : lead & (0x7f >> length));
    for (const char each : text.substr(1, length - 1)) {
      character = (character << 6) | (static_cast<unsigned char>(each) & 0x3f);
    }
    if (is_seen(character)) return true;
    text.remove_prefix(length);
  }
  return false;
}

bool Utf8Validator::step(unsigned char byte) noexcept {
  if (missing_ > 0) {
    if (byte < next_min_ || byte > next_max_) return false;
    --missing_;
    next_min_ = 0x80;
    next_max_ = 0xbf;
    return true;
  }
  if (byte < 0x80) return true;
  if (byte < 0xc2 || byte > 0xf4) return false;  // a continuation, an overlong lead, or above U+10FFFF
  missing_ = static_cast<std::uint8_t>(length_by_lead(byte) - 1);
  if (byte == 0xe0) next_min_ = 0xa0;  // no overlong forms
  if (byte == 0xed) next_max_ = 0x9f;  // no surrogates
  if (byte == 0xf0) next_min_ = 0x90;  // no overlong forms
  if (byte == 0xf4) next_max_ = 0x8f;  // nothing above U+10FFFF
  return true;
}

bool Utf8Validator::feed(std::string_view piece) noexcept {
  std::size_t i = 0;
  for (; i < piece.size() && missing_ > 0; ++i) {
    if (!step(static_cast<unsigned char>(piece[i]))) return false;
  }
  piece.remove_prefix(i);
  if (piece.size() >= bulk_bytes_min) {
    std::size_t whole = piece.size() - cut_off_bytes(piece);
    if (!is_utf8(piece.substr(0, whole))) return false;
    piece.remove_prefix(whole);
  }
  for (unsigned char byte : piece) {
    if (!step(byte)) return false;
  }
  return true;
}

}  // namespace troupe::wire
