// See language.h.
#include "troupe/oauth/model/language.h"

#include <array>
#include <utility>

#include "troupe/wire/ascii.h"

namespace troupe::oauth {
namespace {

constexpr std::array tags = {std::pair{Language::english, std::string_view{"en"}},
                             std::pair{Language::german, std::string_view{"de"}}};

/// The language of a tag such as "de-AT"; where it is spoken makes no difference to us.
std::optional<Language> language_of_tag(std::string_view tag) {
  const std::string_view primary = tag.substr(0, tag.find('-'));
  for (const auto& [language, name] : tags)
    if (wire::equal_ignoring_case(primary, name)) return language;
  return std::nullopt;
}

/// The weight in thousandths of what follows a tag, as in ";q=0.8": 1000 where nothing does.
int weight_of(std::string_view parameters) {
  parameters = wire::trim(parameters);
  if (parameters.empty()) return 1000;
  if (!parameters.starts_with("q=") && !parameters.starts_with("Q=")) return 0;
  std::string_view digits = wire::trim(parameters.substr(2));
  if (digits.empty() || (digits[0] != '0' && digits[0] != '1')) return 0;
  int weight = (digits[0] - '0') * 1000;
  if (digits.size() > 1 && digits[1] != '.') return 0;
  int place = 100;
  for (const char digit : digits.substr(std::min<std::size_t>(2, digits.size()))) {
    if (digit < '0' || digit > '9') return 0;
    weight += (digit - '0') * place;
    place /= 10;
  }
  return std::min(weight, 1000);
}

}  // namespace

std::string_view tag_of(Language language) noexcept { return tags[static_cast<std::size_t>(language)].second; }

std::optional<Language> language_of_locales(std::string_view ui_locales) {
  while (!ui_locales.empty()) {
    const auto end = std::min(ui_locales.find(' '), ui_locales.size());
    if (const auto language = language_of_tag(ui_locales.substr(0, end))) return language;
    ui_locales.remove_prefix(std::min(end + 1, ui_locales.size()));
  }
  return std::nullopt;
}

std::optional<Language> language_accepted(std::string_view header) {
  std::optional<Language> best;
  int best_weight = 0;
  while (!header.empty()) {
    const auto end = std::min(header.find(','), header.size());
    const std::string_view entry = header.substr(0, end);
    header.remove_prefix(std::min(end + 1, header.size()));
    const auto semicolon = std::min(entry.find(';'), entry.size());
    const auto language = language_of_tag(wire::trim(entry.substr(0, semicolon)));
    const int weight = weight_of(entry.substr(std::min(semicolon + 1, entry.size())));
    if (!language || weight <= best_weight) continue;
    best = language;
    best_weight = weight;
  }
  return best;
}

}  // namespace troupe::oauth
