// See trace_exporter.h.
#include "troupe/app/telemetry/trace_exporter.h"

#include "troupe/app/telemetry/http_post.h"
#include "troupe/app/telemetry/otlp.h"
#include "troupe/base/log.h"

namespace troupe::app {

using namespace std::chrono_literals;

namespace {

constexpr auto request_within = 5s;
constexpr auto quiet_for = 1min;  // between two complaints about a collector

}  // namespace

TraceExporter::TraceExporter(TraceExporterOptions options)
    : options_(std::move(options)),
      exported_(options_.metrics->counter("troupe_spans_exported_total", "Spans that the collector has taken.")),
      lost_(
          options_.metrics->counter("troupe_spans_lost_total", "Spans for which there was no room or no collector.")) {
  if (!options_.post) {
    options_.post = [url = options_.endpoint](const std::string& body) { return post_json(url, body, request_within); };
  }
}

void TraceExporter::started(actor::Context& ctx) { ctx.every(this, "export", options_.every, ExportTick{}); }

actor::Task<void> TraceExporter::handle(ExportTick, actor::Context& ctx) { co_await flush(ctx); }

actor::Task<std::size_t> TraceExporter::handle(FlushSpans, actor::Context& ctx) {
  const std::size_t sent = co_await flush(ctx);
  co_return sent;
}

actor::Task<std::size_t> TraceExporter::flush(actor::Context& ctx) {
  actor::SpanBuffer finished = co_await ctx.system().take_spans();
  if (finished.left_out > 0) lost(ctx, finished.left_out, "more spans than a second has room for");
  std::size_t sent = 0;
  for (std::span<const actor::FinishedSpan> rest = finished.spans; !rest.empty();) {
    const auto some = rest.first(std::min(rest.size(), options_.spans_a_request));
    rest = rest.subspan(some.size());
    std::string body = otlp_json(some, ctx.now(), ctx.wall(), options_.version);
    const std::string error =
        co_await actor::blocking([post = options_.post, body = std::move(body)] { return post(body); });
    if (error.empty()) {
      exported_.add(static_cast<std::int64_t>(some.size()));
      sent += some.size();
    } else {
      lost(ctx, some.size(), error);
    }
  }
  co_return sent;
}

void TraceExporter::lost(actor::Context& ctx, std::size_t spans, std::string_view why) {
  lost_.add(static_cast<std::int64_t>(spans));
  if (ctx.now() < quiet_until_) return;
  quiet_until_ = ctx.now() + quiet_for;
  base::log::warning("telemetry", "spans were lost", {{"spans", spans}, {"why", why}, {"endpoint", options_.endpoint}});
}

}  // namespace troupe::app
