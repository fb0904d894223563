// A reference is narrowed, never widened.
// expect: Ref<Protocol<Inc, (no argument)>>
// expect: Ref<Protocol<Inc, Reset>>
#include "troupe/actor/actor.h"

struct Inc {};
struct Reset {};

using troupe::actor::Protocol;
using troupe::actor::Ref;

Ref<Protocol<Inc, Reset>> widen(Ref<Protocol<Inc>> narrow) { return narrow; }
