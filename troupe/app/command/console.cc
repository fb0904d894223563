// See console.h; the terminal is written at once, so that what is said is in order.
#include "troupe/app/command/console.h"

#include <cstdio>

namespace troupe::app {
namespace {

constexpr std::size_t line_bytes_max = 64 * 1024;

/// Whether all of it is written.
bool write_all(std::FILE* file, std::string_view text) {
  return std::fwrite(text.data(), 1, text.size(), file) == text.size() && std::fflush(file) == 0;
}

}  // namespace

void Terminal::out(std::string_view text) {
  if (!write_all(stdout, text)) has_failed_ = true;
}

void Terminal::err(std::string_view text) { (void)write_all(stderr, text); }

std::optional<std::string> Terminal::read_line() {
  std::string line;
  for (int c = std::fgetc(stdin); c != EOF; c = std::fgetc(stdin)) {
    if (c == '\n') return line;
    line += static_cast<char>(c);
    if (line.size() > line_bytes_max) return std::nullopt;
  }
  if (line.empty()) return std::nullopt;
  return line;
}

}  // namespace troupe::app
