// OTLP: finished spans as the JSON body of an OpenTelemetry export request (OTLP 1.x, HTTP/JSON).
//
// A pure function; who sends it is trace_exporter.h. Ids are hexadecimal and times decimal strings, as the protocol's
// JSON mapping asks.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "troupe/actor/actor.h"

namespace troupe::app {

/// The body for POST /v1/traces. `now` and `wall` are the same moment on both clocks: spans were timed by the first,
/// and a collector wants the second.
std::string otlp_json(std::span<const actor::FinishedSpan> spans, base::Instant now, base::UnixTime wall,
                      std::string_view version);

}  // namespace troupe::app
