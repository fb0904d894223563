// Savina's counting and fork-join throughput: one sender, as fast as the mailboxes let it.
#include <cmath>

#include "bench/savina/support.h"

namespace troupe::bench::savina {
namespace {

struct Increment {};
struct Retrieve {
  using reply = std::uint64_t;
};

class Counter {
 public:
  void handle(Increment) noexcept { ++count_; }
  std::uint64_t handle(Retrieve) const noexcept { return count_; }

 private:
  std::uint64_t count_ = 0;
};

/// Does what Savina's throughput worker does: a little arithmetic.
class Worker {
 public:
  void handle(Increment) noexcept {
    ++count_;
    value_ = std::sin(value_) * std::sin(value_) + 37.2;
  }
  std::uint64_t handle(Retrieve) const noexcept { return value_ > 0 ? count_ : 0; }

 private:
  std::uint64_t count_ = 0;
  double value_ = 37.2;
};

/// Tells each of its receivers `messages` increments in turn, then asks each for its count.
template <class Receiver>
class Producer {
 public:
  Producer(std::vector<Ref<Receiver>> receivers, std::uint64_t messages)
      : receivers_(std::move(receivers)), messages_(messages) {}

  Task<actor::NoError> handle(Begin) {
    for (std::uint64_t i = 0; i < messages_; ++i) {
      for (const auto& receiver : receivers_) {
        if (receiver.tell(Increment{}) == actor::Sent::full) {
          const auto sent = co_await receiver.send(Increment{});
          if (sent != actor::Sent::sent) throw std::runtime_error("a receiver takes no more");
        }
      }
    }
    std::uint64_t sum = 0;
    for (const auto& receiver : receivers_) sum += co_await count_of(receiver);
    if (sum != messages_ * receivers_.size()) throw std::runtime_error("increments were lost");
    co_return actor::NoError{};
  }

 private:
  /// Asks again where the mailbox is still full of increments.
  static Task<std::uint64_t> count_of(Ref<Receiver> receiver) {
    for (;;) {
      const auto count = co_await receiver.ask(Retrieve{}, {.within = 1min});
      if (count) co_return *count;
      if (count.error().outcome != actor::Outcome::not_executed) throw std::runtime_error(count.error().what);
      co_await actor::sleep(1ms);
    }
  }

  std::vector<Ref<Receiver>> receivers_;
  std::uint64_t messages_;
};

template <class Receiver>
Outcome produce(Setting setting, std::uint64_t receivers, std::uint64_t messages) {
  System system{{.cores = setting.cores}};
  std::vector<Ref<Receiver>> refs;
  for (std::uint64_t i = 0; i < receivers; ++i) {
    refs.push_back(system.spawn<Receiver>({.core = core_of(i + 1, system), .mailbox = {.capacity = 4096}}));
  }
  const auto producer = system.spawn<Producer<Receiver>>({.core = 0}, refs, messages);
  return {messages * receivers, run(system, producer)};
}

}  // namespace

Outcome counting(Setting setting) { return produce<Counter>(setting, 1, 1'000'000 * setting.scale); }
Outcome fork_join_throughput(Setting setting) { return produce<Worker>(setting, 60, 10'000 * setting.scale); }

}  // namespace troupe::bench::savina
