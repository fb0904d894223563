// Message: what makes a plain struct a message, and what an actor must have to handle one.
//
// `using reply = R;` makes it askable, `using error = E;` adds a domain error, `using item = T;`
// makes its answer a stream. An actor handles M by an overload `handle(M)`, found at compile
// time and without conversions, that returns void, R, std::expected<R, E>, Delegated<R, E> or
// a Task of one of these, or Stream<T, E>; it may take a trailing Context&, or a Reply<R, E>
// in place of a return value. With `handle(Batch<M>)` it handles several at once (batch.h).
//
// A coroutine handler suspends its actor unless the message or the actor says
// `static constexpr bool interleaves = true;`. Where an actor says
// `static constexpr bool const_handlers_interleave = true;`, its const handlers are handled
// also while another handler is suspended, though never before an earlier message.
//
// A message with a container of what only moves (std::vector<std::unique_ptr<T>>) says
// `static constexpr bool copyable = false;`: the language believes that it can be copied.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <type_traits>

#include "troupe/actor/runtime/core.h"

namespace troupe::actor {

template <class T = void>
class Task;
template <class M>
class Batch;

/// The error type of messages that declare none; it has no value.
struct NoError {
  friend bool operator==(NoError, NoError) = default;
};

template <class R, class E = NoError>
class Reply;
template <class R, class E = NoError>
class Delegated;
template <class T, class E = NoError>
class Stream;

template <class M>
concept Message = std::is_class_v<M> && std::is_nothrow_move_constructible_v<M> && !std::is_const_v<M>;

template <class M>
concept Askable = Message<M> && requires { typename M::reply; };

template <class M>
concept Streamed = Message<M> && requires { typename M::item; };

namespace detail {

template <class M>
struct ErrorOf {
  using type = NoError;
};
template <class M>
  requires requires { typename M::error; }
struct ErrorOf<M> {
  using type = typename M::error;
};

template <class M>
struct ItemOf {
  using type = void;
};
template <class M>
  requires requires { typename M::item; }
struct ItemOf<M> {
  using type = typename M::item;
};

template <class M>
struct ReplyOf {
  using type = void;
};
template <class M>
  requires requires { typename M::reply; }
struct ReplyOf<M> {
  using type = typename M::reply;
};

/// A message may say its size, by `bytes()` or `size_in_bytes()`, for mailboxes that bound bytes; it must not change
/// while the message waits.
template <class M>
std::size_t size_of(const M& message) noexcept {
  if constexpr (requires { message.bytes(); }) {
    return message.bytes();
  } else {
    return message.size_in_bytes();
  }
}
template <class M>
std::size_t bytes_of(const Envelope& envelope) noexcept {
  return size_of(envelope.message<M>());
}
template <class M>
inline constexpr bool says_size = requires(const M& m) {
  { m.bytes() } -> std::same_as<std::size_t>;
} || requires(const M& m) {
  { m.size_in_bytes() } -> std::same_as<std::size_t>;
};

/// A message may have a priority: `static constexpr Priority priority`, or a member function `priority()`.
template <class M>
Priority priority_of(const Envelope& envelope) noexcept {
  return envelope.message<M>().priority();
}
template <class M>
inline constexpr bool chooses_priority = requires(const M& m) {
  { m.priority() } -> std::same_as<Priority>;
};
template <class M>
consteval Priority static_priority_of() {
  if constexpr (requires { std::integral_constant<Priority, M::priority>{}; }) return M::priority;
  return Priority::normal;
}

using BytesFunction = std::size_t (*)(const Envelope&) noexcept;
template <class M>
consteval BytesFunction bytes_function() {
  if constexpr (says_size<M>) return &bytes_of<M>;
  return nullptr;
}
using PriorityFunction = Priority (*)(const Envelope&) noexcept;
template <class M>
consteval PriorityFunction priority_function() {
  if constexpr (chooses_priority<M>) return &priority_of<M>;
  return nullptr;
}

/// Whether the library may copy a message, for a pool that broadcasts, a topic or a timer. A container of what only
/// moves claims to be copyable, so who has one says `static constexpr bool copyable = false;`.
template <class M>
consteval bool may_copy() {
  if constexpr (requires { std::bool_constant<M::copyable>{}; }) {
    return M::copyable;
  } else {
    return std::is_copy_constructible_v<M>;
  }
}

template <class M>
consteval MessageClass class_of() {
  if constexpr (requires { M::message_class; }) {
    return M::message_class;
  } else {
    return MessageClass::normal;
  }
}

}  // namespace detail

template <class M>
using reply_of = typename detail::ReplyOf<M>::type;
template <class M>
using item_of = typename detail::ItemOf<M>::type;
template <class M>
using error_of = typename detail::ErrorOf<M>::type;

namespace detail {
std::string text_of_failure(const Handler* asked, std::string_view what);
}

/// What came of an ask that has no answer, or whose answer is the domain error.
template <class E = NoError>
struct Failure {
  Outcome outcome = Outcome::unknown;
  std::optional<E> domain{};  // set where outcome is `answered`
  std::string what{};
  const Handler* asked = nullptr;  // set by `ask`

