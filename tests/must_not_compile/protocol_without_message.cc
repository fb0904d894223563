// A protocol takes its own messages alone, whatever the actor behind it handles.
// expect: protocol_has_message<troupe::actor::Protocol<Inc, Get>, Reset>
#include "troupe/actor/actor.h"

struct Inc {};
struct Get {
  using reply = int;
};
struct Reset {};

void tell(troupe::actor::Ref<troupe::actor::Protocol<Inc, Get>> counting) { counting.tell(Reset{}); }
