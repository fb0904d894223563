// Probe: an actor that a test plays: it keeps what it is told, and the test expects, forbids and replies.
//
//   auto probe = w.probe<Protocol<Alert, Question>>();
//   auto shop = w.spawn<Shop>({}, probe.ref());
//   shop.tell(Open{});
//   CHECK_EQ(probe.expect<Alert>().from(shop)->level, 3);
//   probe.expect<Question>().reply(42);
//   probe.expect<Question>().to(expert);   // who answers it in the probe's place
//   probe.expect_nothing();
//
// What is not as expected throws ProbeFailure, which tells what came instead. Time moves only
// where the test says so. A probe and what it received must not outlive their World.
#pragma once

#include <fmt/format.h>

#include <array>
#include <deque>
#include <stdexcept>
#include <variant>

#include "troupe/actor/sim/world.h"

namespace troupe::actor::test {

class ProbeFailure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

namespace detail {

template <class M>
struct Held {
  M message;
  ActorId sender;
  actor::detail::ReplyFor<M> reply{};
  Instant deadline = Instant::never();  // of whoever asked

  std::string text() const {
    const auto name = actor::detail::name_of_type<M>();
    if constexpr (fmt::is_formattable<M>::value) return fmt::format("{} {}", name, message);
    return std::string{name};
  }
};

template <class... Ms>
using Inbox = std::deque<std::variant<Held<Ms>...>>;

template <class Self, class M>
struct ProbeHandler {
  void handle(M message) { static_cast<Self*>(this)->keep(Held<M>{std::move(message), {}}); }
};
template <class Self, Askable M>
struct ProbeHandler<Self, M> {
  void handle(M message, actor::detail::ReplyFor<M> reply) {
    static_cast<Self*>(this)->keep(Held<M>{std::move(message), {}, std::move(reply)});
  }
};

template <class... Ms>
class ProbeActor : public ProbeHandler<ProbeActor<Ms...>, Ms>... {
 public:
  static constexpr std::string_view actor_type = "Probe";
  ProbeActor(World* world, std::shared_ptr<Inbox<Ms...>> inbox) : world_(world), inbox_(std::move(inbox)) {}

  using ProbeHandler<ProbeActor, Ms>::handle...;

  template <class M>
  void keep(Held<M> held) {
    held.sender = world_->sender();
    held.deadline = Core::current()->deadline();
    inbox_->push_back(std::move(held));
  }

 private:
  World* world_;
  std::shared_ptr<Inbox<Ms...>> inbox_;
};

}  // namespace detail

/// A message that a probe was given, and the duty to answer it if it was asked.
template <class M>
class Received {
 public:
  Received(World& world, Core& core, detail::Held<M> held) : world_(&world), core_(&core), held_(std::move(held)) {}
  Received(Received&&) noexcept = default;
  Received& operator=(Received&&) = delete;
  ~Received() {
    const Core::Scope scope{*core_};
    held_.reply = {};  // an asker that was not answered is told so
  }

  const M& message() const noexcept { return held_.message; }
  const M* operator->() const noexcept { return &held_.message; }
  ActorId sender() const noexcept { return held_.sender; }

  /// Fails if somebody else told it.
  template <class A>
  Received from(Ref<A> who) && {
    const ActorId expected = lifecycle::id_of(who.address());
    if (held_.sender != expected) {
      throw ProbeFailure(fmt::format("expected {} from {}, but {} told it", actor::detail::name_of_type<M>(),
                                     world_->trace().name_of(expected), world_->trace().name_of(held_.sender)));
    }
    return std::move(*this);
  }

  /// Hands it on as it came, for a probe that stands between two: the other handles it, and answers whoever asked,
  /// within the time that is left.
  template <class A>
  void to(Ref<A> who) && {
    const Core::Scope scope{*core_};
    if constexpr (Askable<M>) {
      who.delegate(std::move(held_.message)).hand_on(*core_, held_.reply.release(), held_.deadline);
    } else {
      who.tell(std::move(held_.message));
    }
  }

