// Floors (a) and (b): an intrusive list with a virtual call, and two rings between two threads.
#include "bench/floor/queue.h"

#include <pthread.h>
#include <sched.h>

#include <array>
#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "bench/support/cpu.h"

namespace troupe::bench {
namespace {

struct Counter {
  std::uint64_t sum = 0;
};

struct Envelope {
  virtual ~Envelope() = default;
  virtual void deliver(Counter& to) = 0;
  Envelope* next = nullptr;
};

struct Add final : Envelope {
  void deliver(Counter& to) override { to.sum += by; }
  std::uint64_t by = 0;
};

struct Queue {
  void push(Envelope* envelope) {
    envelope->next = nullptr;
    *tail = envelope;
    tail = &envelope->next;
  }
  Envelope* pop() {
    Envelope* envelope = head;
    if (envelope == nullptr) return nullptr;
    head = envelope->next;
    if (head == nullptr) tail = &head;
    return envelope;
  }
  Envelope* head = nullptr;
  Envelope** tail = &head;
};

/// A ring with one writer and one reader; each side remembers what it last saw of the other.
template <class T>
class Ring {
 public:
  bool push(T value) {
    if (head_ - seen_tail_ == slots_.size()) {
      seen_tail_ = tail_.load(std::memory_order_acquire);
      if (head_ - seen_tail_ == slots_.size()) return false;
    }
    slots_[head_ % slots_.size()] = value;
    published_.store(++head_, std::memory_order_release);
    return true;
  }
  bool pop(T& value) {
    if (taken_ == seen_head_) {
      seen_head_ = published_.load(std::memory_order_acquire);
      if (taken_ == seen_head_) return false;
    }
    value = slots_[taken_ % slots_.size()];
    tail_.store(++taken_, std::memory_order_release);
    return true;
  }

 private:
  alignas(64) std::uint64_t head_ = 0;
  std::uint64_t seen_tail_ = 0;
  alignas(64) std::atomic<std::uint64_t> published_{0};
  alignas(64) std::uint64_t taken_ = 0;
  std::uint64_t seen_head_ = 0;
  alignas(64) std::atomic<std::uint64_t> tail_{0};
  alignas(64) std::array<T, 1024> slots_{};
};

struct alignas(64) RingEnvelope {
  std::array<std::uint64_t, 8> words{};
};

struct Rings {
  Ring<RingEnvelope*> filled;
  Ring<RingEnvelope*> empty;
  std::vector<RingEnvelope> envelopes = std::vector<RingEnvelope>(512);
};

std::uint64_t read_all(Rings& rings, std::uint64_t messages) {
  std::uint64_t sum = 0;
  for (std::uint64_t received = 0; received < messages;) {
    RingEnvelope* envelope = nullptr;
    if (!rings.filled.pop(envelope)) continue;
    for (const auto word : envelope->words) sum += word;
    rings.empty.push(envelope);
    ++received;
  }
  return sum;
}

}  // namespace

void pin_to(unsigned core) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(core % std::thread::hardware_concurrency(), &set);
  pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

base::Duration run_virtual_calls(std::uint64_t messages) {
  constexpr std::size_t batch = 64;
  std::vector<Add> envelopes(batch);
  Queue free;
  for (auto& envelope : envelopes) free.push(&envelope);
  Queue queue;
  Counter counter;
  const auto begin = now();
  for (std::uint64_t sent = 0; sent < messages; sent += batch) {
    for (std::size_t i = 0; i < batch; ++i) {
      auto* envelope = static_cast<Add*>(free.pop());
      envelope->by = sent;
      queue.push(envelope);
    }
    while (auto* envelope = queue.pop()) {
      envelope->deliver(counter);
      free.push(envelope);
    }
  }
  const auto took = now() - begin;
  return counter.sum > 0 ? took : base::Duration{-1};
}

base::Duration run_ring(std::uint64_t messages, unsigned reader_core) {
  auto rings = std::make_unique<Rings>();
  for (auto& envelope : rings->envelopes) rings->empty.push(&envelope);
  std::atomic<std::uint64_t> sum{0};
  std::thread reader{[&] {
    pin_to(reader_core);
    sum = read_all(*rings, messages);
  }};
  const auto begin = now();
  for (std::uint64_t sent = 0; sent < messages;) {
    RingEnvelope* envelope = nullptr;
    if (!rings->empty.pop(envelope)) continue;
    envelope->words.fill(sent);
    rings->filled.push(envelope);
    ++sent;
  }
  reader.join();
  const auto took = now() - begin;
  return sum == messages * (messages - 1) / 2 * 8 ? took : base::Duration{-1};
}

}  // namespace troupe::bench
