// The error that a handler returns is the one that its message declares.
// expect: handler_returns_what_its_message_declares<Clerk, Name, std::expected<int, Other>, int>
#include "troupe/actor/actor.h"

enum class Refused { no };
enum class Other { no };
struct Name {
  using reply = int;
  using error = Refused;
};
struct Clerk {
  std::expected<int, Other> handle(Name) { return 1; }
};

auto ask(troupe::actor::Ref<Clerk> clerk) { return clerk.ask(Name{}); }
