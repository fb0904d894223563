// Back-pressure: a mailbox is bounded, and whoever is faster than it can wait for room or shed load, but not ignore it.
#include <cstdio>

#include "troupe/actor/sim/world.h"

using namespace troupe::actor;
using namespace std::chrono_literals;

struct Job {
  int number;
};
struct Finished {
  using reply = int;
};

class Worker {
 public:
  Task<void> handle(Job, Context& ctx) {
    co_await ctx.sleep(10ms);  // a job takes its time
    ++finished_;
  }
  int handle(Finished) const { return finished_; }

 private:
  int finished_ = 0;
};

struct Produce {
  int jobs;
  using reply = int;
};

// `tell` never waits and says what happened; `send` waits until there is room.
class Patient {
 public:
  explicit Patient(Ref<Worker> worker) : worker_(worker) {}
  Task<int> handle(Produce message) {
    int waited = 0;
    for (int i = 0; i < message.jobs; ++i) {
      if (worker_.tell(Job{i}) != Sent::full) continue;
      ++waited;
      const Sent sent = co_await worker_.send(Job{i});
      if (sent != Sent::sent) co_return -1;
    }
    co_return waited;
  }

 private:
  Ref<Worker> worker_;
};

class Shedding {
 public:
  explicit Shedding(Ref<Worker> worker) : worker_(worker) {}
  int handle(Produce message) {
    int refused = 0;
    for (int i = 0; i < message.jobs; ++i) refused += worker_.tell(Job{i}) == Sent::full ? 1 : 0;
    return refused;
  }

 private:
  Ref<Worker> worker_;
};

int main() {
  test::World world{1};  // simulated time: a job's ten milliseconds cost nothing here
  constexpr MailboxOptions small{.capacity = 10, .overflow = Overflow::backpressure};
  const auto slow = world.spawn<Worker>({.name = "slow", .mailbox = small});
  const auto busy = world.spawn<Worker>({.name = "busy", .mailbox = small});

  const auto patient = world.spawn<Patient>({.name = "patient"}, slow);
  const auto waited = world.block_on(patient.ask(Produce{100}, {.within = 1min}));
  world.advance(1s);
  std::printf("patient: waited for room: %s, finished %d of 100\n", waited && *waited > 0 ? "yes" : "no",
              world.block_on(slow.ask(Finished{})).value_or(-1));

  const auto shedding = world.spawn<Shedding>({.name = "shedding"}, busy);
  const auto refused = world.block_on(shedding.ask(Produce{100}));
  world.advance(1s);
  std::printf("shedding: refused %d, finished %d of 100\n", refused.value_or(-1),
              world.block_on(busy.ask(Finished{})).value_or(-1));
}
