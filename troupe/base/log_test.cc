// What a line of the log looks like, and what cannot be put into one.
#include "troupe/base/log.h"

#include <doctest/doctest.h>

using namespace troupe::base;

namespace {

using UserName = Strong<struct UserNameTag, std::string>;

constexpr UnixTime at{1'700'000'000'042};

std::string field_as(log::Format format, std::string_view text) {
  const std::string line = log::render(format, at, log::Level::info, "c", "m", {{"k", text}});
  const std::string_view before = format == log::Format::json ? "\"k\":" : "k=";
  std::string value = line.substr(line.rfind(before) + before.size());
  if (format == log::Format::json) value.pop_back();
  return value;
}

}  // namespace

TEST_CASE("a line says when, how grave, who and what, then its fields in order") {
  const auto line = log::render(log::Format::text, at, log::Level::warning, "realtime", "connection closed",
                                {{"connection", 12U}, {"code", -1}, {"clean", true}, {"user", UserName{"alice"}}});
  CHECK_EQ(line,
           "time=2023-11-14T22:13:20.042Z level=warning component=realtime message=\"connection closed\" "
           "connection=12 code=-1 clean=true user=alice");
}

TEST_CASE("a line as JSON is one object") {
  const auto line = log::render(log::Format::json, at, log::Level::error, "oauth", "refused",
                                {{"client", "c\"1"}, {"status", 401}, {"share", 0.5}});
  CHECK_EQ(line, R"({"time":"2023-11-14T22:13:20.042Z","level":"error","component":"oauth","message":"refused",)"
                 R"("client":"c\"1","status":401,"share":0.5})");
}

TEST_CASE("what others sent can neither forge a line nor steer a terminal") {
  struct Row {
    std::string_view what, value, text, json;
  };
  const Row rows[] = {
      {"a plain word", "abc", "abc", R"("abc")"},
      {"nothing", "", R"("")", R"("")"},
      {"a line break", "a\nlevel=error", R"("a\nlevel=error")", R"("a\nlevel=error")"},
      {"a carriage return", "a\rb", R"("a\u000db")", R"("a\u000db")"},
      {"an escape sequence", "\x1b[2J", R"("\u001b[2J")", R"("\u001b[2J")"},
      {"DEL", "\x7f", R"("\u007f")", R"("\u007f")"},
      {"a C1 control", "\xC2\x9B", R"("\u009b")", R"("\u009b")"},
      {"a line separator", "\xE2\x80\xA8", R"("\u2028")", R"("\u2028")"},
      {"a turn of direction", "\xE2\x80\xAE", R"("\u202e")", R"("\u202e")"},
      {"quotes and equals", "a=\"b\"", R"("a=\"b\"")", R"("a=\"b\"")"},
      {"letters beyond ASCII", "ß€😀", "\"ß€😀\"", "\"ß€😀\""},
      {"a broken sequence", "\xE2\x82", R"("\xe2\x82")", R"("\ufffd\ufffd")"},
      {"an overlong form", "\xC0\xAF", R"("\xc0\xaf")", R"("\ufffd\ufffd")"},
      {"a surrogate", "\xED\xA0\x80", R"("\xed\xa0\x80")", R"("\ufffd\ufffd\ufffd")"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    CHECK_EQ(field_as(log::Format::text, row.value), row.text);
    CHECK_EQ(field_as(log::Format::json, row.value), row.json);
  }
}

TEST_CASE("a NUL inside a value is escaped, not the end of it") {
  CHECK_EQ(field_as(log::Format::text, std::string_view{"a\0b", 3}), R"("a\u0000b")");
}

TEST_CASE("a test may catch the lines, and lines below the level are not written elsewhere") {
  {
    log::Capture capture;
    log::debug("base", "caught", {{"n", 1}});
    CHECK_EQ(capture.lines(), std::vector<std::string>{"level=debug component=base message=caught n=1"});
    CHECK(capture.contains("n=1"));
    CHECK_FALSE(capture.contains("n=2"));
  }
  CHECK_FALSE(log::enabled(log::Level::debug));
  CHECK(log::enabled(log::Level::error));
}

TEST_CASE("a secret has no way into the log") {
  static_assert(!std::is_constructible_v<log::Value, Secret<std::string>>);
  static_assert(!std::is_convertible_v<Secret<std::string>, log::Value>);
}
