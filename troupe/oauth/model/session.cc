// See session.h.
#include "troupe/oauth/model/session.h"

#include <array>

namespace troupe::oauth {
namespace {

constexpr std::size_t user_agent_bytes_max = 200;

struct Known {
  std::string_view mark;
  std::string_view name;
};

// In this order: later ones are claimed by earlier ones too, for the sake of old pages.
constexpr std::array browsers = {
    Known{"Edg/", "Edge"},          Known{"EdgA/", "Edge"},     Known{"OPR/", "Opera"},
    Known{"Firefox/", "Firefox"},   Known{"FxiOS/", "Firefox"}, Known{"CriOS/", "Chrome"},
    Known{"Chromium/", "Chromium"}, Known{"Chrome/", "Chrome"}, Known{"Safari/", "Safari"}};
constexpr std::array systems = {Known{"Android", "Android"}, Known{"iPhone", "iPhone"}, Known{"iPad", "iPad"},
                                Known{"Windows", "Windows"}, Known{"CrOS", "ChromeOS"}, Known{"Mac OS X", "macOS"},
                                Known{"Linux", "Linux"}};

template <class Table>
std::string_view name_in(const Table& table, std::string_view text) {
  for (const Known& known : table)
    if (text.contains(known.mark)) return known.name;
  return {};
}

}  // namespace

std::string shown_user_agent(std::string_view header) {
  std::string shown{header.substr(0, user_agent_bytes_max)};
  for (char& c : shown)
    if (c < ' ' || c > '~') c = '?';
  return shown;
}

std::string browser_name(std::string_view user_agent) {
  const std::string_view browser = name_in(browsers, user_agent);
  const std::string_view system = name_in(systems, user_agent);
  if (browser.empty()) return {};
  if (system.empty()) return std::string{browser};
  return std::string{browser} + " on " + std::string{system};
}

}  // namespace troupe::oauth