  /// Whether the request was certainly not carried out.
  bool safe_to_retry() const noexcept { return outcome == Outcome::not_executed; }
  /// For a log: `what`, and who was asked for what.
  std::string text() const { return detail::text_of_failure(asked, what); }
};

/// What `co_await ref.ask(M)` gives.
template <class M>
using Answer = std::expected<reply_of<M>, Failure<error_of<M>>>;

}  // namespace troupe::actor

/// What `answer.value()` throws where there is none. The standard's own says only that there is none; this one says
/// who was asked for what and what came of it, and so does the log when a handler lets it go.
template <class E>
class std::bad_expected_access<troupe::actor::Failure<E>> : public std::bad_expected_access<void> {
 public:
  explicit bad_expected_access(troupe::actor::Failure<E> failure)
      : failure_(std::move(failure)), text_(failure_.text()) {}

  const char* what() const noexcept override { return text_.c_str(); }
  troupe::actor::Failure<E>& error() & noexcept { return failure_; }
  const troupe::actor::Failure<E>& error() const& noexcept { return failure_; }
  troupe::actor::Failure<E>&& error() && noexcept { return std::move(failure_); }
  const troupe::actor::Failure<E>&& error() const&& noexcept { return std::move(failure_); }

 private:
  troupe::actor::Failure<E> failure_;
  std::string text_;
};

