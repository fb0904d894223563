// Context: what a handler may ask of the runtime, valid as long as its actor.
//
// It is the face of the actor's own cell; a reference to it may be kept in a coroutine
// handler across its awaits. All functions are called on the actor's core. The templates
// are defined in actor/context.h, which actor/actor.h includes.
#pragma once

#include <string>
#include <string_view>

#include "troupe/actor/runtime/envelope.h"
#include "troupe/actor/runtime/options.h"
#include "troupe/base/random.h"
#include "troupe/base/trace_context.h"

namespace troupe::actor {

template <class A>
class Ref;
class System;
class Entry;
class SleepAwaiter;
class Shield;

class Context {
 public:
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  /// The reference to this actor, typed by the `this` of the handler that asks: `ctx.self(this)`.
  template <class A>
  Ref<A> self(const A* actor) const noexcept;

  Core& core() const noexcept;
  System& system() const noexcept;
  ActorId id() const noexcept;
  Address address() const noexcept;
  /// The name given by the parent; empty when none was.
  std::string_view name() const noexcept;

  /// When the ask being handled expires, which bounds the asks made meanwhile; `never` where nobody asked. What is
  /// told, timers and children inherit none. In a handler.
  base::Instant deadline() const noexcept;
  /// Whether nobody waits any more for the answer to the message being handled: its asker has gone, or its deadline has
  /// passed (the clock is read anew). For long loops and shielded work. In a handler.
  bool cancelled() const noexcept;
  /// `auto shield = ctx.shield();`: while it lives, the coroutine handler is not ended at an await because its asker
  /// has gone (asking.h). A restart or a stop ends it all the same.
  Shield shield() const noexcept;

  /// Monotonic time, and civil time, of this turn; read again after a while in a long one.
  base::Instant now() const noexcept;
  base::UnixTime wall() const noexcept;
  /// Fit for secrets in a real system, repeatable in a simulated one.
  base::Random& random() const noexcept;

  /// Starts a child. The arguments are kept, since a restart constructs the actor from them again. The reference may be
  /// used at once: messages wait until the child has started. A constructor that throws is the child's fault.
  template <class A, class... Args>
  Ref<A> spawn(ActorOptions options, Args... args);

  /// Stops this actor once the present handler has returned, or awaits: then it is not gone on with. What is queued is
  /// not handled.
  void stop() noexcept;
  /// Stops any actor: at once, before what is queued (asks get `not_executed`, tells are dead letters).
  template <class A>
  void stop(Ref<A> actor) noexcept;
  /// The same once what is queued now has been handled to its end; what comes later is not handled. A group (a pool, a
  /// lazy actor, shards) drains all of its members.
  void drain() noexcept;
  template <class A>
  void drain(Ref<A> actor) noexcept;

  /// Sends this actor a `Terminated` once the other has ended and its resources are released; at once if it has
  /// already. The actor must handle `Terminated`. Each call is told of: who watches twice is told twice.
  template <class A, class Other>
  void watch(const A* actor, Ref<Other> other);

  /// Tells this actor `message` after `delay`, or every `period`, which is more than zero. With a key it can be
  /// cancelled, and starting it again replaces it: the old message is then never delivered, even if it was queued
  /// already. Ends with the incarnation. What is told once goes on with the trace of who set it; what is told again and
  /// again belongs to none. A key of up to 15 characters takes nothing from the heap.
  template <class A, class M>
  void after(const A* actor, Duration delay, M message);
  template <class A, class M>
  void after(const A* actor, std::string_view key, Duration delay, M message);
  template <class A, class M>
  void every(const A* actor, std::string_view key, Duration period, M message);
  void cancel(std::string_view key) noexcept;

  /// Puts a message aside that cannot be handled yet: `ctx.stash(this, std::move(m))`. False: as many are there as may
  /// be (MailboxOptions::stash_max), and the message remains the caller's. An ask is put aside with its Reply. What is
  /// stashed is lost, counted, when the actor stops; a restart puts it back into the mailbox, in front.
  template <class A, class M>
  [[nodiscard]] bool stash(const A* actor, M&& message);
  template <class A, class M, class R>
  [[nodiscard]] bool stash(const A* actor, M&& message, R&& reply);
  /// Puts all that was stashed back into the mailbox, in its order, in front of what is queued; the bounds of the
  /// mailbox count it from then on, and are passed by it until it is handled.
  void unstash_all() noexcept;
  std::size_t stashed() const noexcept;

  /// `co_await ctx.sleep(10ms)`: suspends the handler.
  SleepAwaiter sleep(Duration duration) const noexcept;

  /// Lets this handler run as a part of the trace that `parent` names, or of a new one where it names none: what it
  /// tells, asks and sends from now on bears the context along. Does nothing where the handler is traced already. In a
  /// handler that is a coroutine: with it the span ends.
  void trace(const base::TraceContext& parent, std::string name);
  /// The context to hand to other systems; nothing outside of traces.
  std::optional<base::TraceContext> trace_context() const noexcept;

  /// From now on, until it is called off, inspection shows a histogram of how long this actor alone handles its
  /// messages, of which one in 64 is measured.
  void measure(bool on = true);

  /// The door for callbacks of sockets and the like; see entry.h.
  Entry entry() const noexcept;

 protected:
  Context() = default;
  ~Context() = default;
};

}  // namespace troupe::actor
