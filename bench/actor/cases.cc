// The actors of the bench. `Source` and `Sink` stream with credits, so that no mailbox is ever full;
// the time is read by the actor that begins and ends a case.
#include "bench/actor/cases.h"

#include "bench/floor/queue.h"
#include "bench/support/cpu.h"
#include "troupe/actor/actor.h"

namespace troupe::bench {
namespace {

using namespace std::chrono_literals;
using actor::Context;
using actor::Ref;
using actor::Reply;
using actor::Task;

using Nanoseconds = std::int64_t;
constexpr std::uint64_t batch = 256;
constexpr std::uint64_t batches_in_flight = 4;

class Source;

struct Add {
  std::uint64_t by = 1;
};
struct Total {
  using reply = std::uint64_t;
};
struct Pay {
  Ref<Source> whom;
};
struct Credit {};
struct Run {
  std::uint64_t count = 0;
  using reply = Nanoseconds;
};

struct RunEach {
  std::uint64_t count = 0;
  using reply = std::vector<base::Duration>;
};

class Sink {
 public:
  void handle(Add message);
  void handle(Pay message) { source_ = message.whom; }
  std::uint64_t handle(const Total&) const { return total_; }

 private:
  std::uint64_t total_ = 0;
  std::uint64_t unpaid_ = 0;
  Ref<Source> source_;
};

class Source {
 public:
  explicit Source(Ref<Sink> sink) : sink_(sink) {}

  void handle(Run run, Reply<Nanoseconds> reply, Context& ctx) {
    reply_ = std::move(reply);
    unsent_ = unacknowledged_ = run.count;
    sink_.tell(Pay{ctx.self(this)});
    begin_ = now();
    for (std::uint64_t i = 0; i < batches_in_flight; ++i) send_batch();
  }

  void handle(Credit) {
    unacknowledged_ -= batch;
    send_batch();
    if (unacknowledged_ == 0) reply_.set((now() - begin_).count());
  }

 private:
  void send_batch() {
    if (unsent_ == 0) return;
    for (std::uint64_t i = 0; i < batch; ++i) sink_.tell(Add{});
    unsent_ -= batch;
  }

  Ref<Sink> sink_;
  Reply<Nanoseconds> reply_;
  base::Instant begin_{};
  std::uint64_t unsent_ = 0;
  std::uint64_t unacknowledged_ = 0;
};

void Sink::handle(Add message) {
  total_ += message.by;
  if (++unpaid_ < batch) return;
  unpaid_ = 0;
  source_.tell(Credit{});
}

class Player;
struct Meet {
  Ref<Player> other;
};
struct Ball {
  std::uint64_t left;
};

class Player {
 public:
  void handle(Meet message) { other_ = message.other; }
  void handle(Run run, Reply<Nanoseconds> reply) {
    reply_ = std::move(reply);
    begin_ = now();
    other_.tell(Ball{run.count - 1});
  }
  /// The count is even, so the last ball comes back to the player who began.
  void handle(Ball ball) {
    if (ball.left == 0) {
      reply_.set((now() - begin_).count());
    } else {
      other_.tell(Ball{ball.left - 1});
    }
  }

 private:
  Ref<Player> other_;
  Reply<Nanoseconds> reply_;
  base::Instant begin_{};
};

class Asker {
 public:
  explicit Asker(Ref<Sink> sink) : sink_(sink) {}
  Task<Nanoseconds> handle(Run run) {
    const auto begin = now();
    for (std::uint64_t i = 0; i < run.count; ++i) {
      auto total = co_await sink_.ask(Total{});
      if (!total) throw std::runtime_error(total.error().what);
    }
    co_return (now() - begin).count();
  }
  Task<std::vector<base::Duration>> handle(RunEach run) {
    std::vector<base::Duration> took;
    took.reserve(run.count);
    for (std::uint64_t i = 0; i < run.count; ++i) {
      const auto begin = now();
      auto total = co_await sink_.ask(Total{});
      if (!total) throw std::runtime_error(total.error().what);
      took.push_back(now() - begin);
    }
    co_return took;
  }

