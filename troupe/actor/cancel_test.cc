// Deadlines and withdrawal: what nobody waits for any more is not begun, and where it may, it ends.
#include <doctest/doctest.h>

#include <algorithm>

#include "troupe/actor/sim/world.h"

using namespace troupe::actor;
using namespace std::chrono_literals;

namespace {

using Log = std::shared_ptr<std::vector<std::string>>;
Log new_log() { return std::make_shared<std::vector<std::string>>(); }
bool has(const Log& log, std::string_view line) { return std::ranges::find(*log, line) != log->end(); }

/// Writes down that its frame has died.
struct Trace {
  Log log;
  std::string name;
  Trace(Log l, std::string n) : log(std::move(l)), name(std::move(n)) { log->push_back(name + " begins"); }
  Trace(const Trace&) = delete;
  ~Trace() { log->push_back(name + " ends"); }
};

struct Work {
  std::string how;
  using reply = int;
};
struct Hold {
  Duration length;
};
struct Note {
  std::string text;
};
struct Look {
  using reply = Instant;
};

/// Works in the way it is told to; its log is of things begun, ended and reached.
class Worker {
 public:
  Worker(Log log, Ref<Worker> next) : log_(std::move(log)), next_(next) {}

  Task<void> handle(Hold m) { co_await sleep(m.length); }
  void handle(Note m) { log_->push_back(m.text); }
  Instant handle(Look, Context& ctx) { return ctx.deadline(); }
  Task<int> handle(Work m, Context& ctx) {
    const Trace trace{log_, m.how};
    if (m.how == "sleep") co_await ctx.sleep(1h);
    if (m.how == "ask") {
      auto answer = co_await next_.ask(Work{"nested"}, {.within = 1h});
      (void)answer;
    }
    if (m.how == "nested") co_await ctx.sleep(1h);
    if (m.how == "send") {
      auto sent = co_await next_.send(Note{"was sent"});
      (void)sent;
    }
    if (m.how == "blocking") {
      const bool done = co_await blocking([] { return true; });
      if (done) log_->push_back("the job is through");
    }
    if (m.how == "shielded") {
      {
        auto shield = ctx.shield();
        co_await ctx.sleep(200ms);
        log_->push_back(ctx.cancelled() ? "nobody waits" : "somebody waits");
        co_await ctx.sleep(200ms);
        log_->push_back("what was shielded is through");
      }
      co_await ctx.sleep(1ms);
    }
    log_->push_back(m.how + " is through");
    co_return 1;
  }

 private:
  Log log_;
  Ref<Worker> next_;
};

struct Go {
  std::string how;
  Duration within = 100ms;
};
struct Fail {};

/// Asks, and may die of `Fail` meanwhile.
class Asker {
 public:
  static constexpr bool interleaves = true;
  Asker(Log log, Ref<Worker> worker) : log_(std::move(log)), worker_(worker) {}
  Task<void> handle(Go m) {
    auto answer = co_await worker_.ask(Work{m.how}, {.within = m.within});
    log_->push_back(answer ? "answered" : answer.error().what);
  }
  void handle(Fail) { throw std::runtime_error("the asker fails"); }

 private:
  Log log_;
  Ref<Worker> worker_;
};

/// One asker and a chain of two workers; on one core, or each on its own.
struct Chain {
  explicit Chain(bool apart, std::uint64_t seed = 1) : w(seed, {.cores = 3}) {
    last = w.spawn<Worker>({.name = "last", .core = apart ? 2 : 0, .mailbox = {.capacity = 1}}, log, Ref<Worker>{});
    first = w.spawn<Worker>({.name = "first", .core = apart ? 1 : 0}, log, last);
    asker = w.spawn<Asker>({.name = "asker", .core = 0}, log, first);
    w.run_until_idle();
  }
  test::World w;
  Log log = new_log();
  Ref<Worker> last, first;
  Ref<Asker> asker;
};

enum class End { deadline, restart, stop };
constexpr End ends[] = {End::deadline, End::restart, End::stop};

void end_asker(Chain& chain, End how) {
  if (how == End::restart) chain.asker.tell(Fail{});
  if (how == End::stop) lifecycle::request_stop(nullptr, chain.asker.address());
  chain.w.advance(how == End::deadline ? 1s : 100ms);
}

std::uint64_t dropped(test::World& w, std::string_view type, Drop reason) {
  std::uint64_t sum = 0;  // other files have types of this name
  for (const auto& figures : figures_of(w.system())) {
    if (figures.type == type) sum += figures.dropped[static_cast<std::size_t>(reason)];
  }
  return sum;
}

}  // namespace

