// See journal.h.
#include "troupe/actor/persist/journal.h"

#include <fmt/format.h>

namespace troupe::actor {

std::optional<Refusal> refusal_of(const std::vector<Record>& events) {
  if (events.empty()) return Refusal{Refused::rejected, "there is nothing to append"};
  for (const Record& event : events) {
    if (event.bytes.size() > event_bytes_max) {
      return Refusal{Refused::rejected, fmt::format("an event {} of {} bytes; {} are the most", event.name,
                                                    event.bytes.size(), event_bytes_max)};
    }
  }
  return std::nullopt;
}

std::optional<Refusal> refusal_of(const Record& state) {
  if (state.bytes.size() <= state_bytes_max) return std::nullopt;
  return Refusal{Refused::rejected, fmt::format("a state {} of {} bytes; {} are the most", state.name,
                                                state.bytes.size(), state_bytes_max)};
}

std::optional<Refusal> refusal_of(Head claimed, const std::optional<Head>& actual) {
  if (!actual) return Refusal{Refused::rejected, "nobody has activated this entity"};
  if (claimed.epoch != actual->epoch) {
    return Refusal{Refused::fenced,
                   fmt::format("the writer's epoch is {}, the entity's {}", claimed.epoch, actual->epoch)};
  }
  if (claimed.sequence != actual->sequence) {
    return Refusal{Refused::conflict,
                   fmt::format("the writer is at event {}, the entity at {}", claimed.sequence, actual->sequence)};
  }
  return std::nullopt;
}

}  // namespace troupe::actor
