// Supervision: what a fault does to the actor, to its children, and to who talks to it.
#include <doctest/doctest.h>

#include "troupe/actor/sim/world.h"

using namespace troupe::actor;
using namespace std::chrono_literals;

namespace {

struct Log {
  std::vector<std::string> lines;
  void add(std::string line) { lines.push_back(std::move(line)); }
  std::size_t count(std::string_view line) const {
    return static_cast<std::size_t>(std::count(lines.begin(), lines.end(), line));
  }
};
using SharedLog = std::shared_ptr<Log>;

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
struct Quit {};

class Child {
 public:
  Child(SharedLog log, std::string name) : log_(std::move(log)), name_(std::move(name)) {}
  ~Child() { log_->add("~" + name_); }
  void started(Context&) { log_->add("start " + name_); }
  void stopped(Context&) { log_->add("stop " + name_); }
  void handle(Break m) {
    if (m.how == "logic") throw std::logic_error(m.how);
    throw std::runtime_error(m.how);
  }
  int handle(Count) { return ++count_; }
  Task<int> handle(Nap m) {
    co_await sleep(m.length);
    co_return ++count_;
  }
  void handle(Quit, Context& ctx) { ctx.stop(); }

 private:
  SharedLog log_;
  std::string name_;
  int count_ = 0;
};

/// Lets other messages in while one handler is suspended.
class Interleaving {
 public:
  static constexpr bool interleaves = true;
  explicit Interleaving(SharedLog log) : log_(std::move(log)) {}
  int handle(Count) { return ++count_; }
  void handle(Break) { throw std::runtime_error("broken"); }
  Task<int> handle(Nap m) {
    struct Ended {
      SharedLog log;
      ~Ended() { log->add("a frame ended"); }
    } ended{log_};
    co_await sleep(m.length);
    co_return 0;
  }

 private:
  SharedLog log_;
  int count_ = 0;
};

/// Is not ready until its start, which waits, is through.
class SlowStart {
 public:
  static constexpr bool interleaves = true;
  Task<void> started(Context& ctx) {
    co_await ctx.sleep(1s);
    ready_ = 7;
  }
  int handle(Count) { return ready_; }

 private:
  int ready_ = 0;
};

/// Has a callback from outside, as a socket's.
class Door {
 public:
  explicit Door(std::shared_ptr<Entry> entry) : entry_(std::move(entry)) {}
  void started(Context& ctx) { *entry_ = ctx.entry(); }
  int handle(Count) { return 1; }

 private:
  std::shared_ptr<Entry> entry_;
};

struct Brood {
  using reply = std::vector<Ref<Child>>;
};

class Parent {
 public:
  Parent(SharedLog log, int children, ActorOptions options) : log_(std::move(log)), n_(children), options_(options) {}
  void started(Context& ctx) {
    log_->add("start parent");
    for (int i = 0; i < n_; ++i) children_.push_back(ctx.spawn<Child>(options_, log_, "child" + std::to_string(i)));
  }
  void stopped(Context&) { log_->add("stop parent"); }
  std::vector<Ref<Child>> handle(Brood) { return children_; }
  void handle(Break) { throw std::runtime_error("the parent broke"); }

 private:
  SharedLog log_;
  int n_;
  ActorOptions options_;
  std::vector<Ref<Child>> children_;
};

struct Fixture {
  explicit Fixture(std::uint64_t seed, int children, ActorOptions child = {}, Supervision supervision = {}) : w(seed) {
    parent = w.spawn<Parent>({.name = "parent", .supervision = std::move(supervision)}, log, children, child);
    refs = w.block_on(parent.ask(Brood{})).value();
  }
  SharedLog log = std::make_shared<Log>();
  test::World w;
  Ref<Parent> parent;
  std::vector<Ref<Child>> refs;
};

}  // namespace

TEST_CASE("a fault restarts the child alone; its reference and its queue survive, its state does not") {
  for (int core = 0; core < 2; ++core) {
    Fixture f{5, 2, {.core = core}};
    CHECK_EQ(f.w.block_on(f.refs[0].ask(Count{})).value(), 1);
    CHECK_EQ(f.w.block_on(f.refs[1].ask(Count{})).value(), 1);
    f.refs[0].tell(Break{});
    CHECK_EQ(f.w.block_on(f.refs[0].ask(Count{})).value(), 1);  // queued behind the fault, handled after the restart
    CHECK_EQ(f.w.block_on(f.refs[1].ask(Count{})).value(), 2);
    CHECK_EQ(f.log->count("start child0"), 2);
    CHECK_EQ(f.log->count("start child1"), 1);
    CHECK_EQ(f.log->count("start parent"), 1);
  }
}

