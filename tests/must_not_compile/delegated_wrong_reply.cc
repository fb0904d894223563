// A duty is handed on only to a message with the same reply.
// expect: handler_returns_what_its_message_declares<Front, Count,
// expect: troupe::actor::Delegated<bool, troupe::actor::NoError>, int>
#include "troupe/actor/actor.h"

struct Count {
  using reply = int;
};
struct Check {
  using reply = bool;
};
struct Back {
  bool handle(Check) { return true; }
};
struct Front {
  troupe::actor::Delegated<bool> handle(Count) { return back.delegate(Check{}); }
  troupe::actor::Ref<Back> back;
};

auto ask(troupe::actor::Ref<Front> front) { return front.ask(Count{}); }
