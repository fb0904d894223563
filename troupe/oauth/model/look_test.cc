// The look of the pages: ours is read well, a bad one is named, and only images are logos.
#include "troupe/oauth/model/look.h"

#include <doctest/doctest.h>

namespace troupe::oauth {
namespace {

using namespace std::string_literals;

TEST_CASE("our own colours are told apart well, in light and in dark") {
  for (const LookFault& fault : faults_of({})) FAIL_CHECK(fault.colour << " " << fault.complaint);
  for (const Palette& palette : {light_palette, dark_palette}) {
    CHECK(contrast(ink_on(palette.accent), palette.accent) >= 4.5);
    CHECK(contrast(palette.accent, palette.ground) >= 3);  // the ring around what has the focus, within a field
  }
}

TEST_CASE("a colour that makes text hard to read is named with what it does") {
  struct Row {
    const char* wrong;
    Colour Palette::* member;
    Colour value;
    std::string_view blamed;
    std::string_view told;
  };
  const Row rows[] = {
      {"grey ink", &Palette::ink, {0x99, 0x99, 0x99}, "ink", "text (#999999 on #ffffff) a contrast of 2.85:1"},
      {"a yellow accent", &Palette::accent, {0xff, 0xe0, 0x00}, "accent", "links (#ffe000 on #ffffff)"},
      {"a dark ground", &Palette::ground, {0x33, 0x33, 0x33}, "ground", "text in fields (#1d1f23 on #333333)"},
      {"a grey paper", &Palette::paper, {0xb0, 0xb0, 0xb0}, "paper", "small print (#5c626d on #b0b0b0)"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.wrong);
    Look look;
    look.light.*row.member = row.value;
    const auto faults = faults_of(look);
    const auto fault = std::ranges::find(faults, row.blamed, &LookFault::colour);
    REQUIRE(fault != faults.end());
    CHECK(fault->complaint.contains(row.told));
    for (const LookFault& each : faults) CHECK(each.scheme == LookFault::Scheme::light);
  }
}

TEST_CASE("what is written on a button can be read, whatever colour it has") {
  for (int red = 0; red < 256; red += 15)
    for (int green = 0; green < 256; green += 15)
      for (int blue = 0; blue < 256; blue += 15) {
        const Colour accent{static_cast<std::uint8_t>(red), static_cast<std::uint8_t>(green),
                            static_cast<std::uint8_t>(blue)};
        if (contrast(ink_on(accent), accent) < 4.5) FAIL_CHECK(accent.text());
      }
}

TEST_CASE("a logo is an image by what its bytes begin with, and is named after them") {
  struct Row {
    const char* what;
    std::string bytes;
    const char* type;  // "": none
  };
  const Row rows[] = {
      {"a PNG", "\x89PNG\r\n\x1a\n..."s, "image/png"},
      {"a JPEG", "\xff\xd8\xff\xe0..."s, "image/jpeg"},
      {"an SVG", "<svg xmlns='http://www.w3.org/2000/svg'/>"s, "image/svg+xml"},
      {"an SVG behind a declaration", "\xef\xbb\xbf <?xml version='1.0'?>\n<!-- c --><svg/>"s, "image/svg+xml"},
      {"nothing", ""s, ""},
      {"a page", "<!doctype html><p>"s, ""},
      {"text that names one", "see <svg>"s, ""},
      {"an SVG that is no UTF-8", "<svg>\xff</svg>"s, ""},
      {"a GIF", "GIF89a..."s, ""},
      {"too much", "\x89PNG\r\n\x1a\n"s + std::string(logo_bytes_max, 'x'), ""},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    const auto logo = logo_of_bytes(row.bytes);
    CHECK_EQ(logo ? logo->type : "", row.type);
  }
  const auto one = logo_of_bytes("<svg>1</svg>"), other = logo_of_bytes("<svg>2</svg>");
  CHECK_NE(one->name, other->name);
  CHECK_EQ(one->name, logo_of_bytes("<svg>1</svg>")->name);
  CHECK(one->name.ends_with(".svg"));
}

}  // namespace
}  // namespace troupe::oauth
