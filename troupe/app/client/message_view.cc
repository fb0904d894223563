// Lines, made of a frame's parts. Characters are counted as code points.
#include "troupe/app/client/message_view.h"

#include <fmt/format.h>

#include <algorithm>

#include "troupe/wire/base64.h"

namespace troupe::app {
namespace {

constexpr std::size_t topic_width = 24;
constexpr std::size_t sender_width = 16;
constexpr std::string_view ellipsis = "\u2026";

/// How many bytes the character at the front has; 0: it is none, or one that a terminal would obey.
std::size_t character_bytes(std::string_view text) {
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
  const unsigned first = byte(0);
  if (first < 0x80) return first < 0x20 || first == 0x7f ? 0 : 1;
  const std::size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < size) return 0;
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0U) != 0x80) return 0;
  }
  return first == 0xc2 && byte(1) < 0xa0 ? 0 : size;  // C1
}

/// Fills up to a width of columns.
void append_column(std::string& out, std::string_view text, std::size_t width) {
  const auto shown = printable(text, width);
  out += shown;
  const auto characters =
      static_cast<std::size_t>(std::ranges::count_if(shown, [](char c) { return (c & 0xc0) != 0x80; }));
  out.append(width - characters + 2, ' ');
}

std::string time_of_day(base::UnixTime time, std::int64_t utc_offset_s) {
  constexpr std::int64_t day = 24 * 60 * 60 * 1000;
  const auto ms = ((time.milliseconds + utc_offset_s * 1000) % day + day) % day;
  return fmt::format("{:02}:{:02}:{:02}.{:03}", ms / 3'600'000, ms / 60'000 % 60, ms / 1000 % 60, ms % 1000);
}

void append_json(std::string& out, const realtime::ServerFrame& message) {
  const auto begin = static_cast<std::ptrdiff_t>(out.size());
  out += message.header;
  if (message.is_binary && out.ends_with('}')) {
    out.pop_back();
    out += fmt::format(R"(,"payload_base64":"{}"}})", wire::to_base64(message.payload));
  }
  // A payload may have been written over several lines; within texts JSON has none.
  std::replace_if(out.begin() + begin, out.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
}

}  // namespace

std::string printable(std::string_view text, std::size_t characters_max) {
  std::string out;
  std::size_t characters = 0, before_last = 0;
  while (!text.empty()) {
    if (characters == characters_max) {
      out.resize(before_last);
      return out += ellipsis;
    }
    before_last = out.size();
    const auto size = character_bytes(text);
    size == 0 ? out += '.' : out += text.substr(0, size);
    text.remove_prefix(std::max<std::size_t>(size, 1));
    ++characters;
  }
  return out;
}

void MessageView::append(std::string& out, const realtime::ServerFrame& message) const {
  if (form == ViewForm::json) {
    append_json(out, message);
    out += '\n';
    return;
  }
  out += time_of_day({static_cast<std::int64_t>(message.sent_at)}, utc_offset_s) + "  ";
  append_column(out, message.topic, topic_width);
  append_column(out, message.sender, sender_width);
  const auto payload = message.is_binary ? fmt::format("{} bytes", message.payload.size())
                                         : std::string{message.payload.substr(0, 4 * width)};
  out += printable(payload, std::max<std::size_t>(width, 60) - 58) + "\n";
}

void MessageView::append_note(std::string& out, std::string_view words, base::UnixTime now) const {
  const auto shown = printable(words, 1000);
  out += form == ViewForm::json ? fmt::format("troupe: {}\n", shown)
                                : fmt::format("{}  -- {}\n", time_of_day(now, utc_offset_s), shown);
}

}  // namespace troupe::app
