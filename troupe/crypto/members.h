// The members of one flat JSON object, as JWK and JOSE headers are: names and string values.
// Internal to crypto/.
//
// A name that stands twice refuses the whole text: two readers of it could disagree about
// which value counts (RFC 7515, section 4).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace troupe::crypto {

/// Values that are no strings are kept as std::nullopt: present, but not of the kind that is read here.
using Members = std::map<std::string, std::optional<std::string>, std::less<>>;

/// The members of the JSON object `text`; nothing when it is no JSON object, is not UTF-8, or repeats a name.
std::optional<Members> members_of(std::string_view text);

/// The string value of `name`, or nothing when it is absent or of another type.
std::optional<std::string_view> string_in(const Members& members, std::string_view name);

}  // namespace troupe::crypto
