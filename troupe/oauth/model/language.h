// Language: in which language our pages speak to a person, and how they are asked for it.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace troupe::oauth {

enum class Language : std::uint8_t { english, german };

/// Its tag (BCP 47), as HTML wants it: "en".
std::string_view tag_of(Language language) noexcept;

/// The first language that we speak of those in `ui_locales`: tags parted by spaces, the best first (OpenID Connect
/// Core, section 3.1.2.1).
std::optional<Language> language_of_locales(std::string_view ui_locales);

/// The language that we speak with the highest weight in an Accept-Language header (RFC 9110, section 12.5.4); of
/// equal ones the first. What cannot be read has no weight.
std::optional<Language> language_accepted(std::string_view header);

}  // namespace troupe::oauth
