// TraceExporter: the actor that sends the finished spans of all cores to an OpenTelemetry collector.
//
// It asks the cores every second, so that traced requests never wait for it. A collector that does not answer costs
// spans, which are counted, and one line of the log a minute; nothing piles up here.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "troupe/actor/actor.h"
#include "troupe/base/metrics.h"

namespace troupe::app {

struct TraceExporterOptions {
  std::string endpoint;  // "http://127.0.0.1:4318/v1/traces"
  std::string version;
  base::Duration every = std::chrono::seconds{1};
  std::size_t spans_a_request = 512;  // about 200 KB
  base::Metrics* metrics = nullptr;   // outlives the actor
  /// Sends a body and says what went wrong, on a blocking thread; empty: post_json of http_post.h.
  std::function<std::string(const std::string& body)> post;
};

/// Sends what is there now; answers with how many spans the collector took.
struct FlushSpans {
  using reply = std::size_t;
};
struct ExportTick {};  // to itself

class TraceExporter {
 public:
  static constexpr std::string_view actor_type = "TraceExporter";

  explicit TraceExporter(TraceExporterOptions options);

  void started(actor::Context& ctx);
  actor::Task<void> handle(ExportTick message, actor::Context& ctx);
  actor::Task<std::size_t> handle(FlushSpans message, actor::Context& ctx);

 private:
  actor::Task<std::size_t> flush(actor::Context& ctx);
  void lost(actor::Context& ctx, std::size_t spans, std::string_view why);

  TraceExporterOptions options_;
  base::Counter& exported_;
  base::Counter& lost_;
  base::Instant quiet_until_{};
};

}  // namespace troupe::app
