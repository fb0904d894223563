// What a stranger may write into `traceparent`, and what of it is believed (W3C Trace Context, level 1, 3.2).
#include "troupe/base/trace_context.h"

#include <doctest/doctest.h>

using namespace troupe::base;

TEST_CASE("a traceparent is read as the standard writes it, and written back the same") {
  constexpr std::string_view text = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  const auto context = parse_traceparent(text);
  REQUIRE(context.has_value());
  CHECK_EQ(context->trace_high, 0x0af7651916cd43dd);
  CHECK_EQ(context->trace_low, 0x8448eb211c80319c);
  CHECK_EQ(context->span, 0xb7ad6b7169203331);
  CHECK(context->sampled);
  CHECK_EQ(traceparent(*context), text);
}

TEST_CASE("whatever is not exactly of the form is no trace") {
  struct Row {
    const char* what;
    std::string_view header;
    bool accepted;
  };
  constexpr Row rows[] = {
      {"nothing", "", false},
      {"not sampled", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00", true},
      {"other flags are ignored", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-fe", true},
      {"upper case", "00-0AF7651916CD43DD8448EB211C80319C-B7AD6B7169203331-01", false},
      {"no trace", "00-00000000000000000000000000000000-b7ad6b7169203331-01", false},
      {"no parent", "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01", false},
      {"version ff", "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", false},
      {"a later version", "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", true},
      {"a later version with more", "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-what-else", true},
      {"a later version, more without a dash", "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01.x", false},
      {"version 00 with more", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x", false},
      {"too short", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0", false},
      {"a dash is missing", "00-0af7651916cd43dd8448eb211c80319cxb7ad6b7169203331-01", false},
      {"not hexadecimal", "00-0af7651916cd43dd8448eb211c80319g-b7ad6b7169203331-01", false},
      {"a NUL within", std::string_view{"00-0af7651916cd43dd8448eb211c8031\0c-b7ad6b7169203331-01", 55}, false},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    CHECK_EQ(parse_traceparent(row.header).has_value(), row.accepted);
  }
}

TEST_CASE("a child stays in its trace and has an id of its own") {
  SeededRandom random{5};
  const TraceContext parent = new_trace(random, true);
  const TraceContext child = child_of(parent, random);
  CHECK_EQ(trace_id_text(child), trace_id_text(parent));
  CHECK_NE(child.span, parent.span);
  CHECK(child.sampled);
  CHECK_EQ(parse_traceparent(traceparent(child)), child);
}
