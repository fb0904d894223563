// A message moves from envelope to envelope, so it must move, and without throwing.
// expect: message_is_a_struct_that_moves_without_throwing<Holder, Pinned>
#include "troupe/actor/actor.h"

struct Pinned {
  Pinned() = default;
  Pinned(Pinned&&) noexcept(false) {}
};
struct Holder {
  void handle(Pinned) {}
};

void tell(troupe::actor::Ref<Holder> holder) { holder.tell(Pinned{}); }