TEST_CASE("a restart ends suspended handlers and tells their askers that they ran") {
  test::World w{1};
  SharedLog log = std::make_shared<Log>();
  auto child = w.spawn<Interleaving>({}, log);
  auto napping = std::make_shared<std::optional<Outcome>>();
  w.system().run_as_guest([](Ref<Interleaving> who, std::shared_ptr<std::optional<Outcome>> out) -> Task<void> {
    auto slept = co_await who.ask(Nap{1h}, {.within = 2h});
    *out = slept.error().outcome;
  }(child, napping));
  w.run_until_idle();
  CHECK_FALSE(napping->has_value());
  CHECK_EQ(w.block_on(child.ask(Count{})).value(), 1);  // handled while the nap is suspended
  child.tell(Break{});
  w.run_until_idle();
  w.advance(1s);
  REQUIRE(napping->has_value());
  CHECK_EQ(**napping, Outcome::executed_failed);
  CHECK_EQ(log->count("a frame ended"), 1);
  CHECK_EQ(w.block_on(child.ask(Count{})).value(), 1);
}

TEST_CASE("the n-th restart in a row waits longer, and a quiet time resets the wait") {
  Fixture f{
      1, 1, {}, {.intensity = {.restarts = 100, .within = 1h}, .backoff = {.min = 100ms, .max = 1s, .jitter = 0}}};
  const Duration expected[] = {100ms, 200ms, 400ms, 800ms, 1s, 1s};
  for (std::size_t i = 0; i < std::size(expected); ++i) {
    f.refs[0].tell(Break{});
    f.w.run_until_idle();
    f.w.advance(expected[i] - 2ms);
    CHECK_EQ(f.log->count("start child0"), i + 1);
    f.w.advance(4ms);
    CHECK_EQ(f.log->count("start child0"), i + 2);
  }
  f.w.advance(31s);
  f.refs[0].tell(Break{});
  f.w.advance(102ms);
  CHECK_EQ(f.log->count("start child0"), 8);
}

TEST_CASE("a back-off without an end to its growth stays a time that there is") {
  constexpr Duration most = Duration::max();
  Fixture f{1, 1, {}, {.backoff = {.min = most, .max = most, .jitter = 1.0}}};
  f.refs[0].tell(Break{});
  f.w.advance(24h);
  CHECK_EQ(f.log->count("start child0"), 1);
}

TEST_CASE("too many restarts in the window and the supervisor fails itself, so that its own parent acts") {
  Fixture f{1, 2, {}, {.intensity = {.restarts = 2, .within = 10s}, .backoff = {.min = 1ms, .max = 1ms}}};
  for (int i = 0; i < 3; ++i) {
    f.refs[0].tell(Break{});
    f.w.advance(5ms);
  }
  f.w.advance(1s);
  CHECK_EQ(f.log->count("start parent"), 2);
  CHECK_EQ(f.log->count("stop child1"), 1);
  auto fresh = f.w.block_on(f.parent.ask(Brood{})).value();
  CHECK_EQ(f.w.block_on(fresh[0].ask(Count{})).value(), 1);
  CHECK_EQ(f.w.block_on(f.refs[0].ask(Count{})).error().outcome, Outcome::not_executed);
}

TEST_CASE("a supervisor decides by exception: resume, stop, escalate") {
  auto decide = [](const std::exception_ptr& error) {
    try {
      std::rethrow_exception(error);
    } catch (const std::logic_error&) {
      return Directive::resume;
    } catch (const std::exception& e) {
      return std::string_view{e.what()} == "fatal" ? Directive::escalate : Directive::stop;
    }
  };
  Fixture f{1, 2, {}, {.decide = decide}};
  f.w.block_on(f.refs[0].ask(Count{})).value();
  f.refs[0].tell(Break{"logic"});
  CHECK_EQ(f.w.block_on(f.refs[0].ask(Count{})).value(), 2);

  f.refs[0].tell(Break{"other"});
  f.w.run_until_idle();
  CHECK_EQ(f.log->count("stop child0"), 1);
  CHECK_FALSE(f.w.block_on(f.refs[0].ask(Count{})).has_value());

  f.refs[1].tell(Break{"fatal"});
  f.w.advance(1s);
  CHECK_EQ(f.log->count("start parent"), 2);
}

