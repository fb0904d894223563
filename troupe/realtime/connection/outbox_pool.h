// OutboxPool: the outboxes of one core. A connection has one only while something waits in it, so there are about as
// many as connections that are written to in one turn, and slow ones.
//
// Owned by the core's ConnectionSite; it outlives what it lends.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "troupe/realtime/connection/outbox.h"

namespace troupe::realtime {

using OutboxPtr = std::unique_ptr<Outbox>;

class OutboxPool {
 public:
  /// Both must outlive the pool.
  OutboxPool(const OutboxLimits& limits, OutboxFigures& figures)
      : limits_(limits), figures_(figures), nothing_(limits) {}
  OutboxPool(const OutboxPool&) = delete;
  OutboxPool& operator=(const OutboxPool&) = delete;

  /// An empty one, whose frames are coded by `coding`, if any.
  OutboxPtr lend(FrameCoding* coding) {
    if (free_.empty()) [[unlikely]]
      return make(coding);
    auto outbox = std::move(free_.back());
    free_.pop_back();
    outbox->code_with(coding);
    return outbox;
  }
  /// One that is_fresh().
  void take_back(OutboxPtr outbox) {
    if (free_.size() < kept_max) free_.push_back(std::move(outbox));
  }
  /// What a connection has to which nothing is to be told.
  const Outbox& nothing() const noexcept { return nothing_; }

 private:
  static constexpr std::size_t kept_max = 16 * 1024;  // two megabytes

  OutboxPtr make(FrameCoding* coding) const {
    auto outbox = std::make_unique<Outbox>(limits_);
    outbox->count_in(figures_);
    outbox->code_with(coding);
    return outbox;
  }

  const OutboxLimits& limits_;
  OutboxFigures& figures_;
  const Outbox nothing_;
  std::vector<OutboxPtr> free_;
};

}  // namespace troupe::realtime
