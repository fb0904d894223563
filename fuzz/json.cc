// Fuzzes JSON: what is read is written and read again to the same value, within its limits.
#include "troupe/wire/json.h"

#include "fuzz/property.h"

namespace {

std::size_t depth_of(const troupe::wire::Json& json) {
  std::size_t deepest = 0;
  if (const auto* items = json.array()) {
    for (const auto& item : *items) deepest = std::max(deepest, depth_of(item));
    return deepest + 1;
  }
  if (const auto* members = json.object()) {
    for (const auto& member : *members) deepest = std::max(deepest, depth_of(member.value));
    return deepest + 1;
  }
  return 0;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr troupe::wire::JsonLimits limits{.bytes_max = 4096, .depth_max = 8};
  auto json = troupe::wire::parse_json(troupe::fuzz::as_text(data, size), limits);
  if (!json) return 0;
  INVARIANT(depth_of(*json) <= limits.depth_max, "a document over its depth came through");
  auto again = troupe::wire::parse_json(troupe::wire::write_json(*json));
  INVARIANT(again && *again == *json, "a document does not survive being written and read");
  return 0;
}
