// Spans: what was done for one request, across actors and cores, for whoever traces it.
//
// A handler that runs within a trace has one Span; what it tells, asks and sends bears that
// span's context, and the handlers of those messages have spans below it. A message that is
// not traced pays one test of a pointer that is null. Finished spans wait on their core,
// bounded, until somebody takes them (System::take_spans).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "troupe/actor/runtime/envelope.h"
#include "troupe/base/trace_context.h"

namespace troupe::actor {

/// One handler's part of a trace, over.
struct FinishedSpan {
  base::TraceContext context;
  std::uint64_t parent = 0;  // 0: the trace begins here
  std::string name;
  std::string_view actor_type;
  ActorId actor;
  int core = 0;
  Instant start;
  Duration took{};
  bool failed = false;    // its handler threw, or ended before it was done
  bool is_entry = false;  // the trace, or its part in this process, begins here
};

/// One handler's part of a trace, from its first line to its end, however often it waits between.
struct Span {
  base::TraceContext context;
  std::uint64_t parent = 0;
  std::string name;
  std::string_view actor_type;
  ActorId actor;
  Instant start;
  bool is_entry = false;
  bool held = false;  // an Activation has it, and ends it
};

/// The finished spans of one core.
struct SpanBuffer {
  static constexpr std::size_t spans_max = 8192;  // a second of a busy core, sampled; then the newest are left out
  std::vector<FinishedSpan> spans;
  std::uint64_t left_out = 0;
};

/// A message and the context it was sent in. The message stands first, so it is found where an untraced one stands.
template <class M>
struct Traced {
  M message;
  base::TraceContext context;
};

}  // namespace troupe::actor
