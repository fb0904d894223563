// UTF-8: what is well formed, what is not, and that cutting a text anywhere changes nothing.
#include "troupe/wire/utf8.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

namespace troupe::wire {
namespace {

using namespace std::string_view_literals;

bool valid_in_pieces(std::string_view text, std::size_t piece_bytes) {
  Utf8Validator validator;
  for (; !text.empty(); text.remove_prefix(std::min(piece_bytes, text.size()))) {
    if (!validator.feed(text.substr(0, piece_bytes))) return false;
  }
  return validator.complete();
}

TEST_CASE("well-formed text is accepted, whole and in pieces of any size") {
  for (std::string_view text :
       {""sv, "plain"sv, "\x00"sv, "\xc2\x80"sv, "\xdf\xbf"sv, "\xe0\xa0\x80"sv, "\xed\x9f\xbf"sv, "\xee\x80\x80"sv,
        "\xef\xbf\xbf"sv, "\xf0\x90\x80\x80"sv, "\xf4\x8f\xbf\xbf"sv, "κόσμε – grüß dich 🎭"sv}) {
    CAPTURE(text);
    CHECK(is_utf8(text));
    for (std::size_t piece : {1, 2, 3, 7}) CHECK(valid_in_pieces(text, piece));
  }
}

TEST_CASE("malformed text is refused, whole and in pieces of any size") {
  struct Row {
    std::string_view what, text;
  };
  constexpr Row rows[] = {
      {"a continuation alone", "\x80"},
      {"overlong slash", "\xc0\xaf"},
      {"overlong in three", "\xe0\x9f\xbf"},
      {"overlong in four", "\xf0\x8f\xbf\xbf"},
      {"a surrogate", "\xed\xa0\x80"},
      {"above U+10FFFF", "\xf4\x90\x80\x80"},
      {"a lead of five bytes", "\xf8\x88\x80\x80\x80"},
      {"0xff", "a\xff"},
      {"cut short", "\xe2\x82"},
      {"a lead after a lead", "\xe2\xe2\x82\xac"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    CHECK_FALSE(is_utf8(row.text));
    for (std::size_t piece : {1, 2, 3, 7}) CHECK_FALSE(valid_in_pieces(row.text, piece));
  }
}

TEST_CASE("a text is seen where something in it has a shape") {
  for (std::string_view text : {"a"sv, " a "sv, "\u200b."sv, "\u00b7"sv, "\u05d0\u200f"sv, "👨‍👩‍👧"sv,
                                "\u3164한"sv, "\ufffd"sv, "\U0001f3ad"sv, "\U000e1000"sv}) {
    CAPTURE(text);
    CHECK(has_visible_character(text));
  }
  for (std::string_view text : {""sv,
                                " "sv,
                                "\t\n"sv,
                                "\x00"sv,
                                "\u007f\u0085\u00a0\u00ad"sv,
                                "\u034f"sv,
                                "\u061c"sv,
                                "\u115f\u1160"sv,
                                "\u1680"sv,
                                "\u17b4"sv,
                                "\u180e"sv,
                                "\u2003\u200b\u200d\u200f"sv,
                                "\u2028\u202e\u202f"sv,
                                "\u2060\u2069\u206f"sv,
                                "\u2800"sv,
                                "\u3000"sv,
                                "\u3164\uffa0"sv,
                                "\ufe0f"sv,
                                "\ufeff"sv,
                                "\U0001d173"sv,
                                "\U000e0041\U000e0100"sv}) {
    CAPTURE(text);
    CHECK_FALSE(has_visible_character(text));
  }
}

TEST_CASE("a text is given up at the first byte that nothing could continue") {
  Utf8Validator validator;
  CHECK(validator.feed("\xf4"));
  CHECK_FALSE(validator.feed("\x90"));
}

TEST_CASE("long texts cut anywhere are judged as the whole") {
  CHECK(rc::check([] {
    std::string text;
    auto letters = rc::gen::elementOf(std::vector<std::string>{"a", "ß", "€", "🎭", "0123456789abcdef"});
    for (const auto& letter : *rc::gen::container<std::vector<std::string>>(letters)) text += letter;
    text.append(70, 'x');
    if (*rc::gen::arbitrary<bool>()) text.insert(*rc::gen::inRange<std::size_t>(0, text.size()), "\xbf");
    auto piece = *rc::gen::inRange<std::size_t>(1, 90);
    RC_ASSERT(valid_in_pieces(text, piece) == is_utf8(text));
  }));
}

TEST_CASE("plain UTF-8 has nothing that a terminal obeys, that ends a line or that turns the direction") {
  for (auto text : {"", "a b", "ä😀", "\u00a0", "\u2027", "\u202f", "\u2065", "\u206a", "שלום", "\u200d"})
    CHECK(is_plain_utf8(text));
  for (auto text : {"\n", "a\tb", "\x7f", "\x1b[2J", "\xff", "\xe2\x80"}) CHECK_FALSE(is_plain_utf8(text));
  for (auto text : {"a\u0080", "\u0085", "\u009b2J", "\u009f", "\u2028", "\u2029", "\u202aab", "\u202eKNAB", "\u2066",
                    "a\u2069b"}) {
    CAPTURE(text);
    CHECK_FALSE(is_plain_utf8(text));
  }
}

}  // namespace
}  // namespace troupe::wire
