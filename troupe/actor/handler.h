// Handler: the code that runs one message in one class of actor, generated for each pair that is used.
//
// It calls the overload, and sees to it that an asker is answered exactly once: with the
// value, with the domain error, or (by the core) with what went wrong.
#pragma once

#include "troupe/actor/answer.h"
#include "troupe/actor/batch.h"
#include "troupe/actor/delegated.h"
#include "troupe/actor/key.h"
#include "troupe/actor/message.h"
#include "troupe/actor/refusal.h"
#include "troupe/actor/runtime/mailbox_batch.h"
#include "troupe/actor/stream.h"
#include "troupe/actor/task.h"

namespace troupe::actor {

namespace detail {

/// Of a template's function in which its argument is called A, the argument without its namespaces. Clang says
/// "... [A = troupe::realtime::WebSocketActor]", GCC "... [with A = troupe::realtime::WebSocketActor; ...]".
constexpr std::string_view type_in_signature(std::string_view signature) {
  signature.remove_prefix(signature.find("A = ") + 4);
  const auto name = signature.substr(0, signature.find_last_of(";]", signature.find(';')));
  const auto colons = name.substr(0, name.find('<')).rfind("::");
  return colons == std::string_view::npos ? name : name.substr(colons + 2);
}

template <class A>
constexpr std::string_view name_of_type() {
  if constexpr (requires { std::bool_constant<(A::actor_type.size() > 0)>{}; }) {
    return A::actor_type;
  } else {
    return type_in_signature(__PRETTY_FUNCTION__);
  }
}

}  // namespace detail

/// The duty to answer one ask, taken out of the handler: answer later, on a core of this system. Dropping it unanswered
/// tells the asker `executed_failed`. Another thread hands over what the answer is made of (`blocking`, offload.h) and
/// leaves the Reply where it is: answered there it stops the process, dropped there nobody hears of it, and the asker
/// waits until its deadline.
template <class R, class E>
class Reply {
 public:
  Reply() = default;
  explicit Reply(ReplyTo reply) noexcept : reply_(reply) {}
  Reply(Reply&& other) noexcept : reply_(std::exchange(other.reply_, {})) {}
  Reply& operator=(Reply&& other) noexcept {
    std::swap(reply_, other.reply_);
    return *this;
  }
  ~Reply() {
    Core* core = Core::current();
    if (!reply_ || core == nullptr) return;
    core->fail_ask(reply_, Outcome::executed_failed,
                   std::uncaught_exceptions() > 0 ? "the handler threw before it answered" : "the reply was dropped");
  }

  /// Whether somebody still has to be answered here; false also for a message that was told, not asked.
  explicit operator bool() const noexcept { return static_cast<bool>(reply_); }

  void set(std::conditional_t<std::is_void_v<R>, NoError, R> value)
    requires(!std::is_void_v<R>)
  {
    if (reply_) detail::answer<R, E>(here(), std::exchange(reply_, {}), std::move(value));
  }
  void set()
    requires std::is_void_v<R>
  {
    if (reply_) detail::answer<R, E>(here(), std::exchange(reply_, {}), {});
  }
  /// Hands the duty on to the runtime.
  ReplyTo release() noexcept { return std::exchange(reply_, {}); }
  void fail(E error) {
    if (reply_) detail::answer<R, E>(here(), std::exchange(reply_, {}), std::unexpected(std::move(error)));
  }

