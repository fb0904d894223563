// See conditional.h.
#include "troupe/web/conditional.h"

#include "troupe/wire/ascii.h"

namespace troupe::web {
namespace {

/// Cuts the next tag off the list, without W/ and what stands around it; "" where no tag is next.
std::string_view next_tag(std::string_view& list) noexcept {
  list = wire::trim(list);
  while (list.starts_with(',')) list = wire::trim(list.substr(1));
  if (list.starts_with("W/")) list.remove_prefix(2);
  if (!list.starts_with('"')) return {};
  const auto end = list.find('"', 1);  // a tag has no quote inside it
  if (end == std::string_view::npos) return {};
  const auto tag = list.substr(0, end + 1);
  list.remove_prefix(end + 1);
  return tag;
}

}  // namespace

bool is_known(const Request& request, std::string_view etag) noexcept {
  for (const auto& field : request.headers) {
    if (!wire::equal_ignoring_case(field.name, "if-none-match")) continue;
    std::string_view list = field.value;
    if (wire::trim(list) == "*") return true;
    for (auto tag = next_tag(list); !tag.empty(); tag = next_tag(list)) {
      if (tag == etag) return true;
    }
  }
  return false;
}

}  // namespace troupe::web
