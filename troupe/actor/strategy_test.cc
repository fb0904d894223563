// Strategies: whom a fault takes along, in which order they stop and start, and who decides.
#include <doctest/doctest.h>

#include <set>

#include "troupe/actor/sim/explore.h"

using namespace troupe::actor;
using namespace std::chrono_literals;

namespace {

using Lines = std::vector<std::string>;
using Log = std::shared_ptr<Lines>;

struct TableCorrupted : std::runtime_error {
  using std::runtime_error::runtime_error;
};
struct BadInput : std::logic_error {
  using std::logic_error::logic_error;
};

struct Break {
  std::string how = "broken";
};
struct Count {
  using reply = int;
};
struct Nap {
  Duration length;
  using reply = int;
};

/// Its faults are told to it; its first `bad_starts` restarts fail.
class Part {
 public:
  Part(Log log, std::string name, std::shared_ptr<int> bad_starts = nullptr)
      : log_(std::move(log)), name_(std::move(name)), bad_starts_(std::move(bad_starts)) {}
  void started(Context&) {
    log_->push_back("+" + name_);
    if (bad_starts_ && *bad_starts_ > 0 && --*bad_starts_ >= 0) throw std::runtime_error("a bad start");
  }
  void stopped(Context&) { log_->push_back("-" + name_); }
  void handle(Break m) {
    if (m.how == "table") throw TableCorrupted(m.how);
    if (m.how == "input") throw BadInput(m.how);
    if (m.how == "fatal") throw 7;
    throw std::runtime_error(m.how);
  }
  int handle(Count) { return ++count_; }
  Task<int> handle(Nap m) {
    co_await sleep(m.length);
    co_return ++count_;
  }

 private:
  Log log_;
  std::string name_;
  std::shared_ptr<int> bad_starts_;
  int count_ = 0;
};

/// A supervisor of a, b and c, which may stand on different cores.
struct Family {
  explicit Family(Supervision supervision, std::vector<ActorOptions> options = {}, bool spread = false,
                  test::Seed seed = 1, std::shared_ptr<int> bad_starts = nullptr)
      : w(seed, {.cores = 3}) {
    options.resize(3);
    supervisor = supervise(w.system(), "family", std::move(supervision), [&](Children& c) {
      for (int i = 0; i < 3; ++i) {
        ActorOptions& o = options[static_cast<std::size_t>(i)];
        o.name = std::string(1, static_cast<char>('a' + i));
        if (spread) o.core = (i + 1) % 3;
        parts.push_back(c.child<Part>(o, log, o.name, i == 2 ? bad_starts : nullptr));
      }
    });
    w.run_until_idle();
    log->clear();
  }
  int count(int i) { return w.block_on(parts[static_cast<std::size_t>(i)].ask(Count{}, {.within = 1min})).value(); }
  void break_part(int i, std::string how = "broken") { parts[static_cast<std::size_t>(i)].tell(Break{std::move(how)}); }
  Lines take() { return std::exchange(*log, {}); }

  Log log = std::make_shared<Lines>();
  test::World w;
  Ref<Supervisor> supervisor;
  std::vector<Ref<Part>> parts;
};

constexpr Backoff fixed(Duration delay) { return {.min = delay, .max = delay, .jitter = 0}; }

}  // namespace

TEST_CASE("all_for_one stops the siblings in reverse order, then starts all in order, each with its mailbox") {
  for (const bool spread : {false, true}) {
    for (int broken = 0; broken < 3; ++broken) {
      Family f{{.strategy = Strategy::all_for_one, .backoff = fixed(100ms)}, {}, spread};
      for (int i = 0; i < 3; ++i) CHECK_EQ(f.count(i), 1);
      f.break_part(broken);
      f.w.run_until_idle();
      Lines stops{"-c", "-b", "-a"};
      stops.erase(stops.begin() + 2 - broken);  // the one that broke has no say any more
      CHECK_EQ(f.take(), stops);
      f.w.advance(99ms);
      CHECK(f.take().empty());
      f.w.advance(2ms);
      CHECK_EQ(f.take(), Lines{"+a", "+b", "+c"});
      for (int i = 0; i < 3; ++i) CHECK_EQ(f.count(i), 1);
    }
  }
}

