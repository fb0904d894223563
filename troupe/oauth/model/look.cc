// See look.h.
#include "troupe/oauth/model/look.h"

#include <fmt/format.h>

#include "troupe/crypto/digest.h"
#include "troupe/wire/utf8.h"

namespace troupe::oauth {
namespace {

constexpr double text_least = 4.5;
constexpr double border_least = 3;

/// Two colours that meet, and what is seen by their difference.
struct Meeting {
  std::string_view colour;
  Colour Palette::* front;
  Colour Palette::* back;
  double least;
  std::string_view what;
};

constexpr Meeting meetings[] = {
    {"ink", &Palette::ink, &Palette::paper, text_least, "text"},
    {"ground", &Palette::ink, &Palette::ground, text_least, "text in fields"},
    {"accent", &Palette::accent, &Palette::paper, text_least, "links"},
    {"paper", &Palette::faint, &Palette::paper, text_least, "small print"},
    {"paper", &Palette::alarm, &Palette::paper, text_least, "what went wrong"},
    {"paper", &Palette::line, &Palette::paper, border_least, "the borders of fields"},
};

void find_faults(const Palette& palette, LookFault::Scheme scheme, std::vector<LookFault>& faults) {
  for (const Meeting& meeting : meetings) {
    const Colour& front = palette.*meeting.front;
    const Colour& back = palette.*meeting.back;
    const double ratio = contrast(front, back);
    if (ratio >= meeting.least) continue;
    faults.push_back({scheme, meeting.colour,
                      fmt::format("gives {} ({} on {}) a contrast of {:.2f}:1; people need {}:1 (WCAG 2.2)",
                                  meeting.what, front.text(), back.text(), ratio, meeting.least)});
  }
}

bool is_svg(std::string_view bytes) noexcept {
  if (bytes.starts_with("\xef\xbb\xbf")) bytes.remove_prefix(3);
  const auto first = bytes.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && bytes[first] == '<' && bytes.contains("<svg") && wire::is_utf8(bytes);
}

}  // namespace

Colour ink_on(const Colour& accent) noexcept {
  constexpr Colour white{0xff, 0xff, 0xff}, black{};
  return contrast(white, accent) >= text_least ? white : black;
}

std::optional<Logo> logo_of_bytes(std::string bytes) {
  if (bytes.size() > logo_bytes_max) return std::nullopt;
  std::string_view type, ending;
  if (bytes.starts_with("\x89PNG\r\n\x1a\n")) {
    type = "image/png", ending = "png";
  } else if (bytes.starts_with("\xff\xd8\xff")) {
    type = "image/jpeg", ending = "jpg";
  } else if (is_svg(bytes)) {
    type = "image/svg+xml", ending = "svg";
  } else {
    return std::nullopt;
  }
  const std::string hash = crypto::hex(crypto::sha256(bytes).view().substr(0, 12));
  return Logo{std::string{type}, fmt::format("{}.{}", hash, ending), base::Bytes{bytes}};
}

std::vector<LookFault> faults_of(const Look& look) {
  std::vector<LookFault> faults;
  find_faults(look.light, LookFault::Scheme::light, faults);
  find_faults(look.dark, LookFault::Scheme::dark, faults);
  return faults;
}

}  // namespace troupe::oauth
