// Ledger: what a mailbox keeps beside its count, where it bounds bytes, has priorities or fills batches.
//
// Owned by the CellExtras of such a mailbox, used on its core; others have none and pay
// nothing. The queue stays one list, in the order in which it is handled: a priority is a
// section of it, high first.
#pragma once

#include <array>

#include "troupe/actor/runtime/envelope.h"
#include "troupe/actor/runtime/timers.h"

namespace troupe::actor::mailbox {

/// When a batch is handed over however few have come.
struct BatchTimer : TimerNode {
  explicit BatchTimer(Cell& its_cell);
  Cell& cell;
  std::uint32_t run = 0;  // messages of the batch that fills; 0: none does
};

struct Ledger {
  struct Section {
    Envelope* last = nullptr;
    std::uint32_t sheddable = 0;
    std::uint32_t normal = 0;
  };
  std::array<Section, priority_levels> sections;  // by priority
  std::size_t bytes = 0;                          // of all that is queued
  std::size_t bytes_max = 0;                      // 0: no bound
  std::size_t control_bytes = 0;
  std::uint32_t control = 0;
  std::uint8_t credit_unit = 0;  // how many bytes a credit stands for (Passage::unit)
  bool priorities = false;
  std::unique_ptr<BatchTimer> batch;  // made by the first
};

}  // namespace troupe::actor::mailbox
