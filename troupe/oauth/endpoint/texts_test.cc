// Texts: there is each of them in each language, with the same places for values.
#include "troupe/oauth/endpoint/texts.h"

#include <doctest/doctest.h>

#include <algorithm>

namespace troupe::oauth {
namespace {

std::ptrdiff_t places_in(std::string_view text) { return std::ranges::count(text, '{'); }

TEST_CASE("each text is there in both languages, with the same places, and is no markup") {
  for (std::size_t i = 0; i < text_count; ++i) {
    CAPTURE(i);
    const auto text = static_cast<Text>(i);
    const auto english = say(Language::english, text);
    const auto german = say(Language::german, text);
    CHECK_FALSE(english.empty());
    CHECK_NE(english, german);
    CHECK_EQ(places_in(english), places_in(german));
    CHECK_EQ(english.find_first_of("<>&\"'"), std::string_view::npos);
    CHECK_EQ(german.find_first_of("<>&\"'"), std::string_view::npos);
  }
}

TEST_CASE("values stand where the language wants them") {
  CHECK_EQ(say(Language::english, Text::sign_out_browser, "Firefox"), "Sign out Firefox");
  CHECK_EQ(say(Language::german, Text::sign_out_browser, "Firefox"), "Firefox abmelden");
}

TEST_CASE("what the client asks for comes before what the browser accepts, and English is for the rest") {
  const web::Request german{.headers = {{"Accept-Language", "de-DE,de;q=0.9,en;q=0.8"}}};
  CHECK_EQ(language_for(german), Language::german);
  CHECK_EQ(language_for(german, "fr en"), Language::english);
  CHECK_EQ(language_for(german, "fr"), Language::german);
  CHECK_EQ(language_for({}), Language::english);
  CHECK_EQ(language_for({}, "de"), Language::german);
}

}  // namespace
}  // namespace troupe::oauth
