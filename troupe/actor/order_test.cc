// Order: first in, first out for each sender, receiver and lane, whatever runs when, also past a full ring.
#include <doctest/doctest.h>

#include <map>

#include "troupe/actor/sim/explore.h"

using namespace troupe::actor;
namespace base = troupe::base;
using namespace std::chrono_literals;

namespace {

struct Seen {
  std::map<std::array<int, 3>, int> last;  // by sender, receiver and lane: the newest number
  int out_of_order = 0;
  int received = 0;
  int sent = 0;
  int refused = 0;
};
using Log = std::shared_ptr<Seen>;

struct Item {
  int sender;
  int number;
};
struct Urgent {
  static constexpr auto message_class = MessageClass::control;
  int sender;
  int number;
};
struct Question {
  int sender;
  int number;
  using reply = int;
};

class Receiver {
 public:
  Receiver(Log log, int name) : log_(std::move(log)), name_(name) {}
  void handle(Item m) { note(m.sender, 0, m.number); }
  void handle(Urgent m) { note(m.sender, 1, m.number); }
  Task<int> handle(Question m, Context& ctx) {
    note(m.sender, 0, m.number);
    if (m.number % 3 == 0) co_await ctx.sleep(1ms);
    co_return m.number;
  }

 private:
  void note(int sender, int lane, int number) {
    int& last = log_->last[{sender, name_, lane}];
    if (number <= last) ++log_->out_of_order;
    last = number;
    ++log_->received;
  }
  Log log_;
  int name_;
};

struct Burst {
  int steps;
  bool asks = false;
};

/// Tells, sends and asks random receivers; what each is told bears a rising number.
class Sender {
 public:
  Sender(Log log, int name, std::vector<Ref<Receiver>> receivers)
      : log_(std::move(log)), name_(name), receivers_(std::move(receivers)) {}
  Task<void> handle(Burst m, Context& ctx) {
    for (int i = 0; i < m.steps; ++i) {
      auto receiver = receivers_[ctx.random().below(receivers_.size())];
      switch (ctx.random().below(m.asks ? 8 : 2)) {
        case 0:
          count(receiver.tell(Urgent{name_, ++number_}));
          break;
        case 2: {
          auto sent = co_await receiver.send(Item{name_, ++number_});
          count(sent);
          break;
        }
        case 3: {
          auto answer = co_await receiver.ask(Question{name_, ++number_}, {.within = 1h});
          count(answer ? Sent::sent : Sent::full);
          break;
        }
        default:
          count(receiver.tell(Item{name_, ++number_}));
      }
    }
  }

 private:
  void count(Sent result) { ++(result == Sent::sent ? log_->sent : log_->refused); }
  Log log_;
  int name_;
  std::vector<Ref<Receiver>> receivers_;
  int number_ = 0;
};

}  // namespace

TEST_CASE("messages of one sender to one receiver are handled in the order they were told, sent and asked") {
  test::explore({.schedules = 60}, [&](test::Seed seed) {
    const int cores = 1 + static_cast<int>(seed.number % 4);
    test::World w{seed, {.cores = cores}};
    Log log = std::make_shared<Seen>();
    base::SeededRandom random{seed.number + 77};
    auto core = [&] { return static_cast<int>(random.below(static_cast<std::uint64_t>(cores))); };
    const auto capacity = static_cast<std::uint32_t>(random.below(2) == 0 ? 5 : 100'000);
    std::vector<Ref<Receiver>> receivers;
    for (int i = 0; i < 3; ++i) {
      receivers.push_back(w.spawn<Receiver>({.core = core(), .mailbox = {.capacity = capacity}}, log, i));
    }
    std::vector<Ref<Sender>> senders;
    for (int i = 0; i < 4; ++i) senders.push_back(w.spawn<Sender>({.core = core()}, log, i, receivers));
    for (int round = 0; round < 20; ++round) {
      for (auto sender : senders) sender.tell(Burst{static_cast<int>(random.below(60)), random.below(2) == 0});
      w.advance(Duration{1'000'000} * static_cast<std::int64_t>(random.below(3)));
    }
    w.advance(1h);
    CHECK_EQ(log->out_of_order, 0);
    CHECK_GT(log->received, 500);
    if (capacity > 5) CHECK_EQ(log->received, log->sent);
  });
}

TEST_CASE("past a full ring the sender's core keeps what is told, in order, and then says full; control is exempt") {
  test::explore({.schedules = 3}, [&](test::Seed seed) {
    test::World w{seed, {.cores = 2}};
    Log log = std::make_shared<Seen>();
    auto receiver = w.spawn<Receiver>({.core = 1, .mailbox = {.capacity = 1'000'000}}, log, 0);
    auto sender = w.spawn<Sender>({.core = 0}, log, 0, std::vector{receiver});
    w.run_until_idle();
    sender.tell(Burst{80'000});  // in one turn: a ring takes 256 batches of 64, and as much may wait outside of it
    sender.tell(Burst{1'000, true});
    w.advance(1min);
    CHECK_EQ(log->out_of_order, 0);
    CHECK_EQ(log->received, log->sent);
    CHECK_GT(log->refused, 1'000);
    CHECK_GT(log->last[{0, 0, 1}], 79'900);  // what was urgent to the last
    CHECK_GT(log->sent, 50'000);
  });
}
