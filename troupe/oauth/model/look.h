// Look: the colours and the logo of the pages that people see. An operator may change them; what
// cannot be read well is refused when the configuration is loaded.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "troupe/base/bytes.h"
#include "troupe/oauth/model/colour.h"

namespace troupe::oauth {

/// The colours of one scheme. Those from `faint` on are ours alone.
struct Palette {
  Colour ground;  // around the sheet, and within fields
  Colour paper;   // the sheet that all text stands on
  Colour ink;
  Colour accent;  // buttons, links, what has the focus
  Colour faint;   // what matters less
  Colour line;    // around fields and between items
  Colour alarm;   // what went wrong
};

inline constexpr Palette light_palette{.ground = {0xf4, 0xf4, 0xf1},
                                       .paper = {0xff, 0xff, 0xff},
                                       .ink = {0x1d, 0x1f, 0x23},
                                       .accent = {0x1f, 0x4f, 0xbf},
                                       .faint = {0x5c, 0x62, 0x6d},
                                       .line = {0x8a, 0x90, 0x9b},
                                       .alarm = {0x9c, 0x1c, 0x1c}};
inline constexpr Palette dark_palette{.ground = {0x16, 0x18, 0x1c},
                                      .paper = {0x20, 0x23, 0x2a},
                                      .ink = {0xec, 0xee, 0xf2},
                                      .accent = {0x8f, 0xb2, 0xff},
                                      .faint = {0xa9, 0xb0, 0xbd},
                                      .line = {0x6f, 0x77, 0x86},
                                      .alarm = {0xff, 0x9c, 0x9c}};

/// The colour of what is written on a button: black or white, whichever is read better there. One of them always has
/// the contrast of text.
Colour ink_on(const Colour& accent) noexcept;

/// An image that we serve ourselves.
struct Logo {
  std::string type;  // such as "image/png"
  std::string name;  // a hash of its bytes and its ending: a path of it never changes its meaning
  base::Bytes bytes;
};

inline constexpr std::size_t logo_bytes_max = 256 * 1024;  // people wait for it before they sign in
inline constexpr std::size_t logo_text_bytes_max = 200;

/// The image in these bytes, if they are a PNG, JPEG or SVG one by what they begin with; nothing else is served.
std::optional<Logo> logo_of_bytes(std::string bytes);

struct Look {
  Palette light = light_palette;
  Palette dark = dark_palette;
  std::shared_ptr<const Logo> logo{};  // null: none
  std::string logo_text;               // what it says, for those who do not see it
};

/// Two colours that are told apart too badly, and where that is.
struct LookFault {
  enum class Scheme : std::uint8_t { light, dark };
  Scheme scheme;
  std::string_view colour;  // "ink": the one that an operator may change
  std::string complaint;
};

/// What in these colours is hard to read: text below 4.5:1, the border of fields below 3:1 (WCAG 2.2, 1.4.3 and
/// 1.4.11).
std::vector<LookFault> faults_of(const Look& look);

}  // namespace troupe::oauth
