// See message.h.
#include "troupe/attack/http/message.h"

#include "troupe/wire/ascii.h"

namespace troupe::attack {

std::string Answer::field(std::string_view name) const {
  for (const Field& one : fields) {
    if (wire::equal_ignoring_case(one.name, name)) return one.value;
  }
  return {};
}

std::vector<std::string> Answer::all(std::string_view name) const {
  std::vector<std::string> values;
  for (const Field& one : fields) {
    if (wire::equal_ignoring_case(one.name, name)) values.push_back(one.value);
  }
  return values;
}

}  // namespace troupe::attack
