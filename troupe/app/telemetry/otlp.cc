// See otlp.h. The shape is that of ExportTraceServiceRequest in opentelemetry-proto.
#include "troupe/app/telemetry/otlp.h"

#include "troupe/wire/json.h"

namespace troupe::app {
namespace {

constexpr int kind_internal = 1;
constexpr int kind_server = 2;
constexpr int status_error = 2;

void write_attribute(wire::JsonWriter& writer, std::string_view key, std::string_view value) {
  writer.begin_object().member("key", key).key("value").begin_object().member("stringValue", value);
  writer.end_object().end_object();
}

void write_span(wire::JsonWriter& writer, const actor::FinishedSpan& span, std::int64_t unix_minus_monotonic) {
  const std::int64_t start = span.start.nanoseconds + unix_minus_monotonic;
  writer.begin_object();
  writer.member("traceId", base::trace_id_text(span.context)).member("spanId", base::span_id_text(span.context.span));
  if (span.parent != 0) writer.member("parentSpanId", base::span_id_text(span.parent));
  writer.member("name", span.name).member("kind", span.is_entry ? kind_server : kind_internal);
  writer.member("startTimeUnixNano", std::to_string(start));
  writer.member("endTimeUnixNano", std::to_string(start + span.took.count()));
  writer.key("attributes").begin_array();
  write_attribute(writer, "actor.type", span.actor_type);
  write_attribute(writer, "actor.id", std::to_string(span.actor.value));
  write_attribute(writer, "actor.core", std::to_string(span.core));
  writer.end_array();
  if (span.failed) writer.key("status").begin_object().member("code", status_error).end_object();
  writer.end_object();
}

}  // namespace

std::string otlp_json(std::span<const actor::FinishedSpan> spans, base::Instant now, base::UnixTime wall,
                      std::string_view version) {
  std::string out;
  wire::JsonWriter writer{out};
  writer.begin_object().key("resourceSpans").begin_array().begin_object();
  writer.key("resource").begin_object().key("attributes").begin_array();
  write_attribute(writer, "service.name", "troupe");
  write_attribute(writer, "service.version", version);
  writer.end_array().end_object();
  writer.key("scopeSpans").begin_array().begin_object();
  writer.key("scope").begin_object().member("name", "troupe.actor").end_object();
  writer.key("spans").begin_array();
  for (const auto& span : spans) write_span(writer, span, wall.milliseconds * 1'000'000 - now.nanoseconds);
  writer.end_array().end_object().end_array().end_object().end_array().end_object();
  return out;
}

}  // namespace troupe::app