TEST_CASE("a handler whose asker dies or gives up ends where it waits, and its actor goes on") {
  for (const bool apart : {false, true}) {
    for (const End how : ends) {
      CAPTURE(apart);
      CAPTURE(static_cast<int>(how));
      Chain chain{apart};
      chain.asker.tell(Go{"sleep", how == End::deadline ? 100ms : 1min});
      chain.w.advance(50ms);
      CHECK(has(chain.log, "sleep begins"));
      CHECK_FALSE(has(chain.log, "sleep ends"));
      end_asker(chain, how);
      CHECK(has(chain.log, "sleep ends"));
      CHECK_FALSE(has(chain.log, "sleep is through"));
      chain.first.tell(Note{"next"});
      chain.w.run_until_idle();
      CHECK(has(chain.log, "next"));
    }
  }
}

TEST_CASE("what an ended handler has asked is withdrawn in turn, down the chain") {
  for (const bool apart : {false, true}) {
    for (const End how : ends) {
      Chain chain{apart};
      chain.asker.tell(Go{"ask", how == End::deadline ? 100ms : 1min});
      chain.w.advance(50ms);
      CHECK(has(chain.log, "nested begins"));
      end_asker(chain, how);
      CHECK(has(chain.log, "ask ends"));
      CHECK(has(chain.log, "nested ends"));
      CHECK_FALSE(has(chain.log, "ask is through"));
      CHECK_FALSE(has(chain.log, "nested is through"));
    }
  }
}

TEST_CASE("a request whose asker has gone is never begun, and its room is free at once") {
  for (const bool apart : {false, true}) {
    for (const End how : ends) {
      Chain chain{apart};
      chain.first.tell(Hold{1min});
      chain.w.run_until_idle();
      chain.asker.tell(Go{"sleep", how == End::deadline ? 100ms : 1h});
      chain.w.advance(50ms);
      CHECK_EQ(chain.first.address().cell->depth, 1);
      end_asker(chain, how);
      CHECK_EQ(chain.first.address().cell->depth, 0);
      chain.w.advance(2min);
      CHECK_FALSE(has(chain.log, "sleep begins"));
      CHECK_EQ(dropped(chain.w, "Worker", how == End::deadline ? Drop::expired : Drop::unwanted), 1);
    }
  }
}

TEST_CASE("a send that an ended handler waited with is taken back") {
  for (const bool apart : {false, true}) {
    Chain chain{apart};
    chain.last.tell(Hold{1min});
    chain.w.run_until_idle();
    chain.last.tell(Note{"fills the mailbox"});
    chain.asker.tell(Go{"send", 1h});
    chain.w.advance(50ms);
    CHECK(has(chain.log, "send begins"));
    end_asker(chain, End::restart);
    CHECK(has(chain.log, "send ends"));
    chain.w.advance(2min);
    CHECK(has(chain.log, "fills the mailbox"));
    CHECK_FALSE(has(chain.log, "was sent"));
  }
}

TEST_CASE("a shielded handler goes on to its next await after the shield, and can see that nobody waits") {
  for (const bool apart : {false, true}) {
    for (const End how : ends) {
      Chain chain{apart};
      chain.asker.tell(Go{"shielded", how == End::deadline ? 100ms : 1min});
      chain.w.advance(50ms);
      end_asker(chain, how);
      chain.w.advance(1s);
      CHECK(has(chain.log, "nobody waits"));
      CHECK(has(chain.log, "what was shielded is through"));
      CHECK(has(chain.log, "shielded ends"));
      CHECK_FALSE(has(chain.log, "shielded is through"));
    }
  }
}

TEST_CASE("a handler that is asked by somebody who waits sees that, and is not ended") {
  Chain chain{true};
  chain.asker.tell(Go{"shielded", 1min});
  chain.w.advance(1s);
  CHECK(has(chain.log, "somebody waits"));
  CHECK(has(chain.log, "answered"));
}

TEST_CASE("a blocking job is awaited to its end, whoever gives up") {
  Chain chain{false};
  chain.asker.tell(Go{"blocking", 1min});
  chain.w.run_until_idle();
  lifecycle::request_stop(nullptr, chain.asker.address());
  chain.w.run_until_idle();  // the job takes its time yet
  CHECK_FALSE(has(chain.log, "blocking ends"));
  chain.w.advance(1s);
  CHECK(has(chain.log, "the job is through"));
}

