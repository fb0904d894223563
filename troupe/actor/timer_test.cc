// Timers of actors: cancelled and started anew at awkward moments, many at once, across restarts.
#include <doctest/doctest.h>

#include "troupe/actor/sim/world.h"

using namespace troupe::actor;
using namespace std::chrono_literals;

namespace {

using Seen = std::shared_ptr<std::vector<int>>;

struct Tick {
  int n;
};
struct Do {
  std::string what;
};

/// Ticks append their number; some do more.
class Ticker {
 public:
  explicit Ticker(Seen seen) : seen_(std::move(seen)) {}
  void handle(Tick m, Context& ctx) {
    seen_->push_back(m.n);
    if (m.n == 1) ctx.cancel("self");
    if (m.n == 2) ctx.every(this, "again", 10ms, Tick{3});
    if (m.n == 4) throw std::runtime_error("broken");
  }
  Task<void> handle(Do m, Context& ctx) {
    if (m.what == "cancel from its own handler") ctx.every(this, "self", 10ms, Tick{1});
    if (m.what == "replace from its own handler") ctx.every(this, "again", 10ms, Tick{2});
    if (m.what == "fail in a tick") {
      ctx.every(this, "failing", 10ms, Tick{4});
      ctx.after(this, 15ms, Tick{5});
    }
    if (m.what == "replace while queued") {
      ctx.after(this, "queued", 10ms, Tick{6});
      co_await ctx.sleep(50ms);  // the tick waits in the mailbox meanwhile
      ctx.after(this, "queued", 10ms, Tick{7});
    }
    if (m.what == "many") {
      for (int i = 0; i < 20'000; ++i) ctx.after(this, 10ms, Tick{100 + i});
    }
    co_return;
  }

 private:
  Seen seen_;
};

std::vector<int> run(std::string what, Duration length) {
  test::World w{1};
  Seen seen = std::make_shared<std::vector<int>>();
  auto ticker = w.spawn<Ticker>({}, seen);
  ticker.tell(Do{std::move(what)});
  w.advance(length);
  return *seen;
}

struct Parcels {
  static constexpr bool copyable = false;
  std::vector<std::unique_ptr<int>> all;
};

class Postman {
 public:
  explicit Postman(std::shared_ptr<int> delivered) : delivered_(std::move(delivered)) {}
  void started(Context& ctx) {
    Parcels parcels;
    parcels.all.push_back(std::make_unique<int>(3));
    ctx.after(this, 1s, std::move(parcels));
  }
  void handle(Parcels m) { *delivered_ += *m.all.front(); }

 private:
  std::shared_ptr<int> delivered_;
};

}  // namespace

TEST_CASE("a timer may be cancelled and replaced by its own handler") {
  CHECK_EQ(run("cancel from its own handler", 1s), std::vector<int>{1});
  CHECK_EQ(run("replace from its own handler", 35ms), std::vector<int>{2, 3, 3});
}

TEST_CASE("timers end with the incarnation that started them") { CHECK_EQ(run("fail in a tick", 1s), std::vector{4}); }

TEST_CASE("a replaced timer never delivers the old message, even one that is queued") {
  CHECK_EQ(run("replace while queued", 1s), std::vector<int>{7});
}

TEST_CASE("many timers of one actor that are due together come in order, each once") {
  const auto seen = run("many", 1s);
  REQUIRE_EQ(seen.size(), 20'000);
  CHECK(std::is_sorted(seen.begin(), seen.end()));
}

TEST_CASE("what only moves is told once by a timer") {
  test::World w{1};
  auto delivered = std::make_shared<int>(0);
  w.spawn<Postman>({}, delivered);
  w.advance(1min);
  CHECK_EQ(*delivered, 3);
}
