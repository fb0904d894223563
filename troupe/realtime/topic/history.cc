// History: arithmetic on offsets over a queue whose last element is the top.
#include "troupe/realtime/topic/history.h"

#include <algorithm>

#include "troupe/base/check.h"
#include "troupe/base/prefetch.h"

namespace troupe::realtime {

void History::restart(Epoch epoch, Offset offset) {
  while (!kept_.empty()) drop_oldest();
  top_ = {std::move(epoch), offset};
}

void History::append(std::uint64_t seq, base::UnixTime sent_at, base::Instant now, EncodedMessage message,
                     TargetScope target) {
  INVARIANT(!is_full(), "an epoch has at most 2^53-1 offsets");
  const auto bytes = message.frame.size();
  kept_.push_back({top_.offset + 1, seq, sent_at, now, std::move(message), std::move(target)});
  ++top_.offset;  // what there is no memory for has none
  last_seq_ = std::max(last_seq_, seq);
  bytes_ += bytes;
  keep_within_limits(now);
}

void History::use(HistoryLimits limits, base::Instant now) {
  limits_ = limits;
  keep_within_limits(now);
}

void History::keep_within_limits(base::Instant now) {
  while (kept_.size() > limits_.count_max || bytes_ > limits_.bytes_max) drop_oldest();
  expire(now);
}

base::Instant History::expires_at() const noexcept {
  return kept_.empty() ? base::Instant::never() : kept_.front().kept_since + limits_.age_max;
}

void History::expire(base::Instant now) {
  while (!kept_.empty() && kept_.front().kept_since + limits_.age_max <= now) drop_oldest();
}

void History::drop_oldest() {
  bytes_ -= kept_.front().message.frame.size();
  dropped_seq_ = std::max(dropped_seq_, kept_.front().seq);
  kept_.pop_front();
  // The next one to go, which nothing has touched since it came, is near when its time comes.
  if (!kept_.empty()) base::prefetch(kept_.front().message.frame.data(), 1);
}

HistoryPage History::newest(std::size_t limit) const {
  auto count = std::min<Offset>(limit, kept_.size());
  return {range(top_.offset + 1 - count, top_.offset), count == limit || count == top_.offset, top_.epoch};
}

HistoryPage History::since(const Position& position, std::size_t limit) const {
  bool known = position.epoch == top_.epoch && position.offset <= top_.offset;
  auto wanted = known ? position.offset + 1 : oldest();
  auto first = std::max(wanted, oldest());
  auto count = std::min<Offset>(limit, top_.offset + 1 - first);
  return {range(first, first + count - 1), known && first == wanted, top_.epoch};
}

HistoryPage History::before(const Position& position, std::size_t limit) const {
  if (position.epoch != top_.epoch || position.offset > top_.offset + 1 || position.offset == 0) {
    return {{}, false, top_.epoch};
  }
  auto last = position.offset - 1;
  if (last + 1 <= oldest()) return {{}, last == 0, top_.epoch};
  auto count = std::min<Offset>(limit, last + 1 - oldest());
  return {range(last + 1 - count, last), count == limit || count == last, top_.epoch};
}

std::optional<std::vector<KeptMessage>> History::recover(const Position& position) const {
  if (position.epoch != top_.epoch || position.offset > top_.offset) return std::nullopt;
  if (position.offset + 1 < oldest()) return std::nullopt;
  return range(position.offset + 1, top_.offset);
}

std::vector<KeptMessage> History::after_seq(std::uint64_t seq) const {
  return {std::ranges::upper_bound(kept_.begin(), kept_.end(), seq, {}, &KeptMessage::seq), kept_.end()};
}

std::vector<KeptMessage> History::range(Offset first, Offset last) const {
  auto begin = kept_.begin() + static_cast<std::ptrdiff_t>(first - oldest());
  return {begin, begin + static_cast<std::ptrdiff_t>(last + 1 - first)};
}

}  // namespace troupe::realtime