  template <class... Value>
  void reply(Value&&... value)
    requires Askable<M>
  {
    const Core::Scope scope{*core_};
    held_.reply.set(std::forward<Value>(value)...);
  }
  void fail(error_of<M> error)
    requires Askable<M>
  {
    const Core::Scope scope{*core_};
    held_.reply.fail(std::move(error));
  }

 private:
  World* world_;
  Core* core_;
  detail::Held<M> held_;
};

template <class... Ms>
class Probe<Protocol<Ms...>> {
  using Actor = detail::ProbeActor<Ms...>;

 public:
  Probe(World& world, ActorOptions options)
      : world_(world), ref_(world.spawn<Actor>(std::move(options), &world, inbox_)) {}
  Probe(const Probe&) = delete;
  Probe& operator=(const Probe&) = delete;

  Ref<Protocol<Ms...>> ref() const noexcept { return ref_; }
  /// Also as what handles less.
  template <class Narrow>
    requires satisfies<Actor, Narrow>::value
  operator Ref<Narrow>() const noexcept {
    return ref_;
  }

  /// The next message, which must be an M, and fit; lets at most `within` pass until it has come.
  template <class M>
  Received<M> expect(const std::function<bool(const M&)>& fits = {}, Duration within = {}) {
    static_assert((std::is_same_v<M, Ms> || ...), "this probe does not handle this message (see `M`)");
    if (!comes(within)) fail_with(fmt::format("expected {}, but nothing came", actor::detail::name_of_type<M>()));
    auto* held = std::get_if<detail::Held<M>>(&inbox_->front());
    if (held == nullptr) {
      fail_with(fmt::format("expected {}, but this came: {}", actor::detail::name_of_type<M>(), what_came()));
    }
    if (fits && !fits(held->message)) fail_with(fmt::format("expected another one than this: {}", what_came()));
    Received<M> received{world_, *ref_.address().cell->owner, std::move(*held)};
    inbox_->pop_front();
    return received;
  }

  /// Fails if anything comes that is not ignored, within that time.
  void expect_nothing(Duration within = {}) {
    world_.advance(within);
    if (comes({})) fail_with(fmt::format("expected nothing, but this came: {}", what_came()));
  }

  /// From now on, and backwards, messages of this kind do not count; asks among them are told that nobody answers.
  template <class M>
  void ignore() {
    static_assert((std::is_same_v<M, Ms> || ...), "this probe does not handle this message (see `M`)");
    ignored_[index_of_message<M>()] = true;
  }

  /// The probe is told of the other's end, and must handle Terminated.
  template <class A>
  void watch(Ref<A> other) {
    Core& core = *ref_.address().cell->owner;
    const Core::Scope scope{core};
    lifecycle::request_watch(core, ref_.address(), actor::detail::handler_of<Actor, Terminated>, other.address());
  }

 private:
  template <class M>
  static constexpr std::size_t index_of_message() {
    std::size_t at = 0;
    const bool found = ((std::is_same_v<M, Ms> || (++at, false)) || ...);
    return found ? at : SIZE_MAX;
  }

  bool comes(Duration within) {
    world_.run_until_idle();
    return world_.run_until(
        [this] {
          const Core::Scope scope{*ref_.address().cell->owner};
          while (!inbox_->empty() && ignored_[inbox_->front().index()]) inbox_->pop_front();
          return !inbox_->empty();
        },
        within);
  }

  std::string what_came() const {
    std::string text;
    for (const auto& one : *inbox_) {
      text += std::visit(
          [this](const auto& held) {
            return fmt::format("\n  {} (from {})", held.text(), world_.trace().name_of(held.sender));
          },
          one);
    }
    return text;
  }
  [[noreturn]] void fail_with(const std::string& what) const {
    throw ProbeFailure(fmt::format("{}\nthe last steps:\n{}", what, world_.trace().chart(15)));
  }

  World& world_;
  std::shared_ptr<detail::Inbox<Ms...>> inbox_ = std::make_shared<detail::Inbox<Ms...>>();
  Ref<Actor> ref_;
  std::array<bool, sizeof...(Ms)> ignored_{};
};

template <class P>
Probe<P> World::probe(ActorOptions options) {
  if (options.name.empty()) options.name = "probe";
  return Probe<P>{*this, std::move(options)};
}

}  // namespace troupe::actor::test