 private:
  static Core& here() noexcept {
    Core* core = Core::current();
    INVARIANT(core != nullptr,
              "a Reply is answered on a core's thread: hand the result back by `co_await blocking(...)`");
    return *core;
  }
  ReplyTo reply_;
};

namespace detail {

/// Runs a coroutine handler up to its first await; ends it at once if it never waits.
template <class R, class E, class T>
void run_task(Core& core, Activation& activation, Task<T> task) {
  auto frame = task.release();
  activation.root = frame;
  activation.point = frame;
  activation.finish = [](Core& here, Activation& done) {
    auto& promise = std::coroutine_handle<Promise<T>>::from_address(done.root.address()).promise();
    Cell& cell = *done.cell;
    const ReplyTo reply = std::exchange(done.reply, {});
    const Instant deadline = done.deadline;
    const std::string_view message = done.handler->message;
    if (promise.error) {
      const std::exception_ptr error = promise.error;
      here.end(done);
      if (reply) here.fail_ask(reply, Outcome::executed_failed, lifecycle::describe(error));
      lifecycle::fault(cell, error, message);
      return;
    }
    if constexpr (std::is_void_v<T>) {
      here.end(done);
      if constexpr (std::is_void_v<R>) {
        if (reply) answer<R, E>(here, reply, {});
      }
    } else if constexpr (is_delegated<T>) {
      T duty = promise.take();
      here.end(done);
      duty.hand_on(here, reply, deadline);
    } else {
      std::expected<R, E> value = promise.take();
      here.end(done);
      if (reply) answer<R, E>(here, reply, std::move(value));
    }
  };
  core.resume(activation);
}

/// What travels for an M: what is streamed says how much credit it brings.
template <class M>
using Carried = std::conditional_t<Streamed<M>, Opening<M>, M>;

template <class M>
M& message_in(Envelope& envelope) noexcept {
  if constexpr (Streamed<M>) {
    return envelope.message<Opening<M>>().message;
  } else {
    return envelope.message<M>();
  }
}

template <class A, class M>
void invoke(Core& core, Cell* cell, Envelope& envelope) {
  using R = reply_of<M>;
  using E = error_of<M>;
  auto& actor = *static_cast<Receiver<A, M>*>(cell->object);
  M& message = message_in<M>(envelope);
  if constexpr (DeferredWithContext<A, M> || Deferred<A, M>) {
    ReplyFor<M> reply{std::exchange(envelope.reply, {})};
    if constexpr (DeferredWithContext<A, M>) {
      actor.handle(std::move(message), std::move(reply), static_cast<Context&>(*cell));
    } else {
      actor.handle(std::move(message), std::move(reply));
    }
  } else {
    auto call = [&]() -> decltype(auto) {
      if constexpr (WithContext<A, M>) {
        return actor.handle(std::move(message), static_cast<Context&>(*cell));
      } else {
        return actor.handle(std::move(message));
      }
    };
    using Result = result_of<A, M>;
    if constexpr (Streamed<M>) {
      static_assert(fit_to_suspend<A, M>(), "a coroutine handler takes its message by value");
      if (!streams::may_open(core, *cell, envelope)) return;
      Result stream = call();
      Activation& activation = core.begin(*cell, envelope);
      run_stream(core, activation, std::move(stream), envelope.message<Opening<M>>().credit);
    } else if constexpr (TaskOf<Result>::is_task) {
      static_assert(fit_to_suspend<A, M>(), "a coroutine handler takes its message by value");
      Result task = call();
      Activation& activation = core.begin(*cell, envelope);
      run_task<R, E>(core, activation, std::move(task));
    } else if constexpr (is_delegated<Result>) {
      Result duty = call();
      duty.hand_on(core, std::exchange(envelope.reply, {}), envelope.deadline);
    } else if constexpr (std::is_void_v<Result>) {
      call();
      if constexpr (Askable<M>) {
        if (envelope.reply) answer<R, E>(core, std::exchange(envelope.reply, {}), {});
      }
    } else {
      std::expected<R, E> value = call();
      if (envelope.reply) answer<R, E>(core, std::exchange(envelope.reply, {}), std::move(value));
    }
  }
}

/// handler_of, which is made of all this.
template <class A, class M>
const Handler& plain_handler() noexcept;

/// Ends the span of a traced message when its handler returns or throws; one that waits keeps it.
class SpanScope {
 public:
  SpanScope(Core& core, const base::TraceContext& parent, std::string_view message)
      : core_(core), thrown_before_(std::uncaught_exceptions()) {
    core.open_span(parent, std::string{message});
  }
  SpanScope(const SpanScope&) = delete;
  SpanScope& operator=(const SpanScope&) = delete;
  ~SpanScope() { core_.close_span(std::uncaught_exceptions() > thrown_before_); }

