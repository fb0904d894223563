// See stream_source.h.
#include "troupe/actor/runtime/stream_source.h"

#include "troupe/base/check.h"

namespace troupe::actor {
namespace {

struct Grant {
  ReplyTo source;
  std::uint32_t credit;
};
struct Cancel {
  ReplyTo source;
};

StreamSource* find(Core& core, ReplyTo source) noexcept { return static_cast<StreamSource*>(core.find_ask(source)); }

constexpr Handler grant_handler{
    .invoke =
        [](Core& core, Cell*, Envelope& envelope) {
          const Grant grant = envelope.message<Grant>();
          if (StreamSource* source = find(core, grant.source)) source->grant(grant.credit);
        },
    .destroy = destroy_message<Grant>,
    .message = "credit of a stream",
    .message_class = MessageClass::control,
    .runtime = true,
    .trivial = true,
};

constexpr Handler cancel_handler{
    .invoke =
        [](Core& core, Cell*, Envelope& envelope) {
          if (StreamSource* source = find(core, envelope.message<Cancel>().source)) source->end();
        },
    .destroy = destroy_message<Cancel>,
    .message = "end of a stream",
    .message_class = MessageClass::control,
    .runtime = true,
    .trivial = true,
};

}  // namespace

StreamSource::~StreamSource() {
  if (activation == nullptr) return;
  flush();
  --activation->cell->extras->streams;
}

void StreamSource::open(Activation& its_activation, std::uint32_t credit) {
  its_activation.cell->owner->open_slot(*this);
  activation = &its_activation;
  its_activation.source_slot = id.slot();
  credit_ = granted_ = credit;
  ++its_activation.cell->more().streams;
}

void StreamSource::spend() noexcept {
  INVARIANT(credit_ > 0, "a stream yields only what it has credit for");
  --credit_;
}

void StreamSource::grant(std::uint32_t credit) noexcept {
  if (!reader()) return;  // abandoned
  credit_ += credit;
  granted_ += credit;
  if (activation->at_yield && !activation->postponed) core->make_ready(*activation);
}

void StreamSource::wait_for_credit(std::coroutine_handle<> frame) noexcept {
  flush();
  Cell& cell = *activation->cell;
  activation->point = frame;
  activation->at_yield = true;
  if (activation->unwanted) streams::cancel(*core, id);  // a shield held the end off, and here it ends
  cell.activations.remove(activation);
  cell.activations.push(activation);
  --cell.in_flight;
  // An actor that drains does not wait for a reader.
  if (cell.in_flight == 0 && cell.exclusive != 0) lifecycle::last_handler_ended(cell);
  streams::release(*core, cell);
  core->schedule(cell);
}

void StreamSource::flush() noexcept {
  Envelope* envelope = std::exchange(collected_, nullptr);
  if (envelope == nullptr) return;
  if (reader()) {
    Core::submit(core, core->host().core(reader().core()), envelope);
  } else {
    core->destroy(envelope);
  }
}

void StreamSource::abandon() noexcept {
  credit_ = 0;
  activation->reply = {};
  streams::cancel(*core, id);
}

void StreamSource::end() noexcept {
  Core& here = *core;
  Cell& cell = *activation->cell;
  activation->unwanted = true;
  // A shield protects what the handler has begun; at a `co_yield` it has begun nothing but the next item.
  if (activation->shields > 0 && !activation->at_yield) return;
  activation->reply = {};
  here.within(cell, "the end of a stream", [&] { here.end(*activation); });
  here.schedule(cell);
}

namespace streams {

bool may_open(Core& core, Cell& cell, Envelope& envelope) noexcept {
  const bool local = envelope.reply.core() == core.index();
  if (!envelope.reply || (local && core.find_ask(envelope.reply) == nullptr)) return false;
  if (cell.more().streams < cell.in_flight_max) return true;
  core.count_dropped(envelope, *cell.type, Drop::full, 1);
  core.fail_ask(std::exchange(envelope.reply, {}), Outcome::not_executed, "the actor has too many streams already");
  return false;
}

void grant(Core& here, ReplyTo source, std::uint32_t credit) {
  if (source.core() != here.index()) {
    Core::submit(&here, here.host().core(source.core()), here.make(grant_handler, {}, Grant{source, credit}));
  } else if (StreamSource* found = find(here, source)) {
    found->grant(credit);
  }
}

// Always a message, on one core too: the frame must not be destroyed by a call
// that came out of it.
void cancel(Core& here, ReplyTo source) {
  Core::submit(&here, here.host().core(source.core()), here.make(cancel_handler, {}, Cancel{source}));
}

bool leave_yield(Activation& activation) noexcept {
  Cell& cell = *activation.cell;
  if (cell.is_suspended()) {
    activation.postponed = true;
    cell.more().postponed.push_back(&activation);
    return false;
  }
  activation.at_yield = false;
  ++cell.in_flight;
  if (!activation.interleaves) {
    cell.activations.remove(&activation);
    cell.activations.push_front(&activation);
  }
  return true;
}

void release(Core& core, Cell& cell) noexcept {
  if (!cell.extras || cell.extras->postponed.empty() || cell.is_suspended()) return;
  for (Activation* activation : cell.extras->postponed) {
    activation->postponed = false;
    core.make_ready(*activation);
  }
  cell.extras->postponed.clear();
}

}  // namespace streams
}  // namespace troupe::actor