TEST_CASE("what is told to a sibling while all restart waits and is handled by its successor") {
  Family f{{.strategy = Strategy::all_for_one, .backoff = fixed(100ms)}, {}, true};
  CHECK_EQ(f.count(0), 1);
  f.break_part(1);
  f.w.run_until_idle();
  CHECK_EQ(f.count(0), 1);  // asked while it is down, answered by the new one
  CHECK_EQ(f.count(0), 2);
}

TEST_CASE("rest_for_one takes along who was started after the one that failed, and nobody else") {
  for (const bool spread : {false, true}) {
    Family f{{.strategy = Strategy::rest_for_one, .backoff = fixed(10ms)}, {}, spread};
    for (int i = 0; i < 3; ++i) CHECK_EQ(f.count(i), 1);
    f.break_part(1);
    f.w.advance(11ms);
    CHECK_EQ(f.take(), Lines{"-c", "+b", "+c"});
    CHECK_EQ(f.count(0), 2);
    CHECK_EQ(f.count(1), 1);
    CHECK_EQ(f.count(2), 1);
    f.break_part(2);
    f.w.advance(11ms);
    CHECK_EQ(f.take(), Lines{"+c"});
  }
}

TEST_CASE("a temporary sibling is stopped and not started again; its own fault takes nobody along") {
  Family f{{.strategy = Strategy::all_for_one, .backoff = fixed(10ms)}, {{}, {.restart = Restart::temporary}, {}}};
  f.break_part(0);
  f.w.advance(11ms);
  CHECK_EQ(f.take(), Lines{"-c", "-b", "+a", "+c"});
  CHECK_EQ(f.w.block_on(f.parts[1].ask(Count{})).error().outcome, Outcome::not_executed);

  Family g{{.strategy = Strategy::all_for_one, .backoff = fixed(10ms)}, {{}, {.restart = Restart::temporary}, {}}};
  g.break_part(1);
  g.w.advance(1s);
  CHECK_EQ(g.take(), Lines{"-b"});
  CHECK_EQ(g.count(0), 1);
}

TEST_CASE("a second fault while several restart sends all back to the first step, and counts") {
  Family f{{.strategy = Strategy::all_for_one, .intensity = {.restarts = 2, .within = 1min}, .backoff = fixed(10ms)},
           {}};
  f.break_part(0);
  f.parts[0].tell(Break{});  // waits in the mailbox and breaks the successor, while b and c are still down or starting
  f.w.advance(1s);
  const Lines lines = f.take();
  CHECK_EQ(Lines(lines.begin(), lines.begin() + 3), Lines{"-c", "-b", "+a"});
  CHECK_EQ(Lines(lines.end() - 3, lines.end()), Lines{"+a", "+b", "+c"});
  for (int i = 0; i < 3; ++i) CHECK_EQ(f.count(i), 1);
}

TEST_CASE("a start that fails while several restart is tried again with all of them") {
  auto bad_starts = std::make_shared<int>(0);
  Family f{{.strategy = Strategy::rest_for_one, .backoff = fixed(10ms)}, {}, true, 1, bad_starts};
  *bad_starts = 2;
  f.break_part(1);
  f.w.advance(1s);
  // c alone fails from then on, and what comes after c is c.
  CHECK_EQ(f.take(), Lines{"-c", "+b", "+c", "+c", "+c"});
  CHECK_EQ(f.count(2), 1);
}

TEST_CASE("a fault of another while it waits to be restarted with the rest changes nothing") {
  Family f{{.strategy = Strategy::all_for_one, .intensity = {.restarts = 1, .within = 1min}, .backoff = fixed(10ms)}};
  f.break_part(2);
  f.break_part(0);
  f.break_part(1);
  f.w.run_until_idle();
  f.w.advance(1s);
  for (int i = 0; i < 3; ++i) CHECK_EQ(f.count(i), 1);
  CHECK_FALSE(f.w.system().failed());
}

