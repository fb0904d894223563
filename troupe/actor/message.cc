// See message.h.
#include "troupe/actor/message.h"

#include <fmt/format.h>

namespace troupe::actor {

std::string detail::text_of_failure(const Handler* asked, std::string_view what) {
  if (asked == nullptr) return std::string{what};
  if (asked->actor == nullptr) return fmt::format("asking for {}: {}", asked->message, what);
  return fmt::format("asking {} for {}: {}", asked->actor().name, asked->message, what);
}

}  // namespace troupe::actor
