// Ref: who to talk to. A small trivially copyable value that owns nothing and keeps nobody alive.
//
// `Ref<A>` accepts what A handles; `Ref<Protocol<M...>>` accepts just those messages, whoever
// stands behind it, and is made from any Ref that handles them. A stale reference is harmless:
// what is told to it is a dead letter, what is asked fails with `not_executed`. A reference
// must not be used after its System is gone.
#pragma once

#include <array>
#include <coroutine>

#include "troupe/actor/handler.h"
#include "troupe/actor/message.h"
#include "troupe/actor/runtime/mailbox.h"

namespace troupe::actor {

/// An interface without virtuals: the messages that one may send.
template <Message... M>
struct Protocol {};

struct AskOptions {
  Duration within = 5s;  // nobody should wait for ever by accident; shortened by the deadline of the ask being handled
};

template <class M>
class AskAwaiter;
template <class M>
class SendAwaiter;

namespace detail {

/// Hands an envelope to its target's core, by the short way where there is one.
inline Sent hand_over(Core* here, Address target, Envelope* envelope, MessageClass its_class) {
  Core& there = *target.cell->owner;
  const bool quickly =
      here == &there && its_class == MessageClass::normal && here->admit_quickly(*target.cell, envelope);
  return quickly ? Sent::sent : Core::submit(here, there, envelope);
}

template <class A>
struct Route {  // to a known class
  template <class M>
  static constexpr bool accepts = Handles<A, M>;
  template <class M>
  const Handler& handler() const noexcept {
    return handler_of<A, M>;
  }
  template <class M>
  static constexpr bool batches() noexcept {
    return Batched<A, M>;
  }
};

template <class... Ms>
struct Route<Protocol<Ms...>> {  // to whoever the table was made for
  template <class M>
  static constexpr bool accepts = (std::is_same_v<M, Ms> || ...);
  template <class M>
  const Handler& handler() const noexcept {
    constexpr bool same[] = {std::is_same_v<M, Ms>...};
    std::size_t at = 0;
    while (!same[at]) ++at;
    return *(*table)[at];
  }
  template <class M>
  bool batches() const noexcept {
    return handler<M>().batch != nullptr;
  }
  template <class A>
  static constexpr std::array<const Handler*, sizeof...(Ms)> table_of{&handler_of<A, Ms>...};
  const std::array<const Handler*, sizeof...(Ms)>* table = nullptr;
};

template <class T>
inline constexpr bool is_protocol = false;
template <class... Ms>
inline constexpr bool is_protocol<Protocol<Ms...>> = true;
template <class A, class P>
inline constexpr bool satisfies_protocol = false;
template <class A, class... Ms>
inline constexpr bool satisfies_protocol<A, Protocol<Ms...>> = (Handles<A, Ms> && ...);

}  // namespace detail

/// Whether an A may stand behind a Ref<P>.
template <class A, class P>
struct satisfies : std::bool_constant<detail::satisfies_protocol<A, P>> {};

template <class A>
class Ref {
 public:
  Ref() = default;
  explicit Ref(Address address) noexcept : address_(address) {}
  /// Narrowing to a protocol.
  template <class Other>
    requires(detail::is_protocol<A> && !detail::is_protocol<Other> && satisfies<Other, A>::value)
  Ref(Ref<Other> other) noexcept : address_(other.address()) {
    route_.table = &detail::Route<A>::template table_of<Other>;
  }

  explicit operator bool() const noexcept { return static_cast<bool>(address_); }
  friend bool operator==(const Ref& a, const Ref& b) noexcept { return a.address_ == b.address_; }
  Address address() const noexcept { return address_; }

  /// Hands the message over and says what happened; never blocks. Any thread.
  template <class M>
  Sent tell(M message) const {
    static_assert(detail::Route<A>::template accepts<M>, "this actor (see `A`) does not handle this message (see `M`)");
    if (!address_) return Sent::dead;
    Core* here = Core::current();
    Envelope* envelope = Core::make_on(here, route_.template handler<M>(), address_, std::move(message));
    if (route_.template batches<M>()) [[unlikely]]
      return Core::submit(here, *address_.cell->owner, envelope);  // the mailbox looks whether the batch is full
    return detail::hand_over(here, address_, envelope, detail::class_of<M>());
  }

  /// `co_await ref.send(m)`: the same, but waits for room in a full mailbox, at most 5 s or the inherited deadline.
  template <class M>
  SendAwaiter<M> send(M message) const {
    static_assert(detail::Route<A>::template accepts<M>, "this actor (see `A`) does not handle this message (see `M`)");
    return {address_, address_ ? &route_.template handler<M>() : nullptr, std::move(message)};
  }

