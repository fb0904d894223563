// See members.h.
#include "troupe/crypto/members.h"

#include <simdjson.h>

namespace troupe::crypto {

std::optional<Members> members_of(std::string_view text) {
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  if (parser.parse(text.data(), text.size()).get(object) != simdjson::SUCCESS) return std::nullopt;

  Members members;
  for (const auto& [name, value] : object) {
    std::string_view content;
    std::optional<std::string> kept;
    if (value.get(content) == simdjson::SUCCESS) kept = std::string{content};
    if (!members.emplace(name, std::move(kept)).second) return std::nullopt;
  }
  return members;
}

std::optional<std::string_view> string_in(const Members& members, std::string_view name) {
  const auto found = members.find(name);
  if (found == members.end() || !found->second) return std::nullopt;
  return *found->second;
}

}  // namespace troupe::crypto
