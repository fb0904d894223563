// LoadFigures: sums, and what they are told as.
#include "troupe/realtime/load/load_figures.h"

#include <doctest/doctest.h>

#include "troupe/wire/json.h"

namespace troupe::realtime {
namespace {

using namespace std::chrono_literals;

LoadFigures some() {
  LoadFigures figures;
  figures.connections_live = 10;
  figures.published = 200;
  figures.expected = 400;
  figures.delivered = 390;
  figures.gaps = 1;
  figures.told = 6;
  figures.errors = 2;
  for (int i = 1; i <= 100; ++i) figures.latency.record(i * 1ms);
  figures.fault("nobody answers there");
  return figures;
}

TEST_CASE("figures of several cores are added up") {
  auto sum = some();
  sum.add(some());
  CHECK_EQ(sum.delivered, 780);
  CHECK_EQ(sum.missing(), 8);
  CHECK_EQ(sum.latency.count(), 200);
  CHECK_EQ(sum.faults["nobody answers there"], 2);
  for (int i = 0; i < 100; ++i) sum.fault(std::to_string(i));
  CHECK_EQ(sum.faults.size(), 16);
}

TEST_CASE("what came twice does not make a negative number of missing ones") {
  LoadFigures figures;
  figures.expected = 1;
  figures.delivered = 2;
  CHECK_EQ(figures.missing(), 0);
}

TEST_CASE("durations have three digits and a unit") {
  CHECK_EQ(duration_words(1234ns), "1.23 us");
  CHECK_EQ(duration_words(45'600us), "45.6 ms");
  CHECK_EQ(duration_words(789ms), "789 ms");
  CHECK_EQ(duration_words(2s), "2.00 s");
}

TEST_CASE("progress tells rates since the last line, and the summary all of it") {
  const auto figures = some();
  const auto line = progress_line(figures, LoadFigures{}, 2s, 14s);
  for (std::string_view part :
       {"14 s", "10 live", "published 100/s", "delivered 195/s", "p50 50", "4 outstanding", "6 told"})
    CHECK_MESSAGE(line.contains(part), line);
  const auto text = summary_text(figures, 2s);
  for (std::string_view part : {"390 of 400", "p99.9", "missing      4", "nobody answers there: 1 times"})
    CHECK_MESSAGE(text.contains(part), text);
  const auto json = wire::parse_json(summary_json(figures, 2s));
  REQUIRE(json.has_value());
  CHECK_EQ(*json->find("missing")->integer(), 4);
  CHECK_EQ(*json->find("latency_us")->find("max")->number(), 100'000);
  CHECK_EQ(*json->find("delivered_per_second")->number(), 195);
}

}  // namespace
}  // namespace troupe::realtime
