// See turn_writers.h.
#include "troupe/realtime/connection/turn_writers.h"

#include "troupe/realtime/connection/connection.h"

namespace troupe::realtime {

// Who gets something meanwhile writes it at the end of the next turn; who ends meanwhile leaves a hole.
void TurnWriters::on_turn_end() {
  writing_.swap(waiting_);
  for (std::size_t i = 0; i < writing_.size(); ++i) {
    prefetch_behind(i);
    if (Connection* connection = std::exchange(writing_[i], nullptr)) connection->write_turn(joined_);
  }
  writing_.clear();
  joined_.forget();
}

// The kernel's work for one drives what the next need out of the near caches: of a thousand nothing would be there.
void TurnWriters::prefetch_behind(std::size_t place) const noexcept {
  const auto waits = [&](std::size_t ahead) {
    return place + ahead < writing_.size() ? writing_[place + ahead] : nullptr;
  };
  if (const Connection* third = waits(3)) third->prefetch_write();
  if (const Connection* second = waits(2)) second->prefetch_queue();
  if (const Connection* first = waits(1)) first->prefetch_socket();
}

// It stands in one of the two: in the other its place is another's, or a hole.
void TurnWriters::remove(const Connection& connection, std::uint32_t place) noexcept {
  for (auto* list : {&waiting_, &writing_})
    if (place < list->size() && (*list)[place] == &connection) (*list)[place] = nullptr;
}

}  // namespace troupe::realtime