  /// `co_await ref.ask(m)`: the answer, or how it failed; exactly one outcome. Begins when it is awaited.
  template <class M>
  AskAwaiter<M> ask(M message, AskOptions options = {}) const {
    static_assert(detail::Route<A>::template accepts<M>, "this actor (see `A`) does not handle this message (see `M`)");
    static_assert(Askable<M>, "a message that is asked says `using reply = ...;`");
    return {address_, address_ ? &route_.template handler<M>() : nullptr, std::move(message), options};
  }

 private:
  Address address_;
  [[no_unique_address]] detail::Route<A> route_;
};

template <class M>
class [[nodiscard]] AskAwaiter {
 public:
  using Result = Answer<M>;

  AskAwaiter(Address target, const Handler* handler, M message, AskOptions options)
      : target_(target), handler_(handler), message_(std::move(message)), options_(options) {}
  /// Only before it is awaited.
  AskAwaiter(AskAwaiter&& other) noexcept
      : target_(other.target_),
        handler_(other.handler_),
        message_(std::move(other.message_)),
        options_(other.options_) {}

  bool await_ready() const noexcept { return !target_; }

  bool await_suspend(std::coroutine_handle<> frame) {
    Activation& activation = detail::awaiting();
    Core& core = *activation.cell->owner;
    activation.point = frame;
    const Instant deadline = std::min(core.now() + options_.within, core.deadline());
    core.open_ask(ask_, deadline);
    ask_.remote = target_.cell->owner != &core;
    Envelope* envelope = core.make(*handler_, target_, std::move(message_));
    envelope->reply = ask_.id;
    envelope->deadline = deadline;
    // A refusal answers through the ask itself, so that every ask ends on one path.
    detail::hand_over(&core, target_, envelope, detail::class_of<M>());
    return true;
  }

  Result await_resume() {
    if (ask_.failure)
      return std::unexpected(Failure<error_of<M>>{ask_.failure->outcome, {}, std::move(ask_.failure->what)});
    if (!ask_.answer) return std::unexpected(Failure<error_of<M>>{Outcome::not_executed, {}, "there is nobody to ask"});
    if (!ask_.answer->has_value()) {
      return std::unexpected(Failure<error_of<M>>{Outcome::answered, std::move(ask_.answer->error()), "refused"});
    }
    if constexpr (std::is_void_v<reply_of<M>>) {
      return {};
    } else {
      return std::move(**ask_.answer);
    }
  }

 private:
  Address target_;
  const Handler* handler_;
  M message_;
  AskOptions options_;
  detail::TypedAsk<reply_of<M>, error_of<M>> ask_;
};

template <class M>
class [[nodiscard]] SendAwaiter {
 public:
  SendAwaiter(Address target, const Handler* handler, M message)
      : target_(target), handler_(handler), message_(std::move(message)) {}
  /// Only before it is awaited.
  SendAwaiter(SendAwaiter&& other) noexcept
      : target_(other.target_), handler_(other.handler_), message_(std::move(other.message_)) {}
  ~SendAwaiter() {
    if (local_.waiter != nullptr) mailbox::give_up(*local_.waiter);
  }

  bool await_ready() const noexcept { return false; }

  bool await_suspend(std::coroutine_handle<> frame) {
    if (!target_) {
      local_.result = Sent::dead;
      return false;
    }
    Activation& activation = detail::awaiting();
    Core& core = *activation.cell->owner;
    activation.point = frame;
    Cell& cell = *target_.cell;
    Envelope* envelope = core.make(*handler_, target_, std::move(message_));
    const Instant deadline = std::min(core.now() + 5s, core.deadline());
    if (cell.owner != &core) {
      core.open_ask(remote_, deadline);
      remote_.remote = true;
      envelope->reply = remote_.id;
      envelope->awaits_room = 1;
      envelope->deadline = deadline;
      Core::submit(&core, *cell.owner, envelope);
      return true;
    }
    local_.activation = &activation;
    const auto done = mailbox::send(core, cell, envelope, local_, deadline);
    if (done) local_.result = *done;
    return !done;
  }

  Sent await_resume() const noexcept {
    if (!remote_.failure) return local_.result;
    switch (remote_.failure->outcome) {
      case Outcome::answered:
        return Sent::sent;
      case Outcome::not_executed:
        return remote_.failure->what == name_of(Drop::dead) || remote_.failure->what == name_of(Drop::stopped)
                   ? Sent::dead
                   : Sent::full;
      default:
        return Sent::full;
    }
  }

 private:
  Address target_;
  const Handler* handler_;
  M message_;
  SendState local_;
  AskState remote_;
};

}  // namespace troupe::actor
