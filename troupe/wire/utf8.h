// UTF-8 (RFC 3629): whether bytes are well formed, for a whole text and for one that
// arrives in pieces cut anywhere, even inside a character.
#pragma once

#include <cstdint>
#include <string_view>

namespace troupe::wire {

/// Whether `text` is well-formed UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF.
bool is_utf8(std::string_view text) noexcept;

/// Whether `text` is UTF-8 that is shown in one line, as it stands: without control characters (those of ASCII and C1,
/// some of which a terminal obeys), ends of lines, and what turns the direction of the characters behind it (Unicode
/// Technical Report 36, section 2).
bool is_plain_utf8(std::string_view text) noexcept;

/// Whether something of `text`, which must be UTF-8, is seen: it is more than spaces and controls, and characters that
/// have no shape (Default_Ignorable_Code_Point of the Unicode Character Database, annotations, the blank of braille).
bool has_visible_character(std::string_view text) noexcept;

/// Checks a text piece by piece and fails at the first piece that no continuation could make valid.
class Utf8Validator {
 public:
  /// Takes the next piece; false when the text is malformed. After that the object must be reset.
  bool feed(std::string_view piece) noexcept;

  /// Whether what was fed so far ends with a whole character.
  bool complete() const noexcept { return missing_ == 0; }

  void reset() noexcept { *this = {}; }

 private:
  bool step(unsigned char byte) noexcept;

  std::uint8_t missing_ = 0;      // continuation bytes that the current character still needs
  std::uint8_t next_min_ = 0x80;  // the range that the next of them must lie in
  std::uint8_t next_max_ = 0xbf;
};

}  // namespace troupe::wire
