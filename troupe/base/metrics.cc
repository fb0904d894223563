// Counting, and the shards that make it free of sharing. What is shown is in metrics_scrape.cc.
//
// A shard belongs to one thread at a time; the mutex of the free list orders the last
// store of the thread that leaves before the first one of the thread that takes over.
#include "troupe/base/metrics.h"

#include <mutex>

#include "troupe/base/check.h"

namespace troupe::base {
namespace {

struct Shards {
  std::mutex mutex;
  bool taken[MetricsShard::shards_max] = {true};  // 0 is everybody's
};

Shards& shards() {
  static Shards it;
  return it;
}

}  // namespace

thread_local constinit std::size_t MetricsShard::current_ = 0;

MetricsShard::MetricsShard() {
  INVARIANT(current_ == 0, "a thread holds one shard at most");
  Shards& all = shards();
  const std::lock_guard lock{all.mutex};
  const auto* free = std::ranges::find(all.taken, false);
  if (free == std::end(all.taken)) return;
  current_ = static_cast<std::size_t>(free - all.taken);
  all.taken[current_] = true;
}

MetricsShard::~MetricsShard() {
  if (current_ == 0) return;
  Shards& all = shards();
  const std::lock_guard lock{all.mutex};
  all.taken[current_] = false;
  current_ = 0;
}

std::int64_t Counter::value() const noexcept {
  std::int64_t total = 0;
  for (const detail::Cell& cell : cells_) total += cell.value.load(std::memory_order_relaxed);
  return total;
}

Histogram::Histogram(std::vector<double> bounds)
    : bounds_(std::move(bounds)),
      lines_(bounds_.size() / std::size(Line{}.cells) + 1),
      counts_(std::make_unique<Line[]>(lines_ * MetricsShard::shards_max)),
      sums_(std::make_unique<Sum[]>(MetricsShard::shards_max)) {
  INVARIANT(std::ranges::is_sorted(bounds_), "the bounds of a histogram rise");
}

std::atomic<std::int64_t>& Histogram::bucket(std::size_t shard, std::size_t index) const noexcept {
  constexpr std::size_t width = std::size(Line{}.cells);
  return counts_[shard * lines_ + index / width].cells[index % width];
}

void Histogram::observe(double value) noexcept {
  const std::size_t shard = MetricsShard::current();
  const auto index = static_cast<std::size_t>(std::ranges::lower_bound(bounds_, value) - bounds_.begin());
  detail::add_to(bucket(shard, index), std::int64_t{1}, shard);
  detail::add_to(sums_[shard].value, value, shard);
}

std::vector<std::int64_t> Histogram::counts() const {
  std::vector<std::int64_t> counts(bounds_.size() + 1);
  for (std::size_t shard = 0; shard < MetricsShard::shards_max; ++shard) {
    for (std::size_t i = 0; i < counts.size(); ++i) counts[i] += bucket(shard, i).load(std::memory_order_relaxed);
  }
  return counts;
}

double Histogram::sum() const noexcept {
  double total = 0;
  for (std::size_t i = 0; i < MetricsShard::shards_max; ++i) total += sums_[i].value.load(std::memory_order_relaxed);
  return total;
}

std::vector<double> latency_bounds() {
  return {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10};
}

}  // namespace troupe::base
