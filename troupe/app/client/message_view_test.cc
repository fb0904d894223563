// A message as a line: one line whatever is in it, and nothing that a terminal would obey.
#include "troupe/app/client/message_view.h"

#include <doctest/doctest.h>

using namespace troupe::app;
using troupe::realtime::ServerFrame;

namespace {

std::string line_of(const MessageView& view, const ServerFrame& frame) {
  std::string out;
  view.append(out, frame);
  return out;
}

}  // namespace

TEST_CASE("for scripts a message is the frame as it came, in one line") {
  const MessageView view;
  CHECK_EQ(line_of(view, {.header = R"({"type":"message","payload":[1]})"}),
           "{\"type\":\"message\",\"payload\":[1]}\n");
  CHECK_EQ(line_of(view, {.header = "{\"payload\":[1,\r\n2]}"}), "{\"payload\":[1,  2]}\n");
  CHECK_EQ(line_of(view, {.payload = "\x01\n", .header = R"({"topic":"t"})", .is_binary = true}),
           "{\"topic\":\"t\",\"payload_base64\":\"AQo=\"}\n");
}

TEST_CASE("for people it is a line of columns as wide as the terminal") {
  const MessageView view{.form = ViewForm::columns, .width = 80, .utc_offset_s = 3600};
  const ServerFrame frame{
      .topic = "news.today", .sender = "alice", .payload = R"({"text":"hello"})", .sent_at = 82'801'234};
  CHECK_EQ(line_of(view, frame), "00:00:01.234  news.today                alice             {\"text\":\"hello\"}\n");
  auto longer = frame;
  const std::string much(500, 'x');
  longer.payload = much;
  CHECK_EQ(line_of(view, longer).size(), 80 + 2 + 1);  // the ellipsis has three bytes, and the line a break
  auto bytes = frame;
  bytes.is_binary = true;
  CHECK(line_of(view, bytes).ends_with("16 bytes\n"));
  std::string note;
  view.append_note(note, "subscribed", {0});
  CHECK_EQ(note, "01:00:00.000  -- subscribed\n");
}

TEST_CASE("what others wrote cannot steer the terminal") {
  struct Row {
    std::string_view text, shown;
  };
  const Row rows[] = {
      {"\x1b[2J", ".[2J"},
      {"a\nb\r", "a.b."},
      {"\x7f", "."},
      {"\u009b31m", "..31m"},
      {"\xff\xfe", ".."},
      {"\xe2\x82", ".."},
      {"gr\u00fc\u00df", "gr\u00fc\u00df"},
      {"\xc0\x80", ".."},
  };
  for (const auto& row : rows) CHECK_EQ(printable(row.text, 100), row.shown);
  CHECK_EQ(printable("\u00fc\u00fc\u00fc", 3), "\u00fc\u00fc\u00fc");
  CHECK_EQ(printable("\u00fc\u00fc\u00fc\u00fc", 3), "\u00fc\u00fc\u2026");
}