TEST_CASE("a temporary child is never restarted, a permanent one also when it stops itself") {
  Fixture temporary{1, 1, {.restart = Restart::temporary}};
  temporary.refs[0].tell(Break{});
  temporary.w.advance(1min);
  CHECK_EQ(temporary.log->count("start child0"), 1);
  CHECK_EQ(temporary.log->count("~child0"), 1);

  Fixture permanent{1, 1, {.restart = Restart::permanent}};
  permanent.refs[0].tell(Quit{});
  permanent.w.advance(1min);
  CHECK_EQ(permanent.log->count("start child0"), 2);

  Fixture transient{1, 1, {.restart = Restart::transient}};
  transient.refs[0].tell(Quit{});
  transient.w.advance(1min);
  CHECK_EQ(transient.log->count("start child0"), 1);
}

TEST_CASE("children are stopped in the reverse order of their start, before their parent") {
  for (int core = 0; core < 2; ++core) {
    Fixture f{9, 3, {.core = core}};
    f.w.shutdown();
    const std::vector<std::string> expected{"start parent", "start child0", "start child1", "start child2",
                                            "stop child2",  "~child2",      "stop child1",  "~child1",
                                            "stop child0",  "~child0",      "stop parent"};
    CHECK_EQ(f.log->lines, expected);
  }
}

namespace {

struct Look {
  using reply = int;
};
class Watcher {
 public:
  explicit Watcher(Ref<Child> child) : child_(child) {}
  void started(Context& ctx) { ctx.watch(this, child_); }
  void handle(Terminated t) { seen_ += t.reason == StopReason::failed ? 10 : 1; }
  int handle(Look) { return seen_; }

 private:
  Ref<Child> child_;
  int seen_ = 0;
};

}  // namespace

TEST_CASE("who watches is told of an end once, also of one that is past, and with its reason") {
  for (int core = 0; core < 2; ++core) {
    Fixture f{2, 1, {.restart = Restart::temporary}};
    auto early = f.w.spawn<Watcher>({.core = core}, f.refs[0]);
    f.w.run_until_idle();
    CHECK_EQ(f.w.block_on(early.ask(Look{})).value(), 0);
    f.refs[0].tell(Break{});
    f.w.run_until_idle();
    CHECK_EQ(f.w.block_on(early.ask(Look{})).value(), 10);
    auto late = f.w.spawn<Watcher>({.core = core}, f.refs[0]);
    f.w.run_until_idle();
    CHECK_EQ(f.w.block_on(late.ask(Look{})).value(), 1);
  }
}

namespace {

class BadConstructor {
 public:
  BadConstructor(std::shared_ptr<int> tries) {
    if (++*tries < 3) throw std::runtime_error("not yet");
  }
  int handle(Count) { return 1; }
};

}  // namespace

TEST_CASE("a constructor that throws is a fault like any other; what was told meanwhile waits") {
  test::World w{1};
  auto tries = std::make_shared<int>(0);
  auto actor = w.spawn<BadConstructor>({}, tries);
  CHECK_EQ(w.block_on(actor.ask(Count{})).value(), 1);
  CHECK_EQ(*tries, 3);
}

TEST_CASE("nothing is handled before a start that waits is through") {
  test::World w{1};
  auto actor = w.spawn<SlowStart>({});
  CHECK_EQ(w.block_on(actor.ask(Count{})).value(), 7);
}

TEST_CASE("a callback that enters an actor runs as its part: its fault is the actor's, and the door closes with it") {
  test::World w{1};
  auto entry = std::make_shared<Entry>();
  auto actor = w.spawn<Door>({}, entry);
  w.run_until_idle();
  const Core::Scope scope{w.core(0)};
  bool ran = false;
  CHECK_EQ((*entry)([&] { ran = true; }), Entered::ran);
  CHECK(ran);
  const Entry before = *entry;
  CHECK_EQ(before([] { throw std::runtime_error("a bad frame"); }), Entered::ran);
  CHECK_EQ(before([&] { ran = false; }), Entered::not_now);
  w.advance(1s);
  CHECK_EQ(before([&] { ran = false; }), Entered::ran);
  lifecycle::request_stop(&w.core(0), actor.address());
  w.run_until_idle();
  CHECK_EQ(before([&] { ran = true; }), Entered::gone);
  CHECK_FALSE(ran);
}
