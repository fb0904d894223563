// Refusal: what the compiler says to code that cannot work.
//
// Each rule is a constant whose name is the rule and whose arguments are the actor and the
// message, so that the first line of the error names both: "static assertion failed due to
// requirement 'actor_handles_message<Counter, Tick>'". tests/must_not_compile holds them to it.
#pragma once

#include "troupe/actor/batch.h"
#include "troupe/actor/message.h"
#include "troupe/actor/runtime/lifecycle.h"

namespace troupe::actor {

template <Message... M>
struct Protocol;

namespace detail {

template <class Actor, class M>
inline constexpr bool message_is_a_struct_that_moves_without_throwing = Message<M>;

template <class Actor, class M>
inline constexpr bool actor_handles_message = Plain<Actor, M> || WithContext<Actor, M> || Deferred<Actor, M> ||
                                              DeferredWithContext<Actor, M> || Batched<Actor, M>;

template <class T>
inline constexpr bool is_protocol = false;
template <class... Ms>
inline constexpr bool is_protocol<Protocol<Ms...>> = true;

template <class Protocol, class M>
inline constexpr bool protocol_has_message = false;
template <class... Ms, class M>
inline constexpr bool protocol_has_message<Protocol<Ms...>, M> = (std::is_same_v<M, Ms> || ...);

template <class Actor, class M>
inline constexpr bool message_that_is_asked_comes_alone = !Askable<M>;

template <class Actor, class M>
inline constexpr bool actor_takes_its_messages_one_by_one_or_in_batches = !Plain<Actor, M> && !WithContext<Actor, M>;

template <class Actor, class M>
inline constexpr bool batch_handler_returns_nothing = Handles<Actor, M>;

template <class Actor, class M>
inline constexpr bool coroutine_handler_takes_its_batch_by_value = TakesByValue<Actor, Batch<M>>;

template <class Actor, class M>
inline constexpr bool handler_that_takes_a_reply_returns_nothing = deferred_returns_nothing<Actor, M>();

template <class Actor, class M>
inline constexpr bool message_that_is_asked_is_stashed_with_its_reply = !Askable<M>;

template <class Actor, class M>
inline constexpr bool message_that_is_told_again_and_again_is_copyable = may_copy<M>();

template <class Actor, class M, class Returned, class Declared>
inline constexpr bool handler_returns_what_its_message_declares = fits<Returned, M>();

template <class Actor, class M>
inline constexpr bool handler_that_takes_a_reply_is_for_messages_that_declare_one = Askable<M>;

template <class Actor, class M>
inline constexpr bool message_that_is_asked_declares_its_reply = Askable<M>;

template <class Actor, class M>
inline constexpr bool message_that_is_streamed_declares_its_item = Streamed<M>;

template <class Actor, class M>
inline constexpr bool message_that_declares_an_item_is_streamed = !Streamed<M>;

template <class Actor, class M>
inline constexpr bool message_declares_a_reply_or_an_item = !(Askable<M> && Streamed<M>);

template <class Actor, class M>
inline constexpr bool coroutine_handler_takes_its_message_by_value = TakesByValue<Actor, M>;

template <class Actor>
inline constexpr bool who_watches_handles_terminated = Handles<Actor, Terminated>;

template <class M>
struct DeclaredBy {
  using type = reply_of<M>;
};
template <Streamed M>
struct DeclaredBy<M> {
  using type = typename M::item;
};

/// Refuses to compile unless A, a class of actor or a protocol, takes M. True.
template <class A, class M>
consteval bool fit_to_handle() {
  if constexpr (!Message<M>) {
    static_assert(message_is_a_struct_that_moves_without_throwing<A, M>, "this is no message");
  } else if constexpr (is_protocol<A>) {
    static_assert(protocol_has_message<A, M>, "this protocol does not have this message");
  } else if constexpr (!actor_handles_message<A, M>) {
    static_assert(actor_handles_message<A, M>,
                  "this actor has no handler for this message: a public `handle` that takes it by value or const&");
  } else if constexpr (Batched<A, M>) {
    static_assert(message_that_is_asked_comes_alone<A, M>,
                  "a message that is asked cannot come in a batch: nobody would answer each of them");
    static_assert(actor_takes_its_messages_one_by_one_or_in_batches<A, M>, "not both");
    static_assert(batch_handler_returns_nothing<A, M>, "nobody waits for an answer to a batch");
  } else if constexpr (Deferred<A, M> || DeferredWithContext<A, M>) {
    static_assert(handler_that_takes_a_reply_is_for_messages_that_declare_one<A, M>);
    static_assert(handler_that_takes_a_reply_returns_nothing<A, M>, "it answers by the Reply, and is no coroutine");
  } else {
    static_assert(message_declares_a_reply_or_an_item<A, M>, "a message is asked or streamed, not both");
    static_assert(
        handler_returns_what_its_message_declares<A, M, result_of<A, M>, typename DeclaredBy<M>::type>,
        "this actor's handler of this message returns something else (third) than the message declares (last)");
  }
  return true;
}

template <class A, class M>
consteval bool fit_to_tell() {
  static_assert(message_that_declares_an_item_is_streamed<A, M>, "what is streamed is not told");
  return fit_to_handle<A, M>();
}

template <class A, class M>
consteval bool fit_to_ask() {
  static_assert(message_that_is_asked_declares_its_reply<A, M>, "a message that is asked says `using reply = ...;`");
  return fit_to_handle<A, M>();
}

template <class A, class M>
consteval bool fit_to_stream() {
  static_assert(message_that_is_streamed_declares_its_item<A, M>,
                "a message that is streamed says `using item = ...;`");
  return fit_to_handle<A, M>();
}

template <class A, class M>
consteval bool fit_to_suspend() {
  static_assert(coroutine_handler_takes_its_message_by_value<A, M>,
                "its envelope is gone at the first await: write handle(M), not handle(const M&)");
  return true;
}

template <class A>
consteval bool fit_to_watch() {
  static_assert(who_watches_handles_terminated<A>, "who watches handles Terminated");
  return true;
}

}  // namespace detail
}  // namespace troupe::actor