 private:
  Core& core_;
  int thrown_before_;
};

/// The same for an actor that takes its M in batches. The dispatch ends the first envelope when this returns, and a
/// coroutine may keep the batch longer, so the first message moves into an envelope of its own; the others stay.
template <class A, class M>
void invoke_batch(Core& core, Cell* cell, Envelope& envelope) {
  A& actor = *static_cast<A*>(cell->object);
  const auto trace_of = [](const Envelope& one) {
    return one.handler->trace_of != nullptr ? &one.handler->trace_of(one) : nullptr;
  };
  Envelope* first =
      core.make_within(trace_of(envelope), plain_handler<A, M>(), cell->address(), std::move(envelope.message<M>()));
  first->sender = envelope.sender;
  const EnvelopeList taken = mailbox::take_batch(core, *cell, first);
  const base::TraceContext* trace = nullptr;
  for (const Envelope* at = taken.head; at != nullptr && trace == nullptr; at = at->next) trace = trace_of(*at);
  std::optional<SpanScope> span;
  if (trace != nullptr) span.emplace(core, *trace, name_of_type<M>());
  Batch<M> batch{core, taken};
  core.count_batch(*cell, batch.size() - 1);
  auto call = [&]() -> decltype(auto) {
    if constexpr (WithContext<A, Batch<M>>) {
      return actor.handle(std::move(batch), static_cast<Context&>(*cell));
    } else {
      return actor.handle(std::move(batch));
    }
  };
  using Result = result_of<A, Batch<M>>;
  if constexpr (TaskOf<Result>::is_task) {
    static_assert(coroutine_handler_takes_its_batch_by_value<A, M>, "what it refers to is gone at the first await");
    Result task = call();
    run_task<void, NoError>(core, core.begin(*cell, envelope), std::move(task));
  } else {
    call();
  }
}

template <class A, class M>
consteval auto invoke_function() -> void (*)(Core&, Cell*, Envelope&) {
  if constexpr (Batched<A, M>) {
    return &invoke_batch<A, M>;
  } else {
    return &invoke<A, M>;
  }
}
template <class A, class M>
consteval const BatchOptions* batch_of() {
  if constexpr (Batched<A, M>) return &batch_options_of<A, M>;
  return nullptr;
}

/// The one ActorType of a class; context.h makes it.
template <class A>
const ActorType& actor_type_of() noexcept;

template <class M>
consteval bool unmourned() {
  if constexpr (requires { M::unmourned; }) return M::unmourned;
  return false;
}

template <class M>
constexpr auto hash_of() -> std::uint64_t (*)(Envelope&) {
  if constexpr (KeyedByMember<M> || KeyedByFunction<M>) {
    return [](Envelope& envelope) { return key_of(static_cast<const M&>(envelope.message<M>())); };
  }
  return nullptr;
}

/// Copies an M within all of it that travels. The compiler shows the line of the copy where there is none.
template <class M, class Whole>
constexpr auto copy_of() -> Envelope* (*)(Core&, Envelope&, Address) {
  if constexpr (may_copy<M>()) {
    return [](Core& core, Envelope& original, Address to) {
      const Whole& message = original.message<Whole>();
      Whole another{message};  // a member only moves? Say `static constexpr bool copyable = false;` in the message
      Envelope* copy = core.make(*original.handler, to, std::move(another));
      copy->sender = original.sender;
      copy->deadline = original.deadline;
      return copy;
    };
  }
  return nullptr;
}

template <class A, class M>
consteval Handler describe_handler() {
  return {
      .invoke = invoke_function<A, M>(),
      .destroy = destroy_message<Carried<M>>,
      .message = name_of_type<M>(),
      .actor = actor_type_of<A>,
      .batch = batch_of<A, M>(),
      .bytes = bytes_function<M>(),
      .priority_of = priority_function<M>(),
      .priority = static_priority_of<M>(),
      .message_class = class_of<M>(),
      .trivial = std::is_trivially_destructible_v<Carried<M>>,
      .unmourned = unmourned<M>(),
      .interleaves = interleaves<A, M>(),
      .reads = reads<A, M>(),
      .key = hash_of<M>(),
      .copy = copy_of<M, Carried<M>>(),
  };
}

/// The context of a message of which all that travels is a Traced<Whole>.
template <class Whole>
const base::TraceContext& context_of(const Envelope& envelope) noexcept {
  return envelope.message<Traced<Whole>>().context;
}

/// Runs an M within its trace. The message stands where it always does; a batch sees to its trace itself.
template <class A, class M, class Whole>
void invoke_traced(Core& core, Cell* cell, Envelope& envelope) {
  if constexpr (Batched<A, M>) {
    invoke_batch<A, M>(core, cell, envelope);
  } else {
    const SpanScope scope{core, context_of<Whole>(envelope), name_of_type<M>()};
    invoke<A, M>(core, cell, envelope);
  }
}

template <class A, class M>
inline constexpr Handler traced_handler_of = [] {
  Handler handler = describe_handler<A, M>();
  handler.invoke = invoke_traced<A, M, Carried<M>>;
  handler.trace_of = context_of<Carried<M>>;
  handler.destroy = destroy_message<Traced<Carried<M>>>;
  handler.copy = copy_of<M, Traced<Carried<M>>>();
  return handler;
}();

template <class A, class M>
inline constexpr Handler handler_of = [] {
  Handler handler = describe_handler<A, M>();
  handler.traced = &traced_handler_of<A, M>;
  return handler;
}();

template <class A, class M>
const Handler& plain_handler() noexcept {
  return handler_of<A, M>;
}

}  // namespace detail
}  // namespace troupe::actor
