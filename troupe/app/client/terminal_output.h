// The process's own streams for commands that run: writes that say when nobody reads any more, and lines that come
// while signals are heard, too.
//
// On one thread each. Lines are bounded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace troupe::app {

/// Writes all of it, and waits for a slow reader. Errors: std::errc::broken_pipe when nobody reads any more; others
/// when it cannot be written, as on a full disk.
std::error_code write_to(int descriptor, std::string_view text);

/// How many characters a line of the terminal has; nothing where it is none.
std::optional<std::size_t> terminal_width(int descriptor);

/// Lines of a descriptor, one after the other.
class LineReader {
 public:
  static constexpr std::size_t line_bytes_max = 16 * 1024 * 1024;

  enum class End : std::uint8_t {
    of_input,
    interrupted,  // by what `interrupt` stands for
    too_long,     // a line over the bound
    unreadable,   // it is a folder, or its device fails
  };

  /// `interrupt`: a descriptor that can be read when nobody wants lines any more; -1: none.
  LineReader(int descriptor, int interrupt) noexcept : descriptor_(descriptor), interrupt_(interrupt) {}

  /// The next line without its line break; the last one may have none. Waits for it.
  std::expected<std::string, End> next();
  /// All that is left.
  std::expected<std::string, End> rest();

 private:
  std::expected<bool, End> read_more();

  int descriptor_;
  int interrupt_;
  std::string buffer_;
  std::size_t searched_ = 0;
  bool ended_ = false;
};

}  // namespace troupe::app
