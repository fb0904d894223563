// The registry of all metrics, and what a scrape shows of them.
//
// Families are kept by name and label sets in order, so two scrapes of the same state are
// the same text.
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <map>
#include <mutex>
#include <variant>

#include "troupe/base/check.h"
#include "troupe/base/metrics.h"

namespace troupe::base {
namespace {

using Instrument = std::variant<std::unique_ptr<Counter>, std::unique_ptr<Gauge>, std::unique_ptr<Histogram>>;

struct Family {
  std::string help;
  std::map<Labels, Instrument> members;
};

using Scraped = std::map<std::string, prometheus::MetricFamily>;

bool is_metric_name(std::string_view name) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; };
  return !name.empty() && letter(name[0]) &&
         std::ranges::all_of(name, [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

prometheus::ClientMetric labelled(const Labels& labels) {
  prometheus::ClientMetric metric;
  for (const auto& [name, value] : labels) metric.label.push_back({name, value});
  return metric;
}

prometheus::MetricFamily& family_of(Scraped& out, const std::string& name, const std::string& help,
                                    prometheus::MetricType type) {
  auto& family = out[name];
  family.name = name;
  family.help = help;
  family.type = type;
  return family;
}

void show(const Counter& counter, const std::string& name, const std::string& help, const Labels& labels,
          Scraped& out) {
  auto metric = labelled(labels);
  metric.counter.value = static_cast<double>(counter.value());
  family_of(out, name, help, prometheus::MetricType::Counter).metric.push_back(std::move(metric));
}

void show(const Gauge& gauge, const std::string& name, const std::string& help, const Labels& labels, Scraped& out) {
  auto metric = labelled(labels);
  metric.gauge.value = static_cast<double>(gauge.value());
  family_of(out, name, help, prometheus::MetricType::Gauge).metric.push_back(std::move(metric));
}

void show(const Samples::Spread& spread, Scraped& out) {
  auto metric = labelled(spread.labels);
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < spread.counts.size(); ++i) {
    total += spread.counts[i];
    const bool last = i == spread.bounds.size();
    metric.histogram.bucket.push_back({total, last ? std::numeric_limits<double>::infinity() : spread.bounds[i]});
  }
  metric.histogram.sample_count = total;
  metric.histogram.sample_sum = spread.sum;
  family_of(out, spread.name, spread.help, prometheus::MetricType::Histogram).metric.push_back(std::move(metric));
}

void show(const Histogram& histogram, const std::string& name, const std::string& help, const Labels& labels,
          Scraped& out) {
  const auto counts = histogram.counts();
  show({name, help, histogram.bounds(), {counts.begin(), counts.end()}, histogram.sum(), labels}, out);
}

void show(const Samples& samples, Scraped& out) {
  for (const Samples::Sample& sample : samples.all()) {
    auto metric = labelled(sample.labels);
    const bool counter = sample.kind == Samples::Kind::counter;
    (counter ? metric.counter.value : metric.gauge.value) = sample.value;
    family_of(out, sample.name, sample.help, counter ? prometheus::MetricType::Counter : prometheus::MetricType::Gauge)
        .metric.push_back(std::move(metric));
  }
  for (const Samples::Spread& spread : samples.spreads()) show(spread, out);
}

}  // namespace

struct Metrics::State {
  mutable std::mutex mutex;
  std::map<std::string, Family, std::less<>> families;
  std::vector<std::function<void(Samples&)>> collectors;

  template <class T, class... Args>
  T& get(std::string_view name, std::string_view help, const Labels& labels, const Args&... args);
};

template <class T, class... Args>
T& Metrics::State::get(std::string_view name, std::string_view help, const Labels& labels, const Args&... args) {
  INVARIANT(is_metric_name(name), "the name of a metric is [a-z_][a-z0-9_]*");
  const std::lock_guard lock{mutex};
  auto& family = families[std::string{name}];
  if (family.help.empty()) family.help = help;
  Labels key = labels;
  if (!family.members.contains(key) && family.members.size() >= label_sets_max) {
    for (auto& label : key) label.second = "other";
  }
  auto found = family.members.find(key);
  if (found == family.members.end()) {
    found = family.members.emplace(key, std::make_unique<T>(args...)).first;
  }
  auto* instrument = std::get_if<std::unique_ptr<T>>(&found->second);
  INVARIANT(instrument != nullptr, "a name has one kind of metric");
  return **instrument;
}

Metrics::Metrics() : state_(std::make_unique<State>()) {}
Metrics::~Metrics() = default;

Counter& Metrics::counter(std::string_view name, std::string_view help, const Labels& labels) {
  return state_->get<Counter>(name, help, labels);
}

Gauge& Metrics::gauge(std::string_view name, std::string_view help, const Labels& labels) {
  return state_->get<Gauge>(name, help, labels);
}

Histogram& Metrics::histogram(std::string_view name, std::string_view help, const std::vector<double>& bounds,
                              const Labels& labels) {
  return state_->get<Histogram>(name, help, labels, bounds);
}

void Metrics::add_collector(std::function<void(Samples&)> collect) {
  const std::lock_guard lock{state_->mutex};
  state_->collectors.push_back(std::move(collect));
}

std::string Metrics::scrape(Samples extra) const {
  std::vector<std::function<void(Samples&)>> collectors;
  {
    const std::lock_guard lock{state_->mutex};
    collectors = state_->collectors;
  }
  for (const auto& collect : collectors) collect(extra);  // without the lock: a collector may count

  Scraped scraped;
  {
    const std::lock_guard lock{state_->mutex};
    for (const auto& [name, family] : state_->families) {
      for (const auto& [labels, instrument] : family.members) {
        std::visit([&](const auto& one) { show(*one, name, family.help, labels, scraped); }, instrument);
      }
    }
  }
  show(extra, scraped);
  std::vector<prometheus::MetricFamily> families;
  families.reserve(scraped.size());
  for (auto& [name, family] : scraped) families.push_back(std::move(family));
  return prometheus::TextSerializer{}.Serialize(families);
}

}  // namespace troupe::base
