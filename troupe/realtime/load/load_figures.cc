// Sums, and sums as text.
#include "troupe/realtime/load/load_figures.h"

#include <fmt/format.h>

#include "troupe/wire/json.h"

namespace troupe::realtime {
namespace {

constexpr std::size_t faults_max = 16;
constexpr double shares[] = {0.5, 0.9, 0.99, 0.999};

double a_second(std::uint64_t count, base::Duration during) {
  const auto seconds = std::chrono::duration<double>(during).count();
  return seconds > 0 ? static_cast<double>(count) / seconds : 0;
}

double microseconds(base::Duration duration) { return static_cast<double>(duration.count()) / 1000; }

std::string percentiles_text(const LatencyHistogram& histogram) {
  std::string text;
  for (const double share : shares)
    text += fmt::format("p{:g} {}, ", share * 100, duration_words(histogram.at_share(share)));
  return text + "max " + duration_words(histogram.longest());
}

void write_percentiles(wire::JsonWriter& writer, std::string_view name, const LatencyHistogram& histogram) {
  writer.key(name).begin_object();
  for (const double share : shares)
    writer.member(fmt::format("p{:g}", share * 100), microseconds(histogram.at_share(share)));
  writer.member("max", microseconds(histogram.longest())).end_object();
}

}  // namespace

void LoadFigures::add(const LoadFigures& other) {
  for (auto field :
       {&LoadFigures::connections_begun, &LoadFigures::connections_live, &LoadFigures::connections_failed,
        &LoadFigures::connections_lost, &LoadFigures::published, &LoadFigures::expected, &LoadFigures::delivered,
        &LoadFigures::gaps, &LoadFigures::told, &LoadFigures::errors, &LoadFigures::bytes}) {
    this->*field += other.*field;
  }
  latency.add(other.latency);
  lateness.add(other.lateness);
  for (const auto& [words, times] : other.faults) faults[words] += times;
}

void LoadFigures::fault(const std::string& words) {
  const auto known = faults.find(words);
  if (known != faults.end()) {
    ++known->second;
  } else if (faults.size() < faults_max) {
    faults.emplace(words, 1);
  }
}

std::string duration_words(base::Duration duration) {
  const auto nanoseconds = static_cast<double>(duration.count());
  const auto three = [](double value, std::string_view unit) {
    const int digits = value < 10 ? 2 : value < 100 ? 1 : 0;
    return fmt::format("{:.{}f} {}", value, digits, unit);
  };
  if (nanoseconds < 1e6) return three(nanoseconds / 1e3, "us");
  if (nanoseconds < 1e9) return three(nanoseconds / 1e6, "ms");
  return three(nanoseconds / 1e9, "s");
}

std::string progress_line(const LoadFigures& now, const LoadFigures& before, base::Duration since, base::Duration at) {
  return fmt::format(
      "{:>4} s  {} live, {} failed, {} lost | published {:.0f}/s, delivered {:.0f}/s | p50 {}, p99 {}, max {} | {} "
      "outstanding, {} told missing, {} errors",
      std::chrono::duration_cast<std::chrono::seconds>(at).count(), now.connections_live, now.connections_failed,
      now.connections_lost, a_second(now.published - before.published, since),
      a_second(now.delivered - before.delivered, since), duration_words(now.latency.at_share(0.5)),
      duration_words(now.latency.at_share(0.99)), duration_words(now.latency.longest()), now.missing(), now.told,
      now.errors);
}

std::string summary_text(const LoadFigures& figures, base::Duration lasted) {
  auto text = fmt::format(
      "connections  {} live at the end, {} failed, {} lost\n"
      "published    {} ({:.0f}/s)\n"
      "delivered    {} of {} ({:.0f}/s, {:.1f} MB/s)\n"
      "missing      {}; besides {} that {} gaps told of\n"
      "errors       {}\n"
      "latency      {}\n"
      "sent late by {}\n",
      figures.connections_live, figures.connections_failed, figures.connections_lost, figures.published,
      a_second(figures.published, lasted), figures.delivered, figures.expected, a_second(figures.delivered, lasted),
      a_second(figures.bytes, lasted) / 1e6, figures.missing(), figures.told, figures.gaps, figures.errors,
      percentiles_text(figures.latency), percentiles_text(figures.lateness));
  for (const auto& [words, times] : figures.faults) text += fmt::format("fault        {}: {} times\n", words, times);
  return text;
}

std::string summary_json(const LoadFigures& figures, base::Duration lasted) {
  std::string out;
  wire::JsonWriter writer{out};
  writer.begin_object().member("seconds", std::chrono::duration<double>(lasted).count());
  writer.key("connections").begin_object();
  writer.member("begun", figures.connections_begun)
      .member("live", figures.connections_live)
      .member("failed", figures.connections_failed)
      .member("lost", figures.connections_lost)
      .end_object();
  writer.member("published", figures.published)
      .member("expected", figures.expected)
      .member("delivered", figures.delivered)
      .member("missing", figures.missing())
      .member("gaps", figures.gaps)
      .member("told_missing", figures.told)
      .member("errors", figures.errors)
      .member("bytes", figures.bytes)
      .member("delivered_per_second", a_second(figures.delivered, lasted));
  write_percentiles(writer, "latency_us", figures.latency);
  write_percentiles(writer, "sent_late_us", figures.lateness);
  writer.key("faults").begin_object();
  for (const auto& [words, times] : figures.faults) writer.member(words, times);
  writer.end_object().end_object();
  return out;
}

}  // namespace troupe::realtime
