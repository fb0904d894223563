// Savina's fork-join creation: many actors that live for one message.
#include <cmath>

#include "bench/savina/support.h"

namespace troupe::bench::savina {
namespace {

struct Work {};
struct Done {};

class Master;

class Worker {
 public:
  explicit Worker(Ref<Master> master) : master_(master) {}
  void handle(Work, Context& ctx);

 private:
  Ref<Master> master_;
};

/// Keeps at most `at_once` alive, so that memory does not measure the benchmark.
class Master {
 public:
  Master(std::uint64_t workers, std::uint64_t cores) : unborn_(workers), alive_(workers), cores_(cores) {}

  void handle(Begin, Reply<actor::NoError> reply, Context& ctx) {
    reply_ = std::move(reply);
    for (std::uint64_t i = 0; i < at_once && unborn_ > 0; ++i) give_birth(ctx);
  }
  void handle(Done, Context& ctx) {
    if (unborn_ > 0) give_birth(ctx);
    if (--alive_ == 0) reply_.set({});
  }

 private:
  static constexpr std::uint64_t at_once = 512;

  void give_birth(Context& ctx) {
    --unborn_;
    ctx.spawn<Worker>({.core = static_cast<int>(unborn_ % cores_)}, ctx.self(this)).tell(Work{});
  }

  std::uint64_t unborn_;
  std::uint64_t alive_;
  std::uint64_t cores_;
  Reply<actor::NoError> reply_;
};

void Worker::handle(Work, Context& ctx) {
  const double value = std::sin(37.2) * std::sin(37.2);
  if (value >= 0) master_.tell(Done{});
  ctx.stop();
}

}  // namespace

Outcome fork_join_creation(Setting setting) {
  const std::uint64_t workers = 40'000 * setting.scale;
  System system{{.cores = setting.cores}};
  const auto master = system.spawn<Master>({.core = 0, .mailbox = {.capacity = 4096}}, workers,
                                           static_cast<std::uint64_t>(setting.cores));
  return {workers, run(system, master)};
}

}  // namespace troupe::bench::savina
