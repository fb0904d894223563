// Inbox: messages leave at the front, by being received or by being lost.
#include "troupe/realtime/topic/inbox.h"

#include <algorithm>

#include "troupe/base/check.h"

namespace troupe::realtime {

void Inbox::append(base::Instant now, UserId sender, base::Bytes frame) {
  INVARIANT(top_.offset < offset_max, "an inbox has at most 2^53-1 offsets");
  ++top_.offset;
  bytes_ += frame.size();
  ledger_->enter(sender, frame.size());
  waiting_.push_back({top_.offset, now, std::move(sender), std::move(frame)});
  while (waiting_.size() > limits_.count_max || bytes_ > limits_.bytes_max) lose_oldest(now);
  expire(now);
}

void Inbox::received(Offset offset) {
  while (!waiting_.empty() && waiting_.front().offset <= offset) take_oldest();
  if (lost_ && lost_->to <= offset) lost_.reset();
}

void Inbox::expire(base::Instant now) {
  while (!waiting_.empty() && waiting_.front().kept_since + limits_.age_max <= now) lose_oldest(now);
  if (lost_ && lost_at_ + limits_.age_max <= now) lost_.reset();
}

base::Instant Inbox::next_expiry() const noexcept {
  auto next = base::Instant::never();
  if (!waiting_.empty()) next = waiting_.front().kept_since + limits_.age_max;
  if (lost_) next = std::min(next, lost_at_ + limits_.age_max);
  return next;
}

KeptDirect Inbox::take_oldest() {
  auto gone = waiting_.pop_front();
  bytes_ -= gone.frame.size();
  ledger_->take_out(gone.sender, gone.frame.size());
  return gone;
}

void Inbox::lose_oldest(base::Instant now) {
  auto gone = take_oldest();
  // Messages are lost from the front only, so a range always grows at its end; what lies between was received.
  if (!lost_) lost_ = LostRange{gone.offset, gone.offset};
  lost_->to = gone.offset;
  lost_at_ = now;
}

}  // namespace troupe::realtime
