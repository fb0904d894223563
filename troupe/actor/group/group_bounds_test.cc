// What groups do at their bounds: control messages are held without one, and what a member on another core has no room
// for is counted and has its dead letter.
#include <doctest/doctest.h>

#include "troupe/actor/sim/explore.h"
#include "troupe/actor/topic.h"

using namespace troupe::actor;
using namespace std::chrono_literals;

namespace {

struct Note {  // control
  static constexpr auto message_class = MessageClass::control;
  int n = 0;
  int key() const noexcept { return n; }
};
struct Job {
  int n = 0;
};
struct Hold {
  Duration length;
};
struct Go {};

constexpr int many = 1500;  // more than a group holds of what is not control

class Worker {
 public:
  explicit Worker(std::shared_ptr<int> handled) : handled_(std::move(handled)) {}
  void handle(Note) { ++*handled_; }
  void handle(Job) { ++*handled_; }
  Task<void> handle(Hold m) { co_await sleep(m.length); }

 private:
  std::shared_ptr<int> handled_;
};

/// Tells its own reference many notes as it is put away.
class Leaver {
 public:
  explicit Leaver(std::shared_ptr<int> handled) : handled_(std::move(handled)) {}
  void handle(Note) { ++*handled_; }
  void stopped(Context& ctx) {
    if (*handled_ > 1) return;
    for (int i = 0; i < many; ++i) ctx.self(this).tell(Note{i});
  }

 private:
  std::shared_ptr<int> handled_;
};

std::uint64_t dropped(test::World& w, std::string_view type, Drop reason) {
  std::uint64_t sum = 0;  // other tests have classes of this name too
  for (const auto& figures : figures_of(w.system())) {
    if (figures.type == type) sum += figures.dropped[static_cast<std::size_t>(reason)];
  }
  return sum;
}

struct Letters {
  void handle(DeadLetter m) { seen->push_back(m); }
  std::shared_ptr<std::vector<DeadLetter>> seen;
};

/// Sends ten jobs from its own core, and counts which it was told to be on their way.
template <class To>
struct Sender {
  void handle(Go) {
    for (int i = 0; i < 10; ++i) *sent += to.tell(Job{i}) == Sent::sent;
  }
  To to;
  std::shared_ptr<int> sent;
};

}  // namespace

TEST_CASE("control messages that a group holds are not bounded") {
  test::World w{5, {.cores = 2}};
  auto handled = std::make_shared<int>(0);
  auto workers = pool<Worker>(w, {.size = 2, .core = 1}, handled);  // before its start
  for (int i = 0; i < many; ++i) CHECK_EQ(workers.tell(Note{i}), Sent::sent);
  w.run_until_idle();
  CHECK_EQ(*handled, many);

  *handled = 0;
  auto user = lazy<Worker>(w, "user", {.core = 1}, handled);
  for (int i = 0; i < many; ++i) user.tell(Note{i});
  w.run_until_idle();
  CHECK_EQ(*handled, many);

  *handled = 0;  // while keys change hands
  auto sorted = pool<Worker>(w, {.size = 1, .route = Route::consistent_hash, .core = 1}, handled);
  sorted.tell(Hold{1s});
  w.run_until_idle();
  resize(sorted, 9);
  w.run_until_idle();
  for (int i = 0; i < many; ++i) sorted.tell(Note{i});
  w.advance(10s);
  CHECK_EQ(*handled, many);
}

TEST_CASE("control messages told to an entity that is put away are not bounded") {
  test::World w{5, {.cores = 2}};
  auto handled = std::make_shared<int>(0);
  auto user = lazy<Leaver>(w, "user", {.passivate_after = 1s, .core = 1}, handled);
  user.tell(Note{0});
  w.advance(10s);
  CHECK_EQ(*handled, 1 + many);
}

