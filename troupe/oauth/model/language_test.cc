// Languages: what a person or a client asks for, and what they get of the two that we speak.
#include "troupe/oauth/model/language.h"

#include <doctest/doctest.h>

namespace troupe::oauth {
namespace {

TEST_CASE("the first of the wanted locales that we speak is taken") {
  CHECK_EQ(language_of_locales("fr-CA de en"), Language::german);
  CHECK_EQ(language_of_locales("EN-gb de"), Language::english);
  CHECK_EQ(language_of_locales("de-AT"), Language::german);
  for (const char* none : {"", " ", "fr", "english", "d", "-", "  -- "}) CHECK_FALSE(language_of_locales(none));
}

TEST_CASE("of the languages that a browser accepts the one with the highest weight is taken") {
  struct Row {
    const char* header;
    std::optional<Language> language;
  };
  const Row rows[] = {
      {"de", Language::german},
      {"de-DE,de;q=0.9,en;q=0.8", Language::german},
      {"en-US, en;q=0.5, de;q=0.4", Language::english},
      {"en;q=0.3, de;q=0.7", Language::german},
      {"en;q=0.5,de;q=0.5", Language::english},
      {"fr, de;q=0.1", Language::german},
      {"de;q=0, en", Language::english},
      {"de;q=0", std::nullopt},
      {"de;q=x, en;q=0.001", Language::english},
      {"de;level=1", std::nullopt},
      {"de;q=1.0000000000000000000000", Language::german},
      {"*", std::nullopt},
      {"", std::nullopt},
      {",,;;q=,-", std::nullopt},
  };
  for (const Row& row : rows) {
    CAPTURE(row.header);
    CHECK_EQ(language_accepted(row.header), row.language);
  }
}

TEST_CASE("a language has the tag that HTML wants") {
  CHECK_EQ(tag_of(Language::english), "en");
  CHECK_EQ(tag_of(Language::german), "de");
}

}  // namespace
}  // namespace troupe::oauth
