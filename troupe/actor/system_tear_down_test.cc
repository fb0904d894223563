// What actors and their messages do in their destructors when a system ends under them: it holds up nobody, and nothing
// of it stays behind.
#include <doctest/doctest.h>

#include <future>
#include <thread>
#include <vector>

#include "troupe/actor/sim/world.h"

using namespace troupe::actor;

namespace {

/// Says by its count of owners whether it still exists.
using Paper = std::shared_ptr<int>;

struct Note {
  Paper paper;
};

/// Never comes to its second message.
class Sink {
 public:
  Task<void> handle(Note) { co_await sleep(1h); }
};

/// Tells and asks for an end where it ends itself.
class LastWords {
 public:
  LastWords(System* system, Ref<Sink> to, Paper paper) : system_(system), to_(to), paper_(std::move(paper)) {}
  LastWords(const LastWords&) = delete;
  ~LastWords() {
    to_.tell(Note{paper_});
    system_->stop(to_);
    system_->spawn<Sink>({.name = "heir", .core = 1}).tell(Note{paper_});
  }
  void handle(Note) {}

 private:
  System* system_;
  Ref<Sink> to_;
  Paper paper_;
};

/// Tells its heir much where it ends, wherever that is.
struct Testament {
  Testament(Ref<Sink> its_heir, Paper its_paper) : heir(its_heir), paper(std::move(its_paper)) {}
  Testament(Testament&&) = default;
  ~Testament() {
    if (paper == nullptr) return;  // moved from
    for (int i = 0; i < 70; ++i) heir.tell(Note{paper});
  }
  Ref<Sink> heir;
  Paper paper;
};

class Notary {
 public:
  void handle(Testament) {}
};

struct Send {
  std::vector<Ref<Notary>> to;
  Ref<Sink> heir;
  Paper paper;
};
class Sender {
 public:
  void handle(const Send& m) {
    for (const auto& notary : m.to) notary.tell(Testament{m.heir, m.paper});
  }
};

struct Begin {
  std::promise<void>* begun;
};

/// Has a thread of its own, on which a job runs until this actor ends.
class Owner {
 public:
  ~Owner() { over_.set_value(); }
  Task<void> handle(Begin m) {
    co_await blocking_on(*threads_, [begun = m.begun, over = over_.get_future().share()] {
      begun->set_value();
      over.wait();
    });
  }

 private:
  std::promise<void> over_;
  std::unique_ptr<Offload> threads_ = thread_offload({.threads = 1});
};

}  // namespace

TEST_CASE("what actors say in their destructors when their system is cut off ends with it") {
  const auto paper = std::make_shared<int>();
  for (int core = 0; core < 2; ++core) {
    test::World w{1};
    auto before = w.spawn<Sink>({.core = 0});
    auto elsewhere = w.spawn<Sink>({.core = 1});
    for (const auto to : {before, elsewhere}) w.spawn<LastWords>({.core = core}, &w.system(), to, paper);
    before.tell(Note{paper});
    before.tell(Note{paper});
    w.run_until_idle();
    supervise(w.system(), "on its way", {}, [](Children& c) { c.child<Sink>({.name = "declared"}); });
    w.crash();
  }
  CHECK_EQ(paper.use_count(), 1);
}

TEST_CASE(
    "what messages say in their destructors when their system is cut off ends with it, wherever they had come to") {
  const auto paper = std::make_shared<int>();
  for (std::uint64_t turns = 1; turns <= 48; ++turns) {
    CAPTURE(turns);
    test::World w{turns, {.cores = 3}};
    const auto heir = w.spawn<Sink>({.core = static_cast<int>(turns % 3)});
    std::vector<Ref<Notary>> notaries;
    for (int core = 0; core < 3; ++core) notaries.push_back(w.spawn<Notary>({.core = core}));
    w.run_until_idle();
    for (int core = 0; core < 3; ++core) w.spawn<Sender>({.core = core}).tell(Send{notaries, heir, paper});
    w.run(1 + turns / 3);
    w.crash();
    CHECK_EQ(paper.use_count(), 1);
  }
}

TEST_CASE("an actor that owns threads waits for their jobs also when its system is cut off, and holds up nobody") {
  test::World w{1};
  std::promise<void> begun;
  w.spawn<Owner>({}).tell(Begin{&begun});
  w.run_until_idle();
  begun.get_future().wait();
  w.crash();  // the job ends during that, and its thread has a result for the core
  CHECK_EQ(w.open_asks(), 0);
}
