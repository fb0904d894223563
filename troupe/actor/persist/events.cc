// See events.h.
#include "troupe/actor/persist/events.h"

#include <fmt/format.h>

namespace troupe::actor {

UnreadableRecord::UnreadableRecord(const Record& record, std::string_view why)
    : std::runtime_error(fmt::format("{} version {} cannot be read: {}", record.name, record.version, why)) {}

}  // namespace troupe::actor
