// Ref: who to talk to. A small trivially copyable value that owns nothing and keeps nobody alive.
//
// `Ref<A>` accepts what A handles; `Ref<Protocol<M...>>` accepts just those messages, whoever
// stands behind it, and is made from any Ref that accepts them, of a class or of a wider
// protocol. A stale reference is harmless: what is told to it is a dead letter, what is asked
// fails with `not_executed`. A reference must not be used after its System is gone. An actor of
// another System may tell by it; asks, sends, streams and delegation stay within one.
#pragma once

#include <algorithm>
#include <array>
#include <coroutine>

#include "troupe/actor/handler.h"
#include "troupe/actor/message.h"
#include "troupe/actor/runtime/forward.h"
#include "troupe/actor/runtime/mailbox.h"
#include "troupe/actor/stream_reader.h"

namespace troupe::actor {

/// An interface without virtuals: the messages that one may send.
template <Message... M>
struct Protocol {};

struct AskOptions {
  Duration within = 5s;  // nobody should wait for ever by accident; shortened by the deadline of the ask being handled
};

template <class A>
class Ref;
template <class M>
class AskAwaiter;
template <class M>
class SendAwaiter;

namespace detail {

/// The core whose thread this is, where it may hand something to `target` itself.
inline Core* sender_to(Address target) noexcept {
  Core* there = target.cell->owner;
  return Core::current() == there ? there : there->host().here();
}

/// A message in its envelope; on a foreign thread from the heap, and never within a trace.
template <class M>
Envelope* enclose(Core* here, const Handler& handler, Address target, M&& message) {
  return here != nullptr ? here->make_message(handler, target, std::forward<M>(message))
                         : make_from_heap(handler, target, std::forward<M>(message));
}

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
  const Handler& handler() const noexcept {
    return handler_of<A, M>;
  }
  template <class M>
  static constexpr bool batches() noexcept {
    return Batched<A, M>;
  }
};

/// Stands for a message type in tables.
template <class M>
inline constexpr char tag_of = 0;

struct RouteEntry {
  const char* tag;
  const Handler* handler;
};

template <class... Ms>
struct Route<Protocol<Ms...>> {  // to whoever the table was made for
  /// The table of a narrowed reference is that of the wider protocol, so the place of M in this one is only a guess.
  template <class M>
  const Handler& handler() const noexcept {
    static_assert((std::size_t{std::is_same_v<M, Ms>} + ...) == 1, "a protocol names each message once");
    constexpr bool same[] = {std::is_same_v<M, Ms>...};
    constexpr std::size_t guess = std::ranges::find(same, true) - std::begin(same);
    const RouteEntry* entry = table + guess;
    if (entry->tag != &tag_of<M>) [[unlikely]] {
      for (entry = table; entry->tag != &tag_of<M>;) ++entry;
    }
    return *entry->handler;
  }
  template <class M>
  bool batches() const noexcept {
    return handler<M>().batch != nullptr;
  }
  template <class A>
  static constexpr std::array<RouteEntry, sizeof...(Ms)> table_of{{{&tag_of<Ms>, &handler_of<A, Ms>}...}};
  const RouteEntry* table = nullptr;
};

template <class T, class P>
inline constexpr bool satisfies_protocol = false;
template <class A, class... Ms>
inline constexpr bool satisfies_protocol<A, Protocol<Ms...>> = (Handles<A, Ms> && ...);
template <class... Wide, class... Ms>
inline constexpr bool satisfies_protocol<Protocol<Wide...>, Protocol<Ms...>> =
    (protocol_has_message<Protocol<Wide...>, Ms> && ...);

/// Whether `f<M>(arguments...)` builds an M, rather than being given one.
template <class M, class... Args>
concept Builds = sizeof...(Args) != 1 || !(std::is_same_v<std::remove_cvref_t<Args>, M> && ...);

}  // namespace detail

/// Whether an A, or whoever stands behind a protocol A, may stand behind a Ref<P>.
template <class A, class P>
struct satisfies : std::bool_constant<detail::satisfies_protocol<A, P>> {};

