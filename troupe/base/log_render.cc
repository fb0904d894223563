// How one event becomes one line, as text (logfmt) or as JSON.
//
// What others sent must not forge a line or move a terminal's cursor: every control
// character (C0, DEL, C1), the line separators of Unicode, marks that change the
// direction of text, and every byte that is no UTF-8 leave escaped.
#include <fmt/format.h>

#include <cmath>
#include <ctime>

#include "troupe/base/log.h"

namespace troupe::base::log {
namespace {

constexpr std::string_view level_names[] = {"debug", "info", "warning", "error"};

struct CodePoint {
  std::uint32_t value = 0;
  std::size_t bytes = 1;
  bool valid = false;
};

/// The first code point of `text`, which is not empty; one byte that is not valid when it is no UTF-8.
CodePoint first_code_point(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::uint8_t lead = byte(0);
  if (lead < 0x80) return {lead, 1, true};
  const std::size_t bytes = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < bytes) return {lead};
  std::uint32_t value = lead & (0x7FU >> bytes);
  for (std::size_t i = 1; i < bytes; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) return {lead};
    value = value << 6U | (byte(i) & 0x3FU);
  }
  constexpr std::uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = value >= 0xD800 && value <= 0xDFFF;
  if (value < smallest[bytes] || value > 0x10FFFF || surrogate) return {lead};
  return {value, bytes, true};
}

bool is_hostile(std::uint32_t c) {
  const bool control = c < 0x20 || (c >= 0x7F && c <= 0x9F);
  const bool separator = c == 0x2028 || c == 0x2029;
  const bool direction = c == 0x200E || c == 0x200F || (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
  return control || separator || direction;
}

void append_quoted(std::string& out, std::string_view text, Format format) {
  out += '"';
  while (!text.empty()) {
    const CodePoint c = first_code_point(text);
    if (!c.valid) {
      out += format == Format::json ? "\\ufffd" : fmt::format("\\x{:02x}", c.value);
    } else if (c.value == '"' || c.value == '\\') {
      out += '\\';
      out += static_cast<char>(c.value);
    } else if (c.value == '\n') {
      out += "\\n";
    } else if (is_hostile(c.value)) {
      out += fmt::format("\\u{:04x}", c.value);
    } else {
      out += text.substr(0, c.bytes);
    }
    text.remove_prefix(c.bytes);
  }
  out += '"';
}

bool is_plain(std::string_view text) {
  return !text.empty() &&
         std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7F && c != '"' && c != '=' && c != '\\'; });
}

void append_string(std::string& out, std::string_view text, Format format) {
  if (format == Format::text && is_plain(text)) {
    out += text;
  } else {
    append_quoted(out, text, format);
  }
}

void append_value(std::string& out, const Value& value, Format format) {
  if (const auto* text = std::get_if<std::string_view>(&value.variant())) return append_string(out, *text, format);
  if (const auto* number = std::get_if<double>(&value.variant()); number != nullptr && !std::isfinite(*number)) {
    out += format == Format::json ? "null" : "nan";  // JSON knows no infinity
    return;
  }
  std::visit([&](const auto& plain) { fmt::format_to(std::back_inserter(out), "{}", plain); }, value.variant());
}

std::string timestamp(UnixTime at) {
  const std::time_t seconds = at.seconds();
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday,
                     utc.tm_hour, utc.tm_min, utc.tm_sec, at.milliseconds % 1000);
}

}  // namespace

std::string render(Format format, UnixTime at, Level level, std::string_view component, std::string_view message,
                   Fields fields) {
  const bool json = format == Format::json;
  std::string line = json ? "{" : "";
  const auto add = [&](std::string_view key, const Value& value) {
    if (line.size() > 1) line += json ? ',' : ' ';
    append_string(line, key, format);
    line += json ? ':' : '=';
    append_value(line, value, format);
  };
  const std::string time = timestamp(at);
  add("time", time);
  add("level", level_names[static_cast<std::size_t>(level)]);
  add("component", component);
  add("message", message);
  for (const Field& field : fields) add(field.key, field.value);
  if (json) line += '}';
  return line;
}

}  // namespace troupe::base::log
