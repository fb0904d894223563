// Traces by the long ways: a timer, a stash, a topic, a batch and an entity go
// on with the trace of who used them.
#include <doctest/doctest.h>

#include "troupe/actor/sim/world.h"

using namespace troupe::actor;
using namespace std::chrono_literals;
using troupe::base::TraceContext;

namespace {

struct Note {};
struct Tick {};
struct Late {};
struct News {
  int n = 0;
};
struct Put {
  int n = 0;
};

enum class Way { after, every, stash, topic, batch, batch_of_others, entity };
struct Begin {
  Way way;
};
struct TakeSpans {
  using reply = SpanBuffer;
};

using Sizes = std::shared_ptr<std::vector<std::size_t>>;

class Listener {
 public:
  void handle(const Published<News>&) {}
};
class Copier {
 public:
  void handle(News) {}
};
class Writer {
 public:
  static constexpr BatchOptions batch{.messages = 4, .within = 10ms};
  explicit Writer(Sizes sizes) : sizes_(std::move(sizes)) {}
  void handle(Batch<Put> puts, Context& ctx) {
    sizes_->push_back(puts.size());
    if (ctx.trace_context()) ctx.self(this).tell(Note{});
  }
  void handle(Note) {}

 private:
  Sizes sizes_;
};

class Origin {
 public:
  Origin(Ref<Writer> writer, Shards<Writer> shards) : writer_(writer), shards_(std::move(shards)) {}

  Task<void> handle(Begin m, Context& ctx) {
    if (m.way == Way::batch_of_others) writer_.tell(Put{});  // before it is traced
    ctx.trace({.trace_high = 7, .trace_low = 8, .span = 9, .sampled = true}, "root");
    switch (m.way) {
      case Way::after:
        ctx.after(this, 10ms, Late{});
        break;
      case Way::every:
        ctx.every(this, "tick", 10ms, Tick{});
        break;
      case Way::stash:
        CHECK(ctx.stash(this, Note{}));
        ctx.unstash_all();
        break;
      case Way::topic:
        Topic<News>{ctx, "news"}.publish("a", News{1});
        break;
      case Way::batch:
      case Way::batch_of_others:
        writer_.tell(Put{});
        writer_.tell(Put{});
        break;
      case Way::entity:
        for (int i = 0; i < 4; ++i) shards_.ref("one").tell(Put{});
        break;
    }
    co_return;
  }
  void handle(Note) {}
  void handle(Late, Context& ctx) { ctx.self(this).tell(Note{}); }
  void handle(Tick) {}
  Task<SpanBuffer> handle(TakeSpans, Context& ctx) {
    auto spans = co_await ctx.system().take_spans();
    co_return spans;
  }

 private:
  Ref<Writer> writer_;
  Shards<Writer> shards_;
};

struct Fixture {
  std::vector<FinishedSpan> after(Way way) {
    origin.tell(Begin{way});
    w.advance(35ms);
    return w.block_on(origin.ask(TakeSpans{})).value().spans;
  }

  test::World w{1, {.cores = 2}};
  Sizes sizes = std::make_shared<std::vector<std::size_t>>();
  Shards<Writer> shards{w.system(), {}, sizes};
  Ref<Writer> writer = w.spawn<Writer>({.core = 1}, sizes);
  Ref<Origin> origin = w.spawn<Origin>({.core = 0}, writer, shards);
};

std::uint64_t root_of(const std::vector<FinishedSpan>& spans) {
  for (const auto& span : spans) {
    CHECK_EQ(span.context.trace_high, 7);
    if (span.name == "root") return span.context.span;
  }
  FAIL("there is no root");
  return 0;
}

/// The spans of that name, each a child of `parent`.
std::vector<FinishedSpan> below(const std::vector<FinishedSpan>& spans, std::uint64_t parent, std::string_view name) {
  std::vector<FinishedSpan> found;
  for (const auto& span : spans) {
    if (span.name != name) continue;
    CHECK_EQ(span.parent, parent);
    found.push_back(span);
  }
  return found;
}

}  // namespace

TEST_CASE(
    "what is told once goes on with the trace of who set the timer, what "
    "is told again and again with none") {
  Fixture f;
  const auto once = f.after(Way::after);
  const auto late = below(once, root_of(once), "Late");
  REQUIRE_EQ(late.size(), 1);
  CHECK_EQ(below(once, late[0].context.span, "Note").size(), 1);
  const auto often = f.after(Way::every);
  CHECK_EQ(often.size(), 1);
}

TEST_CASE("what was put aside goes on with the trace of who put it there") {
  Fixture f;
  const auto spans = f.after(Way::stash);
  CHECK_EQ(below(spans, root_of(spans), "Note").size(), 1);
}

TEST_CASE("a publication goes on with its trace on every core, shared or copied") {
  Fixture f;
  for (const int core : {0, 1}) {
    Topic<News>{f.w.system(), "news"}.subscribe(f.w.spawn<Listener>({.core = core}));
    Topic<News>{f.w.system(), "news"}.subscribe(f.w.spawn<Copier>({.core = core}));
  }
  f.w.run_until_idle();
  const auto spans = f.after(Way::topic);
  const std::uint64_t root = root_of(spans);
  const auto shared = below(spans, root, "Published<troupe::actor::News>").size();
  CHECK_EQ(below(spans, root, "News").size(), 2);
  CHECK_EQ(spans.size(), 5);
  CHECK_LE(shared, 2);  // under whatever name the compiler gives it
}

TEST_CASE(
    "a batch goes on with the trace of its first message that has one, "
    "and traced and others fill one batch") {
  for (const Way way : {Way::batch, Way::batch_of_others}) {
    Fixture f;
    const auto spans = f.after(way);
    const auto batch = below(spans, root_of(spans), "Put");
    REQUIRE_EQ(batch.size(), 1);
    CHECK_EQ(below(spans, batch[0].context.span, "Note").size(), 1);
    CHECK_EQ(*f.sizes, std::vector<std::size_t>{way == Way::batch ? 2u : 3u});
  }
}

TEST_CASE("an entity takes its messages in batches, within a trace or without") {
  Fixture f;
  const auto spans = f.after(Way::entity);
  CHECK_EQ(below(spans, root_of(spans), "Put").size(), 1);
  for (int i = 0; i < 5; ++i) f.shards.ref("one").tell(Put{});
  f.w.advance(1s);
  CHECK_EQ(*f.sizes, std::vector<std::size_t>{4, 4, 1});
}
