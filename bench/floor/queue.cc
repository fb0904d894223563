// The floors: an intrusive list with a virtual call, and two rings between two threads.
#include "bench/floor/queue.h"

#include <pthread.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <memory>
#include <random>
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
  bool empty() const { return taken_ == published_.load(std::memory_order_acquire); }

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

/// One end of an exchange: what came, and a bed to wait in.
class Side {
 public:
  Side() : epoll_(epoll_create1(EPOLL_CLOEXEC)), event_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    epoll_event event{.events = EPOLLIN | EPOLLET, .data = {}};
    epoll_ctl(epoll_, EPOLL_CTL_ADD, event_, &event);
  }
  Side(const Side&) = delete;
  Side& operator=(const Side&) = delete;
  ~Side() {
    close(event_);
    close(epoll_);
  }

  void put(std::uint64_t word) {
    while (!ring_.push(word)) continue;
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if (sleeping_.load(std::memory_order_relaxed)) {
      const std::uint64_t one = 1;
      [[maybe_unused]] const auto n = write(event_, &one, sizeof one);
    }
  }
  bool take_now(std::uint64_t& word) { return ring_.pop(word); }
  std::uint64_t take() {
    std::uint64_t word = 0;
    while (!ring_.pop(word)) {
      sleeping_.store(true, std::memory_order_relaxed);
      std::atomic_thread_fence(std::memory_order_seq_cst);
      epoll_event event;
      if (ring_.empty()) epoll_wait(epoll_, &event, 1, -1);
      sleeping_.store(false, std::memory_order_relaxed);
    }
    return word;
  }

 private:
  Ring<std::uint64_t> ring_;
  std::atomic<bool> sleeping_{false};
  int epoll_;
  int event_;
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

std::vector<base::Duration> run_exchange(std::uint64_t exchanges, unsigned other_core) {
  Side here;
  Side there;
  std::thread answering{[&] {
    pin_to(other_core);
    for (std::uint64_t i = 0; i < exchanges; ++i) here.put(there.take() + 1);
  }};
  std::vector<base::Duration> took;
  std::uint64_t word = 0;
  for (std::uint64_t i = 0; i < exchanges; ++i) {
    const auto begin = now();
    there.put(word);
    word = here.take();
    took.push_back(now() - begin);
  }
  answering.join();
  if (word != exchanges) took.clear();
  return took;
}

void spin(base::Duration time) {
  for (const auto end = now() + time; now() < end;) continue;
}

base::Duration pause(base::Duration longest) {
  static std::minstd_rand random{1};
  return base::Duration{std::uniform_int_distribution<base::Duration::rep>{0, longest.count()}(random)};
}

std::vector<base::Duration> run_busy_exchange(std::uint64_t exchanges, unsigned other_core, base::Duration work,
                                              base::Duration pause_max) {
  Side here;
  Side there;
  std::thread answering{[&] {
    pin_to(other_core);
    std::uint64_t word = 0;
    for (std::uint64_t answered = 0; answered < exchanges;) {
      spin(work);
      if (!there.take_now(word)) continue;
      here.put(word + 1);
      ++answered;
    }
  }};
  std::vector<base::Duration> took;
  for (std::uint64_t i = 0; i < exchanges; ++i) {
    spin(pause(pause_max));
    const auto begin = now();
    there.put(i);
    here.take();
    took.push_back(now() - begin);
  }
  answering.join();
  return took;
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