/// Asks with one deadline: `ref.within(1s).ask<Transfer>("a", "b", 5)`.
template <class A, class To = Ref<A>>
class Within {
 public:
  Within(To ref, Duration within) noexcept : ref_(std::move(ref)), within_(within) {}

  template <class M>
  auto ask(M message) const {
    return ref_.ask(std::move(message), {.within = within_});
  }
  template <class M, class... Args>
    requires detail::Builds<M, Args...>
  auto ask(Args&&... args) const {
    return ref_.ask(M{std::forward<Args>(args)...}, {.within = within_});
  }

 private:
  To ref_;
  Duration within_;
};

template <class A>
class Ref {
 public:
  Ref() = default;
  explicit Ref(Address address) noexcept : address_(address) {}
  /// Narrowing to a protocol, from a class or a wider protocol.
  template <class Other>
    requires(detail::is_protocol<A> && !std::is_same_v<Other, A> && satisfies<Other, A>::value)
  Ref(Ref<Other> other) noexcept : address_(other.address_) {
    if constexpr (detail::is_protocol<Other>) {
      route_.table = other.route_.table;
    } else {
      route_.table = detail::Route<A>::template table_of<Other>.data();
    }
  }

  explicit operator bool() const noexcept { return static_cast<bool>(address_); }
  /// Whether it is the same actor. The order is good for maps and means nothing else; there is a std::hash too.
  friend bool operator==(const Ref& a, const Ref& b) noexcept { return a.address_ == b.address_; }
  friend std::strong_ordering operator<=>(const Ref& a, const Ref& b) noexcept { return a.address_ <=> b.address_; }
  Address address() const noexcept { return address_; }

  /// Hands the message over and says what happened. Any thread; no core ever waits in it, a foreign thread does where
  /// the mailbox is full and says `Overflow::block`. From another core `sent` means that it is on its way with a place
  /// kept for it, and `full` may come while there is room that other senders hold.
  template <class M>
  Sent tell(M message) const {
    static_assert(detail::fit_to_tell<A, M>());
    if (!address_) return Sent::dead;
    Core* here = detail::sender_to(address_);
    Envelope* envelope = detail::enclose(here, route_.template handler<M>(), address_, std::move(message));
    if (route_.template batches<M>()) [[unlikely]]
      return Core::submit(here, *address_.cell->owner, envelope);  // the mailbox looks whether the batch is full
    return detail::hand_over(here, address_, envelope, detail::class_of<M>());
  }

  /// The same, with the message built here: `ref.tell<Inc>(5)` is `ref.tell(Inc{5})`.
  template <class M, class... Args>
    requires detail::Builds<M, Args...>
  Sent tell(Args&&... args) const {
    return tell(M{std::forward<Args>(args)...});
  }

  /// `co_await ref.send(m)`: the same, but waits for room in a full mailbox, at most 5 s or the inherited deadline.
  template <class M>
  SendAwaiter<M> send(M message) const {
    static_assert(detail::fit_to_tell<A, M>());
    return {address_, handler<M>(), std::move(message)};
  }

  /// `co_await ref.ask(m)`: the answer, or how it failed; exactly one outcome. Begins when it is awaited.
  template <class M>
  AskAwaiter<M> ask(M message, AskOptions options = {}) const {
    static_assert(detail::fit_to_ask<A, M>());
    return {address_, handler<M>(), std::move(message), options};
  }

  /// `co_await ref.within(1s).ask(m)`: the same with another deadline, and built in place if that reads better.
  Within<A> within(Duration within) const noexcept { return {*this, within}; }

  /// `return ref.delegate(m);` in a handler: whoever stands behind this reference answers the handler's asker
  /// (delegated.h).
  template <class M>
  Delegated<reply_of<M>, error_of<M>> delegate(M message) const {
    static_assert(detail::fit_to_ask<A, M>());
    if (!address_) return Delegated<reply_of<M>, error_of<M>>{nullptr};
    Core* here = Core::current();
    INVARIANT(here != nullptr, "a handler delegates, on its core");
    return Delegated<reply_of<M>, error_of<M>>{
        here->make_message(route_.template handler<M>(), address_, std::move(message))};
  }

