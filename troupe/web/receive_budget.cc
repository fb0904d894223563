// ReceiveBudget: the line of those who hold, and who has to go.
#include "troupe/web/receive_budget.h"

namespace troupe::web {

void ReceiveBudget::Share::hold_some(Holder& holder, std::size_t bytes) {
  if (held_ == nullptr) held_ = std::make_unique<Held>(holder);
  budget_->hold(*held_, bytes);
  // Null by now where it had to go itself: it has said that it holds none.
  if (held_ != nullptr && held_->bytes == 0) held_.reset();
}

void ReceiveBudget::hold(Held& held, std::size_t bytes) {
  if (held.bytes == 0 && bytes > 0) held.place = line_.insert(line_.end(), &held);
  if (held.bytes > 0 && bytes == 0) line_.erase(held.place);
  bytes_ += bytes - held.bytes;
  held.bytes = bytes;
  while (bytes_ > bytes_max_) {
    Held& oldest = *line_.front();
    hold(oldest, 0);
    oldest.holder.give_up_received();
  }
}

}  // namespace troupe::web