TEST_CASE("restart_all restarts all whatever the strategy; restart then is the child alone (guide: All-for-One)") {
  Family f{{.backoff = fixed(10ms), .decide = on<TableCorrupted>(Directive::restart_all)}};
  f.break_part(1);
  f.w.advance(11ms);
  CHECK_EQ(f.take(), Lines{"+b"});
  f.break_part(1, "table");
  f.w.advance(21ms);
  CHECK_EQ(f.take(), Lines{"-c", "-a", "+a", "+b", "+c"});
}

namespace {

constexpr struct {
  const char* what;
  Directive expected[4];  // of TableCorrupted, BadInput, runtime_error, int
} decisions[] = {
    {"one rule, the rest is restarted", {Directive::stop, Directive::restart, Directive::restart, Directive::restart}},
    {"the first that fits", {Directive::stop, Directive::resume, Directive::escalate, Directive::restart}},
    {"otherwise", {Directive::stop, Directive::escalate, Directive::escalate, Directive::escalate}},
    {"joined", {Directive::stop, Directive::resume, Directive::restart, Directive::restart_all}},
    {"nothing after otherwise", {Directive::stop, Directive::stop, Directive::stop, Directive::stop}},
};

std::vector<Decide> rules() {
  return {on<TableCorrupted>(Directive::stop),
          on<TableCorrupted>(Directive::stop)
              .on<std::logic_error>(Directive::resume)
              .on<std::exception>(Directive::escalate),
          on<TableCorrupted>(Directive::stop).otherwise(Directive::escalate),
          on<TableCorrupted>(Directive::stop) |
              on<BadInput>(Directive::resume).on<std::exception>(Directive::restart).otherwise(Directive::restart_all),
          on<int>(Directive::stop).otherwise(Directive::stop) | on<TableCorrupted>(Directive::resume)};
}

}  // namespace

TEST_CASE("rules by the type of an exception hold in their order") {
  const std::exception_ptr faults[] = {std::make_exception_ptr(TableCorrupted{"t"}),
                                       std::make_exception_ptr(BadInput{"b"}),
                                       std::make_exception_ptr(std::runtime_error{"r"}), std::make_exception_ptr(7)};
  const auto all = rules();
  REQUIRE_EQ(all.size(), std::size(decisions));
  for (std::size_t i = 0; i < all.size(); ++i) {
    CAPTURE(decisions[i].what);
    for (std::size_t k = 0; k < std::size(faults); ++k) CHECK_EQ(all[i](faults[k]), decisions[i].expected[k]);
  }
}

namespace {

/// The custom strategy of the guide, as a user writes it.
struct ExponentialBackoffStrategy {
  Duration base_delay, delay_max;
  std::uint32_t attempts_max;
  Decision operator()(const Fault& fault) const {
    if (fault.child.attempt >= attempts_max) return Directive::stop;
    return {Directive::restart, std::min(base_delay * (1u << fault.child.attempt), delay_max)};
  }
};

}  // namespace

TEST_CASE("a strategy of one's own answers with a delay, and gives up as it likes (guide: Custom Restart Strategy)") {
  Family f{{.intensity = {.restarts = 100, .within = 1h}, .decide = ExponentialBackoffStrategy{100ms, 350ms, 4}}};
  for (const Duration delay : {100ms, 200ms, 350ms, 350ms}) {
    f.break_part(0);
    f.w.advance(delay - 1ms);
    CHECK(f.take().empty());
    f.w.advance(2ms);
    CHECK_EQ(f.take(), Lines{"+a"});
  }
  f.break_part(0);
  f.w.advance(1s);
  CHECK_EQ(f.take(), Lines{"-a"});
  CHECK_EQ(f.count(1), 1);
}