namespace {

struct Relay {
  std::string how;
  using reply = Instant;
};
struct Chime {};
struct HandOn {
  Ref<Worker> to;
  using reply = int;
};
/// Lets another answer for it.
struct Agent {
  Delegated<int, NoError> handle(HandOn m) { return m.to.delegate(Work{"sleep"}); }
};
struct Insist {
  Ref<Agent> agent;
  Ref<Worker> worker;
};
struct Client {
  Task<void> handle(Insist m) {
    auto answer = co_await m.agent.ask(HandOn{m.worker}, {.within = 100ms});
    CHECK_FALSE(answer.has_value());
  }
};

/// Asks, tells, starts a timer and spawns while it handles an ask; each that it reaches notes its deadline.
class Inheritor {
 public:
  explicit Inheritor(Ref<Worker> worker, std::shared_ptr<std::vector<Instant>> told) : worker_(worker), told_(told) {}
  struct Child {
    explicit Child(std::shared_ptr<std::vector<Instant>> told) : told_(std::move(told)) {}
    void started(Context& ctx) { told_->push_back(ctx.deadline()); }
    void handle(Chime, Context& ctx) { told_->push_back(ctx.deadline()); }
    std::shared_ptr<std::vector<Instant>> told_;
  };
  Task<Instant> handle(Relay m, Context& ctx) {
    if (m.how == "tell") child_.tell(Chime{});
    if (m.how == "timer") ctx.after(this, 1ms, Chime{});
    if (m.how == "spawn") child_ = ctx.spawn<Child>({}, told_);
    if (m.how == "after an await") co_await ctx.sleep(10ms);
    auto seen = co_await worker_.ask(Look{}, {.within = m.how == "shorter" ? 1s : Duration{1h}});
    co_return seen.value();
  }
  void handle(Chime, Context& ctx) { told_->push_back(ctx.deadline()); }

 private:
  Ref<Worker> worker_;
  Ref<Child> child_;
  std::shared_ptr<std::vector<Instant>> told_;
};

}  // namespace

TEST_CASE("a withdrawal follows a duty that was handed on") {
  for (const bool apart : {false, true}) {
    Chain chain{apart};
    auto agent = chain.w.spawn<Agent>({.core = 0});
    auto client = chain.w.spawn<Client>({.core = 0});
    client.tell(Insist{agent, chain.first});
    chain.w.advance(50ms);
    CHECK(has(chain.log, "sleep begins"));
    chain.w.advance(100ms);
    CHECK(has(chain.log, "sleep ends"));
    CHECK_FALSE(has(chain.log, "sleep is through"));
  }
}

TEST_CASE("an ask inherits the deadline of the ask being handled; tells, timers and children inherit none") {
  for (int core = 0; core < 2; ++core) {
    test::World w{1};
    auto told = std::make_shared<std::vector<Instant>>();
    auto worker = w.spawn<Worker>({.core = core}, new_log(), Ref<Worker>{});
    auto inheritor = w.spawn<Inheritor>({.core = 0}, worker, told);
    w.run_until_idle();
    const Instant now = w.manual_clock().now();
    CHECK_EQ(w.block_on(inheritor.ask(Relay{"plain"}, {.within = 10s})).value(), now + 10s);
    CHECK_EQ(w.block_on(inheritor.ask(Relay{"shorter"}, {.within = 10s})).value(), now + 1s);
    CHECK_EQ(w.block_on(inheritor.ask(Relay{"after an await"}, {.within = 10s})).value(), now + 10s);
    for (const char* how : {"spawn", "tell", "timer"}) {
      CHECK(w.block_on(inheritor.ask(Relay{how}, {.within = 10s})).has_value());
      w.advance(1s);
    }
    REQUIRE_EQ(told->size(), 3);
    for (const Instant deadline : *told) CHECK_EQ(deadline, Instant::never());
  }
}

TEST_CASE("expired work is dropped before it runs: on its way, in the queue, and parked outside") {
  for (const bool apart : {false, true}) {
    for (const Overflow overflow : {Overflow::backpressure, Overflow::block}) {
      test::World w{1};
      Log log = new_log();
      auto worker =
          w.spawn<Worker>({.core = apart ? 1 : 0, .mailbox = {.capacity = 1, .overflow = overflow, .block_for = 1h}},
                          log, Ref<Worker>{});
      auto asker = w.spawn<Asker>({.core = 0}, log, worker);
      w.run_until_idle();
      worker.tell(Hold{1min});
      w.run_until_idle();
      worker.tell(Note{"first"});
      w.run_until_idle();  // it has the only place before somebody reserves that for an ask
      asker.tell(Go{"sleep", 100ms});
      asker.tell(Go{"sleep", 0ms});
      w.advance(10min);
      CHECK(has(log, "first"));
      CHECK_FALSE(has(log, "sleep begins"));
      CHECK_GE(dropped(w, "Worker", Drop::expired), overflow == Overflow::block ? 2 : 1);
    }
  }
}

TEST_CASE("what has expired on its way takes nobody's place in a full mailbox") {
  test::World w{1};
  Log log = new_log();
  auto worker =
      w.spawn<Worker>({.core = 1, .mailbox = {.capacity = 1, .overflow = Overflow::drop_oldest}}, log, Ref<Worker>{});
  auto asker = w.spawn<Asker>({.core = 0}, log, worker);
  worker.tell(Hold{1s});
  w.run_until_idle();
  worker.tell(Note{"still wanted"});
  w.run_until_idle();
  asker.tell(Go{"sleep", 0ms});
  w.advance(1min);
  CHECK(has(log, "still wanted"));
}
