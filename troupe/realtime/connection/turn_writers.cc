// See turn_writers.h.
#include "troupe/realtime/connection/turn_writers.h"

#include "troupe/realtime/connection/connection.h"

namespace troupe::realtime {

// Who gets something meanwhile writes it at the end of the next turn; who ends meanwhile leaves a hole.
void TurnWriters::on_turn_end() {
  writing_.swap(waiting_);
  for (std::size_t i = 0; i < writing_.size(); ++i) {
    if (Connection* connection = std::exchange(writing_[i], nullptr)) connection->write_turn(joined_);
  }
  writing_.clear();
  joined_.forget();
}

// It stands in one of the two: in the other its place is another's, or a hole.
void TurnWriters::remove(const Connection& connection, std::uint32_t place) noexcept {
  for (auto* list : {&waiting_, &writing_})
    if (place < list->size() && (*list)[place] == &connection) (*list)[place] = nullptr;
}

}  // namespace troupe::realtime