TEST_CASE("a strategy of one's own sees the child, its siblings, the exception and how often it happened") {
  struct Seen {
    std::string name, during, what;
    Lines siblings;
    std::uint32_t attempt, recent;
    bool is_b;
  };
  auto seen = std::make_shared<std::vector<Seen>>();
  auto who = std::make_shared<Ref<Part>>();
  Family f{{.backoff = fixed(10ms), .decide = [seen, who](const Fault& fault) {
              Lines names;
              for (const auto& one : fault.siblings())
                names.push_back(std::string{one.name} + (one.running ? "+" : "-"));
              seen->push_back({std::string{fault.child.name}, std::string{fault.during},
                               lifecycle::describe(fault.error), names, fault.child.attempt, fault.recent,
                               fault.child.is(*who)});
              return Directive::restart;
            }}};
  *who = f.parts[1];
  f.break_part(1, "first");
  f.w.advance(11ms);
  f.break_part(1, "second");
  f.break_part(2, "third");
  f.w.advance(11ms);
  REQUIRE_EQ(seen->size(), 3);
  CHECK_EQ((*seen)[0].name, "b");
  CHECK_EQ((*seen)[0].during, "Break");
  CHECK_EQ((*seen)[0].what, "first");
  CHECK_EQ((*seen)[0].siblings, Lines{"a+", "b-", "c+"});
  CHECK((*seen)[0].is_b);
  CHECK_EQ((*seen)[0].attempt, 0);
  CHECK_EQ((*seen)[1].attempt + (*seen)[2].attempt, 1);  // b's second, c's first
  CHECK_EQ((*seen)[2].recent, 2);
}

TEST_CASE("a supervisor that was told nothing gives up after twenty restarts in a row, however slow they are") {
  CHECK_EQ(Backoff{}.attempts_max, 20);
  CHECK_EQ(Supervision{}.backoff, Backoff{});
}

TEST_CASE("after attempts_max restarts in a row the supervisor gives up, and a quiet time resets the count") {
  Backoff backoff = fixed(10ms);
  backoff.attempts_max = 2;
  backoff.reset_after = 1s;
  Family f{{.intensity = {.restarts = 100, .within = 1h}, .backoff = backoff}};
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 2; ++i) {
      f.break_part(0);
      f.w.advance(11ms);
      CHECK_EQ(f.take(), Lines{"+a"});
    }
    f.w.advance(2s);
  }
  for (int i = 0; i < 3; ++i) {
    f.break_part(0);
    f.w.advance(11ms);
  }
  f.w.advance(1s);
  CHECK_EQ(f.take(), Lines{"+a", "+a", "-c", "-b", "+a", "+b", "+c"});  // the family as a whole
}

TEST_CASE("the window of the intensity slides: what lies further back does not count") {
  Family f{{.intensity = {.restarts = 2, .within = 1s}, .backoff = fixed(1ms)}};
  for (int i = 0; i < 6; ++i) {
    f.break_part(0);
    f.w.advance(600ms);
  }
  CHECK_EQ(f.take(), Lines(6, "+a"));
  f.w.advance(1s);
  for (int i = 0; i < 3; ++i) {
    f.break_part(1);
    f.w.advance(100ms);
  }
  f.w.advance(1s);
  CHECK_EQ(f.take().back(), "+c");  // the third within a second was one too many
}

TEST_CASE("a supervisor that starts anew has its patience back, and its children keep their references") {
  Family f{{.intensity = {.restarts = 1, .within = 1h}, .backoff = fixed(1ms)}};
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 2; ++i) {
      f.break_part(0);
      f.w.advance(2ms);
    }
    f.w.advance(1s);
    CHECK_EQ(f.take(), Lines{"+a", "-c", "-b", "+a", "+b", "+c"});
    CHECK_EQ(f.count(0), 1);
  }
}

