// Traces: that spans follow messages over actors and cores, and end when their handlers do.
#include <doctest/doctest.h>

#include <stdexcept>

#include "troupe/actor/sim/world.h"

using namespace troupe::actor;
using namespace std::chrono_literals;
using troupe::base::TraceContext;

namespace {

struct Leaf {
  using reply = int;
};
struct Note {};
struct Break {};
struct Middle {
  using reply = int;
};
struct Root {
  TraceContext parent;
  using reply = int;
};
struct TakeSpans {
  using reply = SpanBuffer;
};

class Below {
 public:
  int handle(Leaf) { return 1; }
  void handle(Note) {}
  void handle(Break) { throw std::runtime_error("broken"); }
};

class Between {
 public:
  explicit Between(Ref<Below> below) : below_(below) {}
  Task<int> handle(Middle, Context& ctx) {
    co_await ctx.sleep(10ms);
    auto one = co_await below_.ask(Leaf{});
    below_.tell(Note{});
    co_return one.value_or(0) + 1;
  }

 private:
  Ref<Below> below_;
};

class Above {
 public:
  explicit Above(Ref<Between> between, Ref<Below> below) : between_(between), below_(below) {}
  Task<int> handle(Root root, Context& ctx) {
    ctx.trace(root.parent, "GET /");
    below_.tell(Break{});
    auto two = co_await between_.ask(Middle{});
    co_return two.value_or(0) + 1;
  }
  Task<SpanBuffer> handle(TakeSpans, Context& ctx) {
    auto spans = co_await ctx.system().take_spans();
    co_return spans;
  }

 private:
  Ref<Between> between_;
  Ref<Below> below_;
};

const FinishedSpan& find(const SpanBuffer& buffer, std::string_view name) {
  for (const auto& span : buffer.spans) {
    if (span.name == name) return span;
  }
  FAIL("no span is named " << name);
  return buffer.spans.front();
}

struct Three {
  test::World world{3};
  Ref<Below> below = world.spawn<Below>({.core = 1});
  Ref<Between> between = world.spawn<Between>({.core = 0}, below);
  Ref<Above> above = world.spawn<Above>({.core = 1}, between, below);
};

}  // namespace

TEST_CASE("spans follow what is asked and told over actors and cores, as children of who sent it") {
  Three three;
  const TraceContext caller{.trace_high = 7, .trace_low = 8, .span = 9, .sampled = true};
  CHECK_EQ(three.world.block_on(three.above.ask(Root{caller})).value(), 3);
  three.world.run_until_idle();
  const auto buffer = three.world.block_on(three.above.ask(TakeSpans{})).value();

  REQUIRE_EQ(buffer.spans.size(), 5);
  const auto& root = find(buffer, "GET /");
  const auto& middle = find(buffer, "Middle");
  const auto& leaf = find(buffer, "Leaf");
  const auto& note = find(buffer, "Note");
  for (const auto& span : buffer.spans) {
    CHECK_EQ(span.context.trace_high, 7);
    CHECK_EQ(span.context.trace_low, 8);
  }
  CHECK_EQ(root.parent, 9);
  CHECK_EQ(middle.parent, root.context.span);
  CHECK_EQ(leaf.parent, middle.context.span);
  CHECK_EQ(note.parent, middle.context.span);
  CHECK_GE(middle.took, 10ms);
  CHECK_GE(root.took, middle.took);
  CHECK_EQ(leaf.core, 1);
  CHECK_EQ(middle.core, 0);
  const auto& broken = find(buffer, "Break");
  CHECK(broken.failed);
  CHECK_EQ(broken.parent, root.context.span);
  CHECK_FALSE(root.failed);
}

TEST_CASE("what is not sampled leaves no span, and what is not traced bears no context") {
  Three three;
  CHECK_EQ(three.world.block_on(three.above.ask(Root{{.trace_high = 1, .trace_low = 2, .span = 3}})).value(), 3);
  CHECK_EQ(three.world.block_on(three.between.ask(Middle{})).value(), 2);
  CHECK(three.world.block_on(three.above.ask(TakeSpans{})).value().spans.empty());
}

TEST_CASE("a handler that is stopped while it waits ends its span as failed") {
  Three three;
  three.above.tell(Root{{.trace_high = 1, .trace_low = 2, .span = 3, .sampled = true}});
  three.world.run_until_idle();
  lifecycle::request_stop(nullptr, three.between.address());
  three.world.run_until_idle();
  const auto buffer = three.world.block_on(three.above.ask(TakeSpans{})).value();
  CHECK(find(buffer, "Middle").failed);
}

TEST_CASE("a core keeps a bounded number of spans and counts what it left out") {
  Three three;
  for (std::size_t i = 0; i < SpanBuffer::spans_max + 10; ++i) {
    const Core::Scope scope{three.world.core(0)};
    three.world.core(0).open_span({.trace_high = 1, .span = 1, .sampled = true}, "one");
    three.world.core(0).close_span(false);
  }
  const auto buffer = three.world.core(0).take_spans();
  CHECK_EQ(buffer.spans.size(), SpanBuffer::spans_max);
  CHECK_EQ(buffer.left_out, 10);
}
