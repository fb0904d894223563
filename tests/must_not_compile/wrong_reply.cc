// A handler returns what its message declares.
// expect: handler_returns_what_its_message_declares<Clerk, Name, int
// expect: string
#include "troupe/actor/actor.h"

struct Name {
  using reply = std::string;
};
struct Clerk {
  int handle(Name) { return 1; }
};

auto ask(troupe::actor::Ref<Clerk> clerk) { return clerk.ask(Name{}); }
