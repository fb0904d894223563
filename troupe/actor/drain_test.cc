// Stop and drain: what overtakes the queue, what waits its turn in it, and what becomes of the rest.
#include <doctest/doctest.h>

#include "troupe/actor/sim/world.h"

using namespace troupe::actor;
using namespace std::chrono_literals;

namespace {

struct Put {
  int n;
};
struct Ask {
  using reply = int;
};
struct Slow {
  Duration length;
  int n;
  using reply = int;
};
struct DrainYourself {};
struct Break {};

template <bool interleaving>
class Sink {
 public:
  static constexpr bool interleaves = interleaving;
  explicit Sink(std::shared_ptr<std::vector<int>> seen) : seen_(std::move(seen)) {}
  void handle(Put m) { seen_->push_back(m.n); }
  int handle(Ask) { return static_cast<int>(seen_->size()); }
  Task<int> handle(Slow m) {
    co_await sleep(m.length);
    seen_->push_back(m.n);
    co_return m.n;
  }
  void handle(DrainYourself, Context& ctx) { ctx.drain(); }
  void handle(Break) { throw std::runtime_error("broken"); }
  void stopped(Context&) { seen_->push_back(-1); }

 private:
  std::shared_ptr<std::vector<int>> seen_;
};

using Seen = std::shared_ptr<std::vector<int>>;
using Answers = std::shared_ptr<std::vector<std::string>>;

template <class S, class M>
Task<void> note(Ref<S> who, M message, Answers answers) {
  auto answer = co_await who.ask(std::move(message), {.within = 1h});
  if (answer) {
    answers->push_back(std::to_string(*answer));
  } else {
    answers->push_back(answer.error().safe_to_retry() ? "not executed" : "other");
  }
}

struct DrainThem {
  Ref<Sink<true>> who;
};
struct Drainer {
  void handle(DrainThem m, Context& ctx) { ctx.drain(m.who); }
};

std::uint64_t dropped(test::World& w, std::string_view type, Drop reason) {
  for (const auto& figures : figures_of(w.system())) {
    if (figures.type == type) return figures.dropped[static_cast<std::size_t>(reason)];
  }
  return 0;
}

}  // namespace

TEST_CASE("stop overtakes what is queued: asks were not executed, tells are dead letters") {
  for (int core = 0; core < 2; ++core) {
    test::World w{3};
    auto seen = std::make_shared<std::vector<int>>();
    auto answers = std::make_shared<std::vector<std::string>>();
    auto sink = w.spawn<Sink<false>>({.core = core}, seen);
    w.system().run_as_guest(note(sink, Slow{1s, 1}, answers));
    w.run_until_idle();
    sink.tell(Put{2});
    sink.tell(Put{3});
    w.system().run_as_guest(note(sink, Ask{}, answers));
    w.run_until_idle();
    w.system().stop(sink);
    w.run_until_idle();
    CHECK_EQ(*seen, std::vector<int>{-1});
    std::sort(answers->begin(), answers->end());
    CHECK_EQ(*answers, std::vector<std::string>{"not executed", "other"});
    CHECK_EQ(dropped(w, "Sink<false>", Drop::stopped), 3);
    w.run_until_idle();
    CHECK_EQ(w.block_on(sink.ask(Ask{})).error().outcome, Outcome::not_executed);
  }
}

TEST_CASE("drain is handled in its turn: what was told before is done, what comes after is not") {
  for (int core = 0; core < 2; ++core) {
    test::World w{3};
    auto seen = std::make_shared<std::vector<int>>();
    auto answers = std::make_shared<std::vector<std::string>>();
    auto sink = w.spawn<Sink<false>>({.core = core, .mailbox = {.capacity = 3}}, seen);
    sink.tell(Slow{1s, 1});
    w.run_until_idle();
    sink.tell(Put{2});
    sink.tell(Slow{1s, 3});
    sink.tell(Put{4});
    w.run_until_idle();
    w.system().drain(sink);  // a full mailbox does not refuse it
    w.run_until_idle();
    w.system().run_as_guest(note(sink, Ask{}, answers));
    w.advance(1500ms);
    CHECK_EQ(*seen, std::vector<int>{1, 2});
    w.advance(2s);
    CHECK_EQ(*seen, std::vector<int>{1, 2, 3, 4, -1});
    CHECK_EQ(*answers, std::vector<std::string>{"not executed"});
  }
}

TEST_CASE("an actor that interleaves ends when its last suspended handler has, and begins nothing new") {
  test::World w{3};
  auto seen = std::make_shared<std::vector<int>>();
  auto answers = std::make_shared<std::vector<std::string>>();
  auto sink = w.spawn<Sink<true>>({}, seen);
  auto drainer = w.spawn<Drainer>({.core = 1});
  w.system().run_as_guest(note(sink, Slow{1s, 1}, answers));
  w.system().run_as_guest(note(sink, Slow{2s, 2}, answers));
  w.run_until_idle();
  drainer.tell(DrainThem{sink});
  drainer.tell(DrainThem{sink});
  w.run_until_idle();
  sink.tell(Put{7});
  w.advance(1500ms);
  CHECK_EQ(*seen, std::vector<int>{1});
  w.advance(1s);
  CHECK_EQ(*seen, std::vector<int>{1, 2, -1});
  CHECK_EQ(*answers, std::vector<std::string>{"1", "2"});
}

TEST_CASE("draining oneself is stopping oneself later: a permanent actor is started again") {
  test::World w{3};
  auto seen = std::make_shared<std::vector<int>>();
  auto permanent = w.spawn<Sink<false>>({.restart = Restart::permanent}, seen);
  permanent.tell(DrainYourself{});
  permanent.tell(Put{1});
  w.advance(1s);
  CHECK_EQ(w.block_on(permanent.ask(Ask{})).value(), 1);
  w.system().drain(permanent);  // by somebody else it ends
  w.advance(1s);
  CHECK_EQ(w.block_on(permanent.ask(Ask{})).error().outcome, Outcome::not_executed);
}

TEST_CASE("one that fails while it drains ends all the same") {
  test::World w{3};
  auto seen = std::make_shared<std::vector<int>>();
  auto sink = w.spawn<Sink<true>>({}, seen);
  sink.tell(Break{});
  w.system().drain(sink);
  w.advance(1s);
  CHECK_EQ(*seen, std::vector<int>{-1});
  const auto tree = w.block_on(w.system().inspect());
  for (const auto& actor : tree) CHECK_NE(actor.type, "Sink<true>");
}
