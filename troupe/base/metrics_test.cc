// What is counted on several threads, and what a scrape shows.
#include "troupe/base/metrics.h"

#include <doctest/doctest.h>

#include <thread>

using namespace troupe::base;

TEST_CASE("counting on threads with a shard of their own and on others loses nothing") {
  Metrics metrics;
  Counter& counter = metrics.counter("events_total", "events");
  Histogram& histogram = metrics.histogram("seconds", "how long", {1, 2});
  constexpr int threads = 8, rounds = 10'000;
  {
    std::vector<std::jthread> running;
    for (int i = 0; i < threads; ++i) {
      running.emplace_back([&, own = i % 2 == 0] {
        std::optional<MetricsShard> shard;
        if (own) shard.emplace();
        for (int n = 0; n < rounds; ++n) {
          counter.add();
          histogram.observe(1.5);
        }
      });
    }
  }
  CHECK_EQ(counter.value(), threads * rounds);
  CHECK_EQ(histogram.counts(), std::vector<std::int64_t>{0, threads * rounds, 0});
  CHECK_EQ(histogram.sum(), 1.5 * threads * rounds);
}

TEST_CASE("a shard belongs to one thread while it lives, and is given again afterwards") {
  std::size_t mine = 0, other = 0;
  {
    const MetricsShard shard;
    mine = MetricsShard::current();
    CHECK_NE(mine, 0);
    std::jthread{[&] {
      const MetricsShard theirs;
      other = MetricsShard::current();
    }}.join();
    CHECK_NE(other, mine);
  }
  CHECK_EQ(MetricsShard::current(), 0);
  const MetricsShard again;
  CHECK_EQ(MetricsShard::current(), mine);
}

TEST_CASE("when no shard is left, the shared one is counted in") {
  std::atomic<std::size_t> held{0};
  std::atomic<bool> done{false};
  std::vector<std::jthread> holders;
  for (std::size_t i = 0; i < MetricsShard::shards_max; ++i) {
    holders.emplace_back([&] {
      const MetricsShard shard;
      ++held;
      done.wait(false);
    });
  }
  while (held.load() < MetricsShard::shards_max) std::this_thread::yield();
  {
    const MetricsShard late;
    CHECK_EQ(MetricsShard::current(), 0);
  }
  done = true;
  done.notify_all();
}

TEST_CASE("a scrape is Prometheus text, families by name") {
  Metrics metrics;
  metrics.gauge("connections", "open connections").add(3);
  metrics.counter("answers_total", "answers", {{"status", "200"}}).add(2);
  metrics.histogram("seconds", "how long", {0.5, 1}).observe(0.75);
  metrics.histogram("seconds", "how long", {0.5, 1}).observe(9);
  metrics.add_collector([](Samples& out) { out.gauge("live", "looked up", 7); });
  CHECK_EQ(metrics.scrape(),
           "# HELP answers_total answers\n# TYPE answers_total counter\nanswers_total{status=\"200\"} 2\n"
           "# HELP connections open connections\n# TYPE connections gauge\nconnections 3\n"
           "# HELP live looked up\n# TYPE live gauge\nlive 7\n"
           "# HELP seconds how long\n# TYPE seconds histogram\nseconds_count 2\nseconds_sum 9.75\n"
           "seconds_bucket{le=\"0.5\"} 0\nseconds_bucket{le=\"1\"} 1\nseconds_bucket{le=\"+Inf\"} 2\n");
}

TEST_CASE("a value of a label is escaped") {
  Metrics metrics;
  metrics.counter("c", "h", {{"name", "a\"b\nc"}}).add();
  CHECK(metrics.scrape().contains(R"(c{name="a\"b\nc"} 1)"));
}

TEST_CASE("past the bound, label sets are counted together as other") {
  Metrics metrics;
  for (std::size_t i = 0; i < Metrics::label_sets_max + 50; ++i) {
    metrics.counter("c", "h", {{"name", std::to_string(i)}}).add();
  }
  CHECK_EQ(metrics.counter("c", "h", {{"name", "0"}}).value(), 1);
  CHECK_EQ(metrics.counter("c", "h", {{"name", "other"}}).value(), 50);
}
