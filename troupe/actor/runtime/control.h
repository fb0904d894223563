// Control messages: how the runtime talks to a cell on any core, ahead of its user messages.
//
// A control message is a struct with a `name`, `apply(Core&, Cell&)`, and where it matters
// that the receiver is gone, `on_dead(Core&)`, which runs on the receiver's core.
#pragma once

#include "troupe/actor/runtime/core.h"

namespace troupe::actor::control {

template <class C>
inline constexpr Handler handler{
    .invoke = [](Core& core, Cell* cell, Envelope& envelope) { envelope.message<C>().apply(core, *cell); },
    .destroy = destroy_message<C>,
    .undeliverable =
        [](Core& core, Envelope& envelope) {
          if constexpr (requires(C& message) { message.on_dead(core); }) envelope.message<C>().on_dead(core);
        },
    .message = C::name,
    .message_class = MessageClass::control,
    .runtime = true,
};

/// Sends to the cell's core; `here` is the present core, null on a foreign thread.
template <class C>
void send(Core* here, Address to, C message) {
  Core::submit(here, *to.cell->owner, Core::make_on(here, handler<C>, to, std::move(message)));
}

}  // namespace troupe::actor::control