TEST_CASE("jitter varies the back-off within its bounds") {
  std::set<std::int64_t> seen;
  test::explore(
      {.schedules = 20},
      [&](test::Seed seed) {
        Family f{{.backoff = {.min = 100ms, .max = 100ms, .jitter = 0.5}}, {}, false, seed};
        f.break_part(0);
        f.w.advance(49ms);
        std::int64_t waited = 49;
        while (f.log->empty()) {
          f.w.advance(1ms);
          ++waited;
        }
        CHECK_LE(waited, 152);
        seen.insert(waited);
      },
      [&] { CHECK_GE(seen.size(), 10); });
}

TEST_CASE("a failing message is not handled again, and its asker is told that it was executed and failed") {
  struct Poison {
    using reply = int;
  };
  struct Victim {
    explicit Victim(std::shared_ptr<int> its_tries) : tries(std::move(its_tries)) {}
    int handle(Poison) {
      ++*tries;
      throw std::runtime_error("poison");
    }
    int handle(Count) { return *tries; }
    std::shared_ptr<int> tries;
  };
  test::World w{1};
  auto victim = w.spawn<Victim>({}, std::make_shared<int>(0));
  CHECK_EQ(w.block_on(victim.ask(Poison{})).error().outcome, Outcome::executed_failed);
  CHECK_EQ(w.block_on(victim.ask(Count{})).value(), 1);
}

namespace {

struct Deferred {
  using reply = int;
};
struct AskOther {
  using reply = int;
};

/// Has everything that a restart must put down: children, a pending ask, a reply it owes.
class Busy {
 public:
  static constexpr bool interleaves = true;
  struct Below {
    explicit Below(Log its_log) : log(std::move(its_log)) {}
    ~Below() { log->push_back("child"); }
    Log log;
  };
  struct Frame {
    Log log;
    explicit Frame(Log its_log) : log(std::move(its_log)) {}
    ~Frame() { log->push_back("frame"); }
  };

  Busy(Log log, Ref<Part> other) : log_(std::move(log)), other_(other) {}
  ~Busy() { log_->push_back("object"); }
  void started(Context& ctx) { ctx.spawn<Below>({}, log_); }
  void handle(Deferred, Reply<int> reply) { owed_.push_back(std::move(reply)); }
  Task<int> handle(AskOther) {
    Frame frame{log_};
    auto late = co_await other_.ask(Nap{1s});
    log_->push_back("a late reply");
    co_return late.value();
  }
  void handle(Break) { throw std::runtime_error("broken"); }

 private:
  Log log_;
  Ref<Part> other_;
  std::vector<Reply<int>> owed_;
};

Task<void> note(Log log, std::string name, AskAwaiter<Deferred> asked) {
  auto answer = co_await std::move(asked);
  log->push_back(name + (answer.error().outcome == Outcome::executed_failed ? " failed" : " else"));
}
Task<void> note(Log log, std::string name, AskAwaiter<AskOther> asked) {
  auto answer = co_await std::move(asked);
  log->push_back(name + (answer.error().outcome == Outcome::executed_failed ? " failed" : " else"));
}

}  // namespace

TEST_CASE(
    "a restart ends the children, then the suspended frames, then the object; an answer that is due goes nowhere") {
  test::World w{1, {.cores = 2}};
  Log log = std::make_shared<Lines>();
  auto other = w.spawn<Part>({.core = 1}, std::make_shared<Lines>(), "other");
  auto busy = w.spawn<Busy>({}, log, other);
  w.system().run_as_guest(note(log, "deferred", busy.ask(Deferred{})));
  w.system().run_as_guest(note(log, "suspended", busy.ask(AskOther{})));
  w.advance(10ms);
  busy.tell(Break{});
  w.run_until_idle();
  CHECK_EQ(Lines(log->begin(), log->begin() + 3), Lines{"child", "frame", "object"});
  CHECK_EQ(std::count(log->begin(), log->end(), "deferred failed"), 1);
  CHECK_EQ(std::count(log->begin(), log->end(), "suspended failed"), 1);
  CHECK_EQ(log->size(), 5);
  w.advance(10s);
  CHECK_EQ(log->size(), 5);  // the other's answer, due after a second, came to nobody
}
