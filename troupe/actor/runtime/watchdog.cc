// See watchdog.h.
#include "troupe/actor/runtime/watchdog.h"

#include <fmt/format.h>

namespace troupe::actor {
namespace {

std::string number_of(Core& core, const Cell& cell) { return fmt::format("{}.{}", core.index(), cell.place()); }

std::int64_t milliseconds(Duration d) { return std::chrono::duration_cast<std::chrono::milliseconds>(d).count(); }

}  // namespace

Watchdog::Watchdog(Host& host, Duration limit)
    : host_(host), limit_(limit), seen_(host.core_count()), thread_([this] { run(); }) {}

Watchdog::~Watchdog() {
  {
    const std::lock_guard lock{mutex_};
    ends_ = true;
  }
  ends_changed_.notify_one();
  host_.bell().ring();
  thread_.join();
}

void Watchdog::count(Core& core, const Doing& doing) noexcept {
  if (doing.actor == nullptr) return;
  if (const TypeStats* figures = core.stats_of(doing.actor->index.load(std::memory_order_relaxed))) {
    figures->stalled.add();
  }
}

std::string Watchdog::describe(Core& core, Address actor, const Doing& doing, Duration held) {
  Cell& cell = *actor.cell;
  const std::string who = cell.is(actor.generation)
                              ? fmt::format("{}({})", cell.type->name, lifecycle::path_of(cell))
                              : fmt::format("the actor {}, which has ended,", number_of(core, cell));
  return fmt::format("{} held core {} for {} ms with {}", who, core.index(), milliseconds(held), doing.what);
}

bool Watchdog::is_quiet() const noexcept {
  for (std::size_t i = 0; i < host_.core_count(); ++i) {
    if (!host_.core(i).is_asleep() || host_.core(i).running_cell() != nullptr) return false;
  }
  return true;
}

void Watchdog::run() {
  std::unique_lock lock{mutex_};
  bool was_quiet = false;
  while (!ends_) {
    // Two looks at sleeping cores before it sleeps itself: what wakes often does not wake this thread each time.
    if (std::exchange(was_quiet, is_quiet()) && was_quiet) {
      lock.unlock();
      host_.bell().sleep_unless([this] { return ends_ || !is_quiet(); });
      lock.lock();
      if (ends_) return;
    }
    const Instant now = base::system_clock().now();
    for (std::size_t i = 0; i < seen_.size(); ++i) look_at(host_.core(i), seen_[i], now);
    ends_changed_.wait_for(lock, limit_ / 4);
  }
}

void Watchdog::look_at(Core& core, Watched& seen, Instant now) {
  const std::uint64_t turn = core.turns();
  Cell* cell = core.running_cell();
  if (cell == nullptr || turn != seen.turn || cell != seen.cell) {
    seen = {turn, cell, now, false};
    return;
  }
  if (seen.told || now - seen.since < limit_) return;
  const Doing doing = core.doing();
  if (core.turns() != turn) return;  // it is free in this moment, and what was read may belong to two turns
  seen.told = true;
  tell(core, *cell, doing, seen.since);
}

void Watchdog::tell(Core& core, Cell& cell, const Doing& doing, Instant since) {
  count(core, doing);
  host_.report(fmt::format("core {} is held for more than {} ms by the actor {} ({}) with {}", core.index(),
                           milliseconds(limit_), number_of(core, cell),
                           doing.actor != nullptr ? doing.actor->name : std::string_view{"of any type"}, doing.what));
  core.post_remotely([address = cell.address(), doing, since](Core& here) {
    here.host().report(describe(here, address, doing, here.read_clock() - since));
  });
}

}  // namespace troupe::actor
