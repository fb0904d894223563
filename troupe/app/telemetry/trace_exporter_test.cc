// The exporter in a simulated system, with a collector that answers, refuses, or is not there.
#include "troupe/app/telemetry/trace_exporter.h"

#include <doctest/doctest.h>

#include "troupe/actor/sim/world.h"
#include "troupe/app/telemetry/http_post.h"

using namespace troupe;
using namespace troupe::app;
using namespace std::chrono_literals;

namespace {

struct Collector {
  std::vector<std::string> bodies;
  std::string answer;
};

struct Telemetry {
  base::Metrics metrics;
  Collector collector;
  actor::test::World world{11};
  actor::Ref<TraceExporter> exporter = world.spawn<TraceExporter>(
      {.name = "trace_exporter"}, TraceExporterOptions{.endpoint = "http://collector",
                                                       .version = "test",
                                                       .spans_a_request = 3,
                                                       .metrics = &metrics,
                                                       .post = [this](const std::string& body) {
                                                         collector.bodies.push_back(body);
                                                         return collector.answer;
                                                       }});

  void finish_spans(std::size_t core, int count) {
    const actor::Core::Scope scope{world.core(core)};
    for (int i = 0; i < count; ++i) {
      world.core(core).open_span({.trace_high = 1, .span = 1, .sampled = true}, "work");
      world.core(core).close_span(false);
    }
  }
};

}  // namespace

TEST_CASE("the spans of all cores reach the collector within a second, a few at a time") {
  Telemetry t;
  t.world.run_until_idle();
  t.finish_spans(0, 4);
  t.finish_spans(1, 3);
  t.world.advance(1500ms);
  CHECK_EQ(t.collector.bodies.size(), 3);
  CHECK_EQ(t.metrics.counter("troupe_spans_exported_total", "").value(), 7);
  t.world.advance(5s);
  CHECK_EQ(t.collector.bodies.size(), 3);
}

TEST_CASE("spans that a collector does not take are counted as lost, and nothing is kept for later") {
  Telemetry t;
  t.collector.answer = "answered 503";
  t.finish_spans(0, 5);
  CHECK_EQ(t.world.block_on(t.exporter.ask(FlushSpans{}, {.within = 1min})).value(), 0);
  CHECK_EQ(t.metrics.counter("troupe_spans_lost_total", "").value(), 5);
  t.collector.answer = {};
  CHECK_EQ(t.world.block_on(t.exporter.ask(FlushSpans{}, {.within = 1min})).value(), 0);
}

TEST_CASE("a collector that is not there, and an address that is no collector's, are told as errors") {
  CHECK_NE(post_json("http://127.0.0.1:1/v1/traces", "{}", 2s), "");
  CHECK_NE(post_json("file:///etc/passwd", "{}", 2s), "");
  CHECK_NE(post_json("not a url", "{}", 2s), "");
}