 private:
  Ref<Sink> sink_;
};

/// Keeps its core's thread where the floor's thread is: else the kernel puts both cores of a system on one processor
/// while they wait for each other, which is another job than waking the other one.
class Pin {
 public:
  explicit Pin(unsigned core) { pin_to(core); }
  void handle(Add) {}
};

struct Hello {};
struct Finished {};

class Parent {
 public:
  class Child {
   public:
    explicit Child(Ref<Parent> parent) : parent_(parent) {}
    void handle(Hello, Context& ctx) {
      parent_.tell(Finished{});
      ctx.stop();
    }

   private:
    Ref<Parent> parent_;
  };

  void handle(Run run, Reply<Nanoseconds> reply, Context& ctx) {
    reply_ = std::move(reply);
    left_ = run.count;
    begin_ = now();
    spawn_next(ctx);
  }
  void handle(Finished, Context& ctx) {
    if (--left_ == 0) {
      reply_.set((now() - begin_).count());
    } else {
      spawn_next(ctx);
    }
  }

 private:
  void spawn_next(Context& ctx) { ctx.spawn<Child>({}, ctx.self(this)).tell(Hello{}); }

  Reply<Nanoseconds> reply_;
  base::Instant begin_{};
  std::uint64_t left_ = 0;
};

}  // namespace

struct ActorCases::World {
  actor::System system{{.cores = 2}};
  Ref<Pin> pins[2] = {system.spawn<Pin>({.core = 0}, 0u), system.spawn<Pin>({.core = 1}, 1u)};
  Ref<Sink> sink_here = system.spawn<Sink>({.name = "sink_here", .core = 0, .mailbox = {.capacity = 4096}});
  Ref<Sink> sink_there = system.spawn<Sink>({.name = "sink_there", .core = 1, .mailbox = {.capacity = 4096}});
  Ref<Source> source_here = system.spawn<Source>({.name = "source_here", .core = 0}, sink_here);
  Ref<Source> source_across = system.spawn<Source>({.name = "source_across", .core = 0}, sink_there);
  Ref<Asker> asker_here = system.spawn<Asker>({.name = "asker_here", .core = 0}, sink_here);
  Ref<Asker> asker_across = system.spawn<Asker>({.name = "asker_across", .core = 0}, sink_there);
  Ref<Player> one = system.spawn<Player>({.name = "one", .core = 0});
  Ref<Player> two = system.spawn<Player>({.name = "two", .core = 0});
  Ref<Parent> parent = system.spawn<Parent>({.name = "parent", .core = 0});

  template <class A>
  base::Duration run(Ref<A> whom, std::uint64_t count) {
    const auto took = system.block_on(whom.ask(Run{count}, {.within = 60s}));
    if (!took) throw std::runtime_error(took.error().what);
    return base::Duration{*took};
  }
};

ActorCases::ActorCases() : world_(std::make_unique<World>()) {
  world_->one.tell(Meet{world_->two});
  world_->two.tell(Meet{world_->one});
}
ActorCases::~ActorCases() = default;

base::Duration ActorCases::tell_here(std::uint64_t messages) { return world_->run(world_->source_here, messages); }
base::Duration ActorCases::tell_across(std::uint64_t messages) { return world_->run(world_->source_across, messages); }
base::Duration ActorCases::ping_pong(std::uint64_t messages) { return world_->run(world_->one, messages); }
base::Duration ActorCases::ask_here(std::uint64_t questions) { return world_->run(world_->asker_here, questions); }
std::vector<base::Duration> ActorCases::ask_across(std::uint64_t questions) {
  auto took = world_->system.block_on(world_->asker_across.ask(RunEach{questions}, {.within = 60s}));
  if (!took) throw std::runtime_error(took.error().what);
  return std::move(*took);
}
base::Duration ActorCases::spawn(std::uint64_t actors) { return world_->run(world_->parent, actors); }

}  // namespace troupe::bench
