// Metrics: counters, gauges and histograms that each core counts for itself; summed when scraped.
//
// The owner of a Metrics keeps it longer than whatever counts in it; a counter's address
// never changes. Counting is one relaxed load and store in a cell that no other thread
// writes (see MetricsShard), so it costs no shared cache line. A family keeps at most
// `label_sets_max` label sets; what comes later is counted under the value "other", so
// that no client can fill the memory by inventing names.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe::base {

using Labels = std::vector<std::pair<std::string, std::string>>;

/// Gives the calling thread a cell of its own in every metric, while it lives; the runtime
/// holds one on the stack of each core's thread. Other threads share cell 0, with a slower
/// atomic addition. Past `shards_max` threads there is none left, and cell 0 is used.
class MetricsShard {
 public:
  static constexpr std::size_t shards_max = 64;

  MetricsShard();
  ~MetricsShard();
  MetricsShard(const MetricsShard&) = delete;
  MetricsShard& operator=(const MetricsShard&) = delete;

  /// The cell of the calling thread, below shards_max; 0 is shared.
  static std::size_t current() noexcept { return current_; }

 private:
  static thread_local constinit std::size_t current_;
};

namespace detail {

/// Adds to a cell: plain for the thread that owns it, atomically in the shared cell 0.
template <class T>
void add_to(std::atomic<T>& cell, T by, std::size_t shard) noexcept {
  if (shard == 0) {
    cell.fetch_add(by, std::memory_order_relaxed);
  } else {
    cell.store(cell.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
  }
}

struct alignas(64) Cell {
  std::atomic<std::int64_t> value{0};
};

}  // namespace detail

/// Only goes up. Any thread.
class Counter {
 public:
  void add(std::int64_t by = 1) noexcept {
    const std::size_t shard = MetricsShard::current();
    detail::add_to(cells_[shard].value, by, shard);
  }
  std::int64_t value() const noexcept;

 private:
  detail::Cell cells_[MetricsShard::shards_max];
};

/// Goes up and down: what each thread added, summed. Any thread.
class Gauge {
 public:
  void add(std::int64_t by) noexcept { counter_.add(by); }
  std::int64_t value() const noexcept { return counter_.value(); }

 private:
  Counter counter_;
};

/// How observations are spread over buckets. Any thread.
class Histogram {
 public:
  /// `bounds`: the upper bounds of the buckets, rising; one more bucket takes the rest.
  explicit Histogram(std::vector<double> bounds);
  void observe(double value) noexcept;

  const std::vector<double>& bounds() const noexcept { return bounds_; }
  /// Observations of each bucket, the rest last.
  std::vector<std::int64_t> counts() const;
  double sum() const noexcept;

 private:
  struct alignas(64) Line {  // of the cache; no two shards share one
    std::atomic<std::int64_t> cells[8] = {};
  };
  struct alignas(64) Sum {
    std::atomic<double> value{0};
  };
  std::atomic<std::int64_t>& bucket(std::size_t shard, std::size_t index) const noexcept;

  std::vector<double> bounds_;
  std::size_t lines_;  // of one shard
  std::unique_ptr<Line[]> counts_;
  std::unique_ptr<Sum[]> sums_;
};

/// Bounds for durations in seconds, from 0.1 ms to 10 s.
std::vector<double> latency_bounds();

/// Samples that are not counted but looked up when somebody asks.
class Samples {
 public:
  enum class Kind { counter, gauge };
  struct Sample {
    Kind kind;
    std::string name, help;
    double value;
    Labels labels;
  };

  void counter(std::string name, std::string help, double value, Labels labels = {}) {
    samples_.push_back({Kind::counter, std::move(name), std::move(help), value, std::move(labels)});
  }
  void gauge(std::string name, std::string help, double value, Labels labels = {}) {
    samples_.push_back({Kind::gauge, std::move(name), std::move(help), value, std::move(labels)});
  }
  /// `counts`: observations up to each of `bounds`, and beyond them last; not summed up.
  struct Spread {
    std::string name, help;
    std::vector<double> bounds;
    std::vector<std::uint64_t> counts;
    double sum;
    Labels labels;
  };
  void histogram(Spread spread) { spreads_.push_back(std::move(spread)); }

  std::span<const Sample> all() const noexcept { return samples_; }
  std::span<const Spread> spreads() const noexcept { return spreads_; }

 private:
  std::vector<Sample> samples_;
  std::vector<Spread> spreads_;
};

/// The metrics of one process or of one simulated world. Any thread.
class Metrics {
 public:
  static constexpr std::size_t label_sets_max = 200;

  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  /// The metric of that name and these labels, made at the first call; keep the reference, this
  /// call takes a lock. `name` is [a-z_][a-z0-9_]*, the same name always has the same kind and label names.
  Counter& counter(std::string_view name, std::string_view help, const Labels& labels = {});
  Gauge& gauge(std::string_view name, std::string_view help, const Labels& labels = {});
  Histogram& histogram(std::string_view name, std::string_view help, const std::vector<double>& bounds,
                       const Labels& labels = {});

  /// `collect` is called at each scrape, on its thread, and must outlive this object's last scrape.
  void add_collector(std::function<void(Samples&)> collect);

  /// Everything, in the Prometheus text format 0.0.4, families by name; `extra` is added to it.
  std::string scrape(Samples extra = {}) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace troupe::base
