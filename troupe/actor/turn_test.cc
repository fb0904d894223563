// A turn: answers and the runtime's own messages go before user messages, whoever stands in line, and starve nobody.
#include <doctest/doctest.h>

#include <algorithm>
#include <semaphore>

#include "troupe/actor/sim/world.h"

using namespace troupe::actor;
using namespace std::chrono_literals;

namespace {

using Log = std::shared_ptr<std::vector<std::string>>;

struct Item {};
/// One of many who always have messages.
class Busy {
 public:
  explicit Busy(Log log) : log_(std::move(log)) {}
  void handle(Item) { log_->push_back("busy"); }
  void stopped(Context&) { log_->push_back("stopped"); }

 private:
  Log log_;
};

struct Answer {
  using reply = int;
};
/// Answers all who have asked, at once.
struct Release {};
class Holder {
 public:
  void handle(Answer, Reply<int> reply) { held_.push_back(std::move(reply)); }
  void handle(Release) {
    for (auto& reply : std::exchange(held_, {})) reply.set(1);
  }

 private:
  std::vector<Reply<int>> held_;
};

struct Begin {};
class Asker {
 public:
  Asker(Log log, Ref<Holder> holder) : log_(std::move(log)), holder_(holder) {}
  Task<void> handle(Begin) {
    const auto answer = co_await holder_.ask(Answer{}, {.within = 1min});
    log_->push_back(answer ? "answered" : "failed");
  }
  void handle(Item) { log_->push_back("own"); }

 private:
  Log log_;
  Ref<Holder> holder_;
};

using Times = std::vector<std::pair<Instant, troupe::base::UnixTime>>;
/// Notes what time it is, and again a second later.
class Watch {
 public:
  Watch(troupe::base::ManualClock* clock, std::shared_ptr<Times> seen) : clock_(clock), seen_(std::move(seen)) {}
  void handle(Item, Context& ctx) {
    seen_->emplace_back(ctx.now(), ctx.wall());
    clock_->advance(1s);
    seen_->emplace_back(ctx.now(), ctx.wall());
  }

 private:
  troupe::base::ManualClock* clock_;
  std::shared_ptr<Times> seen_;
};

/// One core, askers who wait for the holder's answer, and others to stand in line.
struct Crowd {
  Crowd(int askers, int others) {
    for (int i = 0; i < askers; ++i) {
      this->askers.push_back(system.spawn<Asker>({}, log, holder));
      this->askers.back().tell(Begin{});
    }
    for (int i = 0; i < others; ++i) this->others.push_back(system.spawn<Busy>({}, log));
    settle();
  }
  /// Runs on the core, in one piece.
  void at_once(std::move_only_function<void()> work) {
    system.core(0).post_remotely([&](Core&) { work(); });
    settle();
  }
  void settle() {
    bool idle = false;
    while (!idle) {
      std::binary_semaphore looked{0};
      system.core(0).post_remotely([&](Core& core) {
        idle = !core.has_work();
        looked.release();
      });
      looked.acquire();
    }
  }
  std::size_t place_of(std::string_view what) const {
    return static_cast<std::size_t>(std::ranges::find(*log, what) - log->begin());
  }

  Log log = std::make_shared<std::vector<std::string>>();
  System system{{.cores = 1, .report = [](const std::string&) {}}};
  Ref<Holder> holder = system.spawn<Holder>({});
  std::vector<Ref<Asker>> askers;
  std::vector<Ref<Busy>> others;
};

}  // namespace

TEST_CASE("an answer goes before the messages of all who stand in line") {
  Crowd crowd{3, 10};
  crowd.at_once([&] {
    crowd.holder.tell(Release{});
    for (const auto& other : crowd.others) {
      for (int i = 0; i < 20; ++i) other.tell(Item{});
    }
    for (const auto& asker : crowd.askers) asker.tell(Item{});
  });
  REQUIRE_EQ(crowd.log->size(), 206);
  CHECK_EQ(std::vector(crowd.log->begin(), crowd.log->begin() + 3), std::vector<std::string>(3, "answered"));
  CHECK_EQ(std::ranges::count(*crowd.log, "own"), 3);
}

TEST_CASE("a stop goes before the messages of all who stand in line") {
  Crowd crowd{0, 10};
  crowd.at_once([&] {
    for (const auto& other : crowd.others) {
      for (int i = 0; i < 20; ++i) other.tell(Item{});
    }
    crowd.system.stop(crowd.others.back());
  });
  CHECK_EQ(crowd.place_of("stopped"), 0);
  CHECK_EQ(std::ranges::count(*crowd.log, "busy"), 9 * 20);
}

TEST_CASE("many answers at once keep one who stands in line waiting for a while only") {
  Crowd crowd{200, 1};
  crowd.at_once([&] {
    crowd.holder.tell(Release{});
    crowd.others.front().tell(Item{});
  });
  CHECK_EQ(crowd.log->size(), 201);
  CHECK_EQ(crowd.place_of("busy"), 64);
}

TEST_CASE("one of a long line is reached within a turn's messages, however many those before it have") {
  Crowd crowd{1, 128};
  crowd.at_once([&] { crowd.holder.tell(Release{}); });
  crowd.log->clear();
  crowd.at_once([&] {
    for (const auto& other : crowd.others) {
      for (int i = 0; i < 20; ++i) other.tell(Item{});
    }
    crowd.askers.front().tell(Item{});
  });
  REQUIRE_EQ(crowd.log->size(), 128 * 20 + 1);
  CHECK_LE(crowd.place_of("own"), 1024);
}

TEST_CASE("what reaches a core in the middle of a turn is nobody's deed, whoever ran last") {
  struct Seen {
    int handled = 0;
    int handled_before = 0;  // it was looked
    bool in_nobodys_name = false;
  };
  struct Worker {
    void handle(Item) {
      w->manual_clock().advance(10us);
      if (seen->handled++ > 0) return;
      w->core(0).post_remotely([seen = seen](Core& core) {
        seen->handled_before = seen->handled;
        seen->in_nobodys_name = core.running_cell() == nullptr;
      });
    }
    test::World* w;
    std::shared_ptr<Seen> seen;
  };
  test::World w{1, {.cores = 1}};
  auto seen = std::make_shared<Seen>();
  auto worker = w.spawn<Worker>({}, &w, seen);
  w.run_until_idle();
  for (int i = 0; i < 60; ++i) worker.tell(Item{});
  Core& core = w.core(0);
  const Core::Scope scope{core};
  core.turn({.messages = 60, .time = 1h}, false);
  CHECK_EQ(seen->handled, 60);
  CHECK_GT(seen->handled_before, 0);
  CHECK_LT(seen->handled_before, 60);
  CHECK(seen->in_nobodys_name);
}

TEST_CASE("within a turn it is the same time for all, and the next turn sees what became of both clocks") {
  test::World w{1};
  const auto seen = std::make_shared<Times>();
  const auto watch = w.spawn<Watch>({}, &w.manual_clock(), seen);
  const auto look_twice = [&] {
    watch.tell(Item{});
    w.run_until_idle();
    const auto times = std::exchange(*seen, {});
    REQUIRE_EQ(times.size(), 2);
    CHECK(times[0] == times[1]);
    return times[0];
  };
  const auto first = look_twice();
  w.manual_clock().jump_wall(-1h);
  const auto second = look_twice();
  CHECK_GT(second.first, first.first);
  CHECK_LT(second.second, first.second);
  w.advance(2h);
  CHECK_GE(look_twice().second, first.second + 1h);
}