TEST_CASE("a pool that has not started is resized however much waits") {
  test::World w{5, {.cores = 2}};
  auto handled = std::make_shared<int>(0);
  auto workers = pool<Worker>(w, {.size = 1, .core = 1, .member = {.mailbox = {.capacity = 10'000}}}, handled);
  for (int i = 0; i < 1000; ++i) workers.tell(Job{i});
  resize(workers, 3);
  w.run_until_idle();
  int members = 0;
  const auto tree = w.block_on(w.system().inspect());
  for (const auto& actor : tree) members += actor.type == "Worker";
  CHECK_EQ(members, 3);
  CHECK_EQ(*handled, 1000);
}

TEST_CASE("an actor that takes no message at all takes control messages") {
  test::World w{5, {.cores = 2}};
  auto handled = std::make_shared<int>(0);
  for (int core = 0; core < 2; ++core) {
    *handled = 0;
    auto closed = w.spawn<Worker>({.core = core, .mailbox = {.capacity = 0}}, handled);
    w.run_until_idle();
    closed.tell(Note{1});
    closed.tell(Job{1});
    w.run_until_idle();
    CHECK_EQ(*handled, 1);
  }
}

namespace {

/// Ten jobs to one actor of two places that is busy, from its group's core and from another: what the sender is told,
/// and what becomes of the rest.
template <class To>
void check_full(test::World& w, To to, int core_of_group, Drop reason) {
  auto seen = std::make_shared<std::vector<DeadLetter>>();
  Topic<DeadLetter>{w.system(), dead_letter_topic}.subscribe(w.spawn<Letters>({}, seen));
  w.run_until_idle();
  to.tell(Hold{10s});
  w.run_until_idle();
  auto sent = std::make_shared<int>(0);
  w.spawn<Sender<To>>({.core = 1 - core_of_group}, to, sent).tell(Go{});
  w.advance(8s);
  CHECK_EQ(*sent, 10);  // they were on their way; whether there is room is known on the other core alone
  CHECK_EQ(dropped(w, "Worker", reason), 8);
  REQUIRE_EQ(seen->size(), 8);
  for (const DeadLetter& letter : *seen) {
    CHECK_EQ(letter.message, "Job");
    CHECK_EQ(letter.reason, reason);
  }
}

}  // namespace

TEST_CASE("what a group on another core has no room for is counted and has its dead letter, and so is what blocks") {
  for (const Overflow overflow : {Overflow::backpressure, Overflow::block}) {
    const MailboxOptions mailbox{.capacity = 2, .overflow = overflow, .block_for = 5s};
    const Drop reason = overflow == Overflow::block ? Drop::park_expired : Drop::full;
    {
      test::World w{5, {.cores = 2}};
      auto handled = std::make_shared<int>(0);
      check_full(w, pool<Worker>(w, {.size = 1, .core = 1, .member = {.mailbox = mailbox}}, handled), 1, reason);
      w.advance(5s);
      CHECK_EQ(*handled, 2);
    }
    {
      test::World w{5, {.cores = 2}};
      auto handled = std::make_shared<int>(0);
      check_full(w, lazy<Worker>(w, "user", {.core = 1, .actor = {.mailbox = mailbox}}, handled), 1, reason);
      w.advance(5s);
      CHECK_EQ(*handled, 2);
    }
    {
      test::World w{5, {.cores = 2}};
      auto handled = std::make_shared<int>(0);
      Shards<Worker> workers{w, {.count = 2, .entity = {.mailbox = mailbox}}, handled};
      const std::string key = "key";
      const int core = w.block_on(workers.locate(workers.shard_of(key))).value();
      check_full(w, workers.ref(key), core, reason);
      w.advance(5s);
      CHECK_EQ(*handled, 2);
    }
  }
}

namespace {

struct Late {  // its handling takes so long
  test::World* world;
  Duration length;
};
class Slow {
 public:
  explicit Slow(std::shared_ptr<int> handled) : handled_(std::move(handled)) {}
  Task<void> handle(Hold m) { co_await sleep(m.length); }
  void handle(Late m) { m.world->manual_clock().advance(m.length); }
  void handle(Job) { ++*handled_; }

 private:
  std::shared_ptr<int> handled_;
};
struct SendOne {
  using reply = bool;  // whether it was told that it is there
};
struct Waiting {
  Task<bool> handle(SendOne) {
    const Sent sent = co_await to.send(Job{1});
    co_return sent == Sent::sent;
  }
  Ref<Slow> to;
};

}  // namespace

TEST_CASE("what has found room at the last moment counts as sent, though its time is up before the sender knows") {
  int sent = 0;
  test::explore(
      {.schedules = 60},
      [&](test::World& w) {
        auto handled = std::make_shared<int>(0);
        auto slow = pool<Slow>(w, {.size = 1, .core = 1, .member = {.mailbox = {.capacity = 1}}}, handled);
        auto waiting = w.spawn<Waiting>({.core = 0}, slow);
        w.run_until_idle();
        slow.tell(Hold{5s - 1ms});
        w.run_until_idle();
        slow.tell(Late{&w, 10ms});
        w.faults().ring_full = {2};  // so that the verdict is on its way for a while
        const bool was_sent = w.block_on(waiting.ask(SendOne{}, {.within = 1min})).value();
        w.advance(1s);
        CHECK_EQ(*handled, was_sent ? 1 : 0);
        sent += was_sent;
      },
      [&] { CHECK_GT(sent, 0); });
}
