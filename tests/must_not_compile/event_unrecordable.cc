// A pointer means nothing to the next process, so no event has one.
// expect: becomes_bytes<const char *>
// expect: a field of this type cannot be recorded
#include "troupe/actor/persist/event_sourced.h"

using namespace troupe::actor;

struct Named {
  const char* name = nullptr;
};
struct Nothing {};
struct Name {};

struct Account : EventSourced<Nothing, Events<Named>> {
  static Nothing apply(Nothing s, const Named&) { return s; }
  Task<void> handle(Name) { co_await persist(Named{"Ada"}); }
};

void tell(Ref<Account> account) { account.tell(Name{}); }