namespace troupe::actor {
namespace detail {

/// Converts to M and to nothing else, so that an overload for another type is never chosen.
template <class M>
struct Exactly {
  template <class T>
    requires std::is_same_v<std::remove_cvref_t<T>, M>
  operator T() const;  // never defined: used unevaluated
};

template <class M>
using ReplyFor = Reply<reply_of<M>, error_of<M>>;

template <class A, class M>
concept Plain = requires(A& a, Exactly<M> m) { a.handle(m); };
template <class A, class M>
concept WithContext = requires(A& a, Exactly<M> m, Context& c) { a.handle(m, c); };
template <class A, class M>
concept Deferred = requires(A& a, Exactly<M> m, Exactly<ReplyFor<M>> r) { a.handle(m, r); };
template <class A, class M>
concept DeferredWithContext = requires(A& a, Exactly<M> m, Exactly<ReplyFor<M>> r, Context& c) { a.handle(m, r, c); };

/// Whether such a handler returns nothing: it answers by the Reply.
template <class A, class M>
consteval bool deferred_returns_nothing() {
  if constexpr (DeferredWithContext<A, M>) {
    return std::is_void_v<decltype(std::declval<A&>().handle(
        std::declval<Exactly<M>>(), std::declval<Exactly<ReplyFor<M>>>(), std::declval<Context&>()))>;
  } else {
    return std::is_void_v<decltype(std::declval<A&>().handle(std::declval<Exactly<M>>(),
                                                             std::declval<Exactly<ReplyFor<M>>>()))>;
  }
}

template <class T>
struct TaskOf {
  static constexpr bool is_task = false;
  using type = T;
};
template <class T>
struct TaskOf<Task<T>> {
  static constexpr bool is_task = true;
  using type = T;
};

template <class A, class M>
auto result_probe() {
  if constexpr (WithContext<A, M>) {
    return std::type_identity<decltype(std::declval<A&>().handle(std::declval<Exactly<M>>(),
                                                                 std::declval<Context&>()))>{};
  } else {
    return std::type_identity<decltype(std::declval<A&>().handle(std::declval<Exactly<M>>()))>{};
  }
}
template <class A, class M>
using result_of = typename decltype(result_probe<A, M>())::type;

/// A coroutine handler outlives its envelope, so it must own its message: `handle(M)`, not `handle(const M&)`.
template <class A, class M>
concept TakesByValue = requires { static_cast<result_of<A, M> (A::*)(M)>(&A::handle); } ||
                       requires { static_cast<result_of<A, M> (A::*)(M, Context&)>(&A::handle); } ||
                       requires { static_cast<result_of<A, M> (A::*)(M) const>(&A::handle); } ||
                       requires { static_cast<result_of<A, M> (A::*)(M, Context&) const>(&A::handle); } ||
                       requires { static_cast<result_of<A, M> (A::*)(M, const Context&)>(&A::handle); } ||
                       requires { static_cast<result_of<A, M> (A::*)(M, const Context&) const>(&A::handle); } ||
                       requires { static_cast<result_of<A, M> (*)(A&, M)>(&A::handle); } ||
                       requires { static_cast<result_of<A, M> (*)(A&, M, Context&)>(&A::handle); } ||
                       requires { static_cast<result_of<A, M> (*)(M)>(&A::handle); } ||
                       requires { static_cast<result_of<A, M> (*)(M, Context&)>(&A::handle); };

template <class T>
inline constexpr bool is_batch = false;
template <class M>
inline constexpr bool is_batch<Batch<M>> = true;
/// Whether a handler that returns Result answers what M declares.
template <class Result, class M>
consteval bool fits() {
  using Answered = typename TaskOf<Result>::type;
  if constexpr (Streamed<M>) {
    return std::is_same_v<Result, Stream<typename M::item, error_of<M>>>;
  } else if constexpr (Askable<M> && std::is_same_v<Answered, Delegated<reply_of<M>, error_of<M>>>) {
    return true;
  } else {
    return std::is_same_v<Answered, reply_of<M>> || std::is_same_v<Answered, std::expected<reply_of<M>, error_of<M>>>;
  }
}

template <class A, class M>
consteval bool answers_rightly() {
  if constexpr (Plain<A, Batch<M>> || WithContext<A, Batch<M>>) {
    return !Askable<M> && std::is_void_v<typename TaskOf<result_of<A, Batch<M>>>::type>;
  } else if constexpr (Deferred<A, M> || DeferredWithContext<A, M>) {
    return Askable<M> && deferred_returns_nothing<A, M>();
  } else if constexpr (Plain<A, M> || WithContext<A, M>) {
    return fits<result_of<A, M>, M>();
  } else {
    return false;
  }
}

/// Whether the handler of M lets others be handled while it is suspended.
template <class A, class M>
consteval bool interleaves() {
  bool yes = false;
  if constexpr (requires { A::interleaves; }) yes = A::interleaves;
  if constexpr (requires { M::interleaves; }) yes = yes || M::interleaves;
  return yes;
}

/// Whether the handler of M may run while another is suspended, because it only looks.
template <class A, class M>
consteval bool reads() {
  if constexpr (requires { A::const_handlers_interleave; }) {
    using Looking = const A;
    return A::const_handlers_interleave &&
           (Plain<Looking, M> || WithContext<Looking, M> || Deferred<Looking, M> || DeferredWithContext<Looking, M>);
  }
  return false;
}

/// What a handler of M is called on.
template <class A, class M>
using Receiver = std::conditional_t<reads<A, M>(), const A, A>;

}  // namespace detail

/// Whether A has a handler for M whose answer fits M.
template <class A, class M>
concept Handles = Message<M> && !detail::is_batch<M> && detail::answers_rightly<A, M>();

}  // namespace troupe::actor
