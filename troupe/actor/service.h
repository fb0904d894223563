// Service: one actor of its class, or of its class and name, found by whoever needs it and started on first use.
//
//   auto metrics = service<MetricsCollector>(ctx);
//   auto mail = service<Mailer>(ctx, "mail", host, port);
//   auto audit = service<Audit>(ctx, {.core = 1, .restart = Restart::permanent}, file);
//
// However many cores ask at once, there is one instance, and it keeps its reference when it is
// restarted. It is supervised like a top-level actor, below `/services`, and stops after all
// actors that are not services. One that has ended for good is started anew by the next who
// asks; until it has ended it is still given out, and what it is told then is a dead letter.
// Asking takes a lock of the whole system: keep the reference.
#pragma once

#include "troupe/actor/system.h"

namespace troupe::actor {

/// The service of class A and `options.name`; empty: the one without a name. Options and arguments are those of whoever
/// comes first. Any thread.
template <class A, class... Args>
Ref<A> service(System& system, ActorOptions options, Args... args) {
  return system.find_or_start<A>(std::move(options), std::move(args)...);
}
template <class A, class Name, class... Args>
  requires std::convertible_to<Name, std::string_view>
Ref<A> service(System& system, const Name& name, Args... args) {
  return system.find_or_start<A>({.name = std::string{std::string_view{name}}}, std::move(args)...);
}
template <class A>
Ref<A> service(System& system) {
  return system.find_or_start<A>({});
}

/// The same from inside an actor.
template <class A, class... Args>
Ref<A> service(Context& context, ActorOptions options, Args... args) {
  return service<A>(context.system(), std::move(options), std::move(args)...);
}
template <class A, class Name, class... Args>
  requires std::convertible_to<Name, std::string_view>
Ref<A> service(Context& context, const Name& name, Args... args) {
  return service<A>(context.system(), name, std::move(args)...);
}
template <class A>
Ref<A> service(Context& context) {
  return service<A>(context.system());
}

}  // namespace troupe::actor
