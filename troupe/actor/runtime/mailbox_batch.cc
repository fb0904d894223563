// See mailbox_batch.h.
#include "troupe/actor/runtime/mailbox_batch.h"

#include "troupe/actor/runtime/credits.h"
#include "troupe/actor/runtime/mailbox.h"

namespace troupe::actor::mailbox {
namespace {

void is_due(TimerNode& node) noexcept { release_batch(static_cast<BatchTimer&>(node).cell); }

}  // namespace

BatchTimer::BatchTimer(Cell& its_cell) : TimerNode(is_due), cell(its_cell) {}

void release_batch(Cell& cell) noexcept {
  if ((cell.held & hold_batch) == 0) return;
  cell.held &= static_cast<std::uint8_t>(~hold_batch);
  BatchTimer& timer = *cell.extras->ledger->batch;
  timer.run = 0;
  cell.owner->timers().disarm(timer);
  cell.owner->schedule(cell);
}

void consider_batch(Core& core, Cell& cell) {
  release_batch(cell);
  const Envelope* head = cell.user.head;
  if (head == nullptr || head->handler->batch == nullptr) return;
  const BatchOptions& options = *head->handler->batch;
  std::uint32_t run = 0;
  const Envelope* at = head;
  while (at != nullptr && at->handler->batch == &options && run < options.messages) {
    ++run;
    at = at->next;
  }
  if (run == options.messages || at != nullptr) return;
  auto& timer = cell.extras->ledger->batch;
  if (!timer) timer = std::make_unique<BatchTimer>(cell);
  timer->run = run;
  cell.held |= hold_batch;
  core.timers().arm(*timer, core.now() + options.within);
}

void batch_grows(Core& core, Cell& cell, const Envelope& newest) {
  if ((cell.held & hold_batch) == 0) {
    if (cell.depth == 1)
      consider_batch(core, cell);  // else somebody else's turn comes first, and it is asked again then
    return;
  }
  // While it fills, the queue is of its messages alone; another ends that, wherever it stands.
  const BatchOptions* filling = cell.user.head == &newest ? nullptr : cell.user.head->handler->batch;
  if (filling == nullptr || newest.handler->batch != filling ||
      ++cell.extras->ledger->batch->run >= newest.handler->batch->messages) {
    release_batch(cell);
  }
}

EnvelopeList take_batch(Core& core, Cell& cell, Envelope* first) {
  EnvelopeList taken;
  taken.push(first);
  const BatchOptions* batch = first->handler->batch;
  if (ledger_of(cell) == nullptr) open_ledger(cell);  // it came in by a way that did not know
  for (std::uint32_t n = 1; n < batch->messages; ++n) {
    if (cell.user.head == nullptr || cell.user.head->handler->batch != batch) break;
    taken.push(pop(cell));
  }
  admit_waiting(core, cell);
  credits::room_made(cell);
  consider_batch(core, cell);
  return taken;
}

}  // namespace troupe::actor::mailbox
