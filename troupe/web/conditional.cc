// See conditional.h.
#include "troupe/web/conditional.h"

#include "troupe/wire/ascii.h"

namespace troupe::web {
namespace {

struct Tag {
  std::string_view text;  // with its quotes, without W/; "" where no tag is next
  bool is_weak = false;
};

/// Cuts the next tag off the list, and what stands around it.
Tag next_tag(std::string_view& list) noexcept {
  list = wire::trim(list);
  while (list.starts_with(',')) list = wire::trim(list.substr(1));
  const bool is_weak = list.starts_with("W/");
  if (is_weak) list.remove_prefix(2);
  if (!list.starts_with('"')) return {};
  const auto end = list.find('"', 1);  // a tag has no quote inside it
  if (end == std::string_view::npos) return {};
  const auto tag = list.substr(0, end + 1);
  list.remove_prefix(end + 1);
  return {tag, is_weak};
}

}  // namespace

bool is_known(const Request& request, std::string_view etag) noexcept {
  for (const auto& field : request.headers) {
    if (!wire::equal_ignoring_case(field.name, "if-none-match")) continue;
    std::string_view list = field.value;
    if (wire::trim(list) == "*") return true;
    for (auto tag = next_tag(list); !tag.text.empty(); tag = next_tag(list)) {
      if (tag.text == etag) return true;
    }
  }
  return false;
}

Seen seen(const Request& request, std::string_view etag) noexcept {
  Seen answer = Seen::unsaid;
  for (const auto& field : request.headers) {
    if (!wire::equal_ignoring_case(field.name, "if-match")) continue;
    answer = Seen::other;
    std::string_view list = field.value;
    if (wire::trim(list) == "*") return Seen::same;
    for (auto tag = next_tag(list); !tag.text.empty(); tag = next_tag(list)) {
      if (tag.text == etag && !tag.is_weak) return Seen::same;
    }
  }
  return answer;
}

}  // namespace troupe::web
