// Hooks: what an actor may have beside its handlers, found by name at compile time, and refused where it nearly fits.
//
//   void started(Context&);              before the first message of each start; or a Task<void>, while messages wait
//   void stopped(Context&);              at its stop, whatever led to it; at a restart, unless by its own fault
//   void inspect(Inspection&) const;     adds to its line where operators look (inspect.h)
//   void recovered(Context&);            where its state lasts, in place of `started`; or a Task<void>
//   std::string persistence_id() const;  where its state lasts: what its entity is called
//
// All are public and run on the actor's core. An exception of `started` and `recovered` is a fault of the start; that
// of `stopped` is reported, and the stop goes on. What has the name and does not fit would be passed over in silence,
// so it does not compile; only a public variable may be called so.
#pragma once

#include <concepts>
#include <string>

#include "troupe/actor/inspect.h"
#include "troupe/actor/message.h"

namespace troupe::actor::detail {

template <class T>
concept NothingOrTask = std::is_void_v<T> || std::same_as<T, Task<void>>;

// For each hook: a member of its name, whether it is a variable, whether the name is found, whether it fits.

struct StartedHook {
  int started;
  template <class A>
  static constexpr bool is_variable = requires(A& a) { a.started; };
  template <class A>
  static constexpr bool is_found = requires { &A::started; };
  template <class A>
  static constexpr bool fits = requires(A& a, Context& c) {
    { a.started(c) } -> NothingOrTask;
  };
};

struct StoppedHook {
  int stopped;
  template <class A>
  static constexpr bool is_variable = requires(A& a) { a.stopped; };
  template <class A>
  static constexpr bool is_found = requires { &A::stopped; };
  template <class A>
  static constexpr bool fits = requires(A& a, Context& c) {
    { a.stopped(c) } -> std::same_as<void>;
  };
};

struct InspectHook {
  int inspect;
  template <class A>
  static constexpr bool is_variable = requires(A& a) { a.inspect; };
  template <class A>
  static constexpr bool is_found = requires { &A::inspect; };
  template <class A>
  static constexpr bool fits = requires(const A& a, Inspection& out) {
    { a.inspect(out) } -> std::same_as<void>;
  };
};

struct RecoveredHook {
  int recovered;
  template <class A>
  static constexpr bool is_variable = requires(A& a) { a.recovered; };
  template <class A>
  static constexpr bool is_found = requires { &A::recovered; };
  template <class A>
  static constexpr bool fits = requires(A& a, Context& c) {
    { a.recovered(c) } -> NothingOrTask;
  };
};

struct PersistenceIdHook {
  int persistence_id;
  template <class A>
  static constexpr bool is_variable = requires(A& a) { a.persistence_id; };
  template <class A>
  static constexpr bool is_found = requires { &A::persistence_id; };
  template <class A>
  static constexpr bool fits = requires(const A& a) {
    { a.persistence_id() } -> std::convertible_to<std::string>;
  };
};

/// In which a name that A has too, of whatever access, is ambiguous and so not found.
template <class A, class Hook>
struct WithHook : A, Hook {};

/// Whether A has a member of the hook's name that is not a public variable.
template <class A, class Hook>
consteval bool has_member_of() {
  if constexpr (Hook::template is_variable<A>) {
    return false;
  } else if constexpr (std::is_final_v<A> || std::is_union_v<A>) {
    return Hook::template is_found<A>;
  } else {
    return !Hook::template is_found<WithHook<A, Hook>>;
  }
}

template <class Actor, class Hook>
inline constexpr bool fits_or_is_absent = Hook::template fits<Actor> || !has_member_of<Actor, Hook>();

template <class Actor>
inline constexpr bool started_is_public_and_takes_a_context = fits_or_is_absent<Actor, StartedHook>;
template <class Actor>
inline constexpr bool stopped_is_public_and_takes_a_context = fits_or_is_absent<Actor, StoppedHook>;
template <class Actor>
inline constexpr bool inspect_is_public_and_const_and_takes_an_inspection = fits_or_is_absent<Actor, InspectHook>;
template <class Actor>
inline constexpr bool recovered_is_public_and_takes_a_context = fits_or_is_absent<Actor, RecoveredHook>;
template <class Actor>
inline constexpr bool persistence_id_is_public_and_const = fits_or_is_absent<Actor, PersistenceIdHook>;

/// Whether an actor of this class is told of its start, its stop, and of who looks at it.
template <class A>
consteval bool has_started() {
  static_assert(started_is_public_and_takes_a_context<A>,
                "the hook is `void started(Context&)`, or a Task<void>; what is no hook has another name");
  return StartedHook::fits<A>;
}
template <class A>
consteval bool has_stopped() {
  static_assert(stopped_is_public_and_takes_a_context<A>,
                "the hook is `void stopped(Context&)`, no coroutine; what is no hook has another name");
  return StoppedHook::fits<A>;
}
template <class A>
consteval bool has_inspect() {
  static_assert(inspect_is_public_and_const_and_takes_an_inspection<A>,
                "the hook is `void inspect(Inspection&) const`; what is no hook has another name");
  return InspectHook::fits<A>;
}

/// The same of one whose state lasts.
template <class A>
consteval bool has_recovered() {
  static_assert(recovered_is_public_and_takes_a_context<A>,
                "the hook is `void recovered(Context&)`, or a Task<void>; what is no hook has another name");
  return RecoveredHook::fits<A>;
}
template <class A>
consteval bool says_persistence_id() {
  static_assert(persistence_id_is_public_and_const<A>,
                "it is `std::string persistence_id() const`; what is no hook has another name");
  return PersistenceIdHook::fits<A>;
}

}  // namespace troupe::actor::detail
