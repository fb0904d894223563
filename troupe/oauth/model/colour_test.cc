// Colours are read strictly, and their contrast is that of the standard.
#include "troupe/oauth/model/colour.h"

#include <doctest/doctest.h>

namespace troupe::oauth {
namespace {

TEST_CASE("a colour is six digits behind a #, and nothing else") {
  CHECK_EQ(Colour::parse("#1F4fbf").value().text(), "#1f4fbf");
  CHECK(Colour::parse("#000000") == Colour{0, 0, 0});
  for (const auto* text : {"", "#", "#fff", "1f4fbf", "#1f4fb", "#1f4fbf0", "#1f4fbg", "#-1-1-1", "# 1 1 1", "#+1+1+1",
                           "red", "#0x0x0x", "#1f4f;}"}) {
    CAPTURE(text);
    CHECK_FALSE(Colour::parse(text).has_value());
  }
}

TEST_CASE("contrast is that of WCAG 2.2, whichever colour is named first") {
  struct Row {
    const char* one;
    const char* other;
    double ratio;
  };
  // The values are those that the published checkers of contrast give.
  constexpr Row rows[] = {
      {"#000000", "#ffffff", 21.0}, {"#777777", "#ffffff", 4.48}, {"#767676", "#ffffff", 4.54},
      {"#ff0000", "#ffffff", 4.00}, {"#0000ff", "#ffffff", 8.59}, {"#123456", "#123456", 1.0},
      {"#1f4fbf", "#ffffff", 7.17},
  };
  for (const Row& row : rows) {
    CAPTURE(row.one);
    const auto one = Colour::parse(row.one).value(), other = Colour::parse(row.other).value();
    CHECK(contrast(one, other) == doctest::Approx(row.ratio).epsilon(0.002));
    CHECK_EQ(contrast(one, other), contrast(other, one));
  }
}

}  // namespace
}  // namespace troupe::oauth
