// See trace_context.h.
#include "troupe/base/trace_context.h"

#include <fmt/format.h>

namespace troupe::base {
namespace {

constexpr std::size_t length_00 = 55;  // version 00: 2 + 1 + 32 + 1 + 16 + 1 + 2

/// A number of lower-case hexadecimal digits; nothing where another character stands (upper case is not allowed).
std::optional<std::uint64_t> read_hex(std::string_view digits) {
  std::uint64_t value = 0;
  for (const char c : digits) {
    const bool decimal = c >= '0' && c <= '9';
    if (!decimal && (c < 'a' || c > 'f')) return std::nullopt;
    value = value << 4 | static_cast<std::uint64_t>(decimal ? c - '0' : c - 'a' + 10);
  }
  return value;
}

std::uint64_t nonzero(Random& random) {
  std::uint64_t value = random.next();
  while (value == 0) value = random.next();
  return value;
}

}  // namespace

std::optional<TraceContext> parse_traceparent(std::string_view header) {
  if (header.size() < length_00 || header[2] != '-' || header[35] != '-' || header[52] != '-') return std::nullopt;
  const auto version = read_hex(header.substr(0, 2));
  const auto high = read_hex(header.substr(3, 16));
  const auto low = read_hex(header.substr(19, 16));
  const auto span = read_hex(header.substr(36, 16));
  const auto flags = read_hex(header.substr(53, 2));
  if (!version || !high || !low || !span || !flags || *version == 0xff) return std::nullopt;
  // A later version may add fields behind a dash, and nothing else.
  const bool longer = header.size() > length_00;
  if (longer && (*version == 0 || header[length_00] != '-')) return std::nullopt;
  if ((*high | *low) == 0 || *span == 0) return std::nullopt;
  return TraceContext{.trace_high = *high, .trace_low = *low, .span = *span, .sampled = (*flags & 1) != 0};
}

std::string traceparent(const TraceContext& context) {
  return fmt::format("00-{}-{}-{}", trace_id_text(context), span_id_text(context.span), context.sampled ? "01" : "00");
}

std::string trace_id_text(const TraceContext& context) {
  return fmt::format("{:016x}{:016x}", context.trace_high, context.trace_low);
}

std::string span_id_text(std::uint64_t span) { return fmt::format("{:016x}", span); }

TraceContext new_trace(Random& random, bool sampled) {
  return {.trace_high = nonzero(random), .trace_low = random.next(), .span = nonzero(random), .sampled = sampled};
}

TraceContext child_of(const TraceContext& parent, Random& random) {
  TraceContext child = parent;
  child.span = nonzero(random);
  return child;
}

}  // namespace troupe::base
