// See turn_writers.h.
#include "troupe/realtime/connection/turn_writers.h"

#include <algorithm>

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

void TurnWriters::remove(const Connection& connection) noexcept {
  std::ranges::replace(waiting_, &connection, nullptr);
  std::ranges::replace(writing_, &connection, nullptr);
}

}  // namespace troupe::realtime