  /// `auto items = ref.stream(m);` in a handler: the answer in pieces, as fast as they are read (stream_reader.h).
  template <class M>
  StreamReader<item_of<M>, error_of<M>> stream(M message, StreamOptions options = {}) const {
    static_assert(detail::fit_to_stream<A, M>());
    return detail::open_stream<M>(address_, handler<M>(), detail::Opening<M>{std::move(message), options.credit},
                                  options);
  }

 private:
  template <class Other>
  friend class Ref;
  template <class T>
  friend class Topic;

  /// Null where a protocol stands for nobody.
  template <class M>
  const Handler* handler() const noexcept {
    if constexpr (detail::is_protocol<A>) {
      if (!address_) return nullptr;
    }
    return &route_.template handler<M>();
  }

  Address address_;
  [[no_unique_address]] detail::Route<A> route_;
};

template <class M>
class [[nodiscard]] AskAwaiter {
 public:
  using Result = Answer<M>;

  AskAwaiter(Address target, const Handler* handler, M&& message, AskOptions options)
      : target_(target), handler_(handler), message_(std::move(message)), options_(options) {}
  /// Only before it is awaited.
  AskAwaiter(AskAwaiter&& other) noexcept
      : target_(other.target_),
        handler_(other.handler_),
        message_(std::move(other.message_)),
        options_(other.options_) {}

  bool await_ready() const noexcept { return !target_; }

  bool await_suspend(std::coroutine_handle<> frame) {
    INVARIANT(ask_.core == nullptr, "an ask is awaited once: its message has gone");
    Activation& activation = detail::awaiting();
    Core& core = *activation.cell->owner;
    activation.point = frame;
    const Instant deadline = std::min(core.now() + options_.within, core.deadline());
    core.open_ask(ask_, target_, deadline);
    Envelope* envelope = core.make_message(*handler_, target_, std::move(message_));
    envelope->reply = ask_.id;
    envelope->deadline = deadline;
    // A refusal answers through the ask itself, so that every ask ends on one path.
    detail::hand_over(&core, target_, envelope, detail::class_of<M>());
    return true;
  }

  Result await_resume() {
    using Failed = Failure<error_of<M>>;
    if (ask_.failure)
      return std::unexpected(Failed{ask_.failure->outcome, {}, std::move(ask_.failure->what), handler_});
    if (!ask_.answer) return std::unexpected(Failed{Outcome::not_executed, {}, "there is nobody to ask", handler_});
    if (!ask_.answer->has_value()) {
      return std::unexpected(Failed{Outcome::answered, std::move(ask_.answer->error()), "refused", handler_});
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
    INVARIANT(local_.activation == nullptr, "a send is awaited once: its message has gone");
    Activation& activation = detail::awaiting();
    Core& core = *activation.cell->owner;
    activation.point = frame;
    local_.activation = &activation;
    Cell& cell = *target_.cell;
    Envelope* envelope = core.make_message(*handler_, target_, std::move(message_));
    const Instant deadline = std::min(core.now() + 5s, core.deadline());
    if (cell.owner != &core) {
      switch (core.credits().send(envelope, local_, deadline)) {
        case CreditBook::Sending::gone:
          local_.result = Sent::sent;
          return false;
        case CreditBook::Sending::refused:
          local_.result = Sent::full;
          return false;
        case CreditBook::Sending::waiting:
          return true;
        case CreditBook::Sending::by_owner:
          break;
      }
    }
    // What is passed on elsewhere waits there, as what waits on another core does.
    if (cell.owner != &core || forwarding::forwards(cell)) {
      core.open_ask(remote_, target_, deadline);
      remote_.remote = true;
      remote_.for_room = true;
      envelope->reply = remote_.id;
      envelope->awaits_room = 1;
      envelope->deadline = deadline;
      Core::submit(&core, *cell.owner, envelope);
      return true;
    }
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

template <class A>
struct std::hash<troupe::actor::Ref<A>> {
  std::size_t operator()(const troupe::actor::Ref<A>& ref) const noexcept {
    return std::hash<troupe::actor::Address>{}(ref.address());
  }
};
