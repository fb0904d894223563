// ReceiveBudget: the line of those who hold, and who has to go.
#include "troupe/web/receive_budget.h"

namespace troupe::web {

void ReceiveBudget::hold(Share& share, std::size_t bytes) {
  if (share.bytes_ == 0 && bytes > 0) share.place_ = line_.insert(line_.end(), &share);
  if (share.bytes_ > 0 && bytes == 0) line_.erase(share.place_);
  bytes_ += bytes - share.bytes_;
  share.bytes_ = bytes;
  while (bytes_ > bytes_max_) {
    Share& oldest = *line_.front();
    hold(oldest, 0);
    oldest.holder_.give_up_received();
  }
}

}  // namespace troupe::web
