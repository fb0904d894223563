// TraceContext: which trace something belongs to, as W3C Trace Context (level 1) writes it in `traceparent`.
//
// A value that is copied along with requests and messages. What a stranger sends is read strictly: anything that is
// not exactly of the form is no context at all, and a trace of our own begins instead.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "troupe/base/random.h"

namespace troupe::base {

struct TraceContext {
  std::uint64_t trace_high = 0;  // with trace_low the trace-id; both zero: no trace
  std::uint64_t trace_low = 0;
  std::uint64_t span = 0;  // the parent-id: who caused what bears this context
  bool sampled = false;    // whether its spans are to be recorded

  friend bool operator==(const TraceContext&, const TraceContext&) = default;
};

/// Reads a `traceparent` header. Nothing for what the standard calls invalid; versions after 00 are read as it asks.
std::optional<TraceContext> parse_traceparent(std::string_view header);

/// The `traceparent` of a context, version 00.
std::string traceparent(const TraceContext& context);
/// 32 and 16 lower-case hexadecimal digits.
std::string trace_id_text(const TraceContext& context);
std::string span_id_text(std::uint64_t span);

/// The first context of a new trace.
TraceContext new_trace(Random& random, bool sampled);
/// The context for what a span of `parent`'s trace causes; with an id of its own.
TraceContext child_of(const TraceContext& parent, Random& random);

}  // namespace troupe::base
