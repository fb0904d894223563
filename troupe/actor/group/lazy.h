// Lazy: an actor that is made by its first message, put away when idle, and made again by the next one.
//
//   Ref<User> user = lazy<User>(system, "user-42", {.passivate_after = 10min}, profile);
//
// The reference stays good all the while: what is told or asked while the actor is put away waits,
// in order and bounded (but for messages of class control), for the next. `ctx.self` gives this
// reference too. Watching it tells when the lazy actor is stopped for good, not when it is put
// away. Drained, it ends for good once it has handled what it has, and at once where it is not
// there: it is not made for that. What is told meanwhile is dropped.
//
// The overflow policy is the actor's own, and what it has no room for is counted and has its dead
// letter. From another core or a foreign thread `tell` says `sent` once the message is on its way,
// since no credits are offered for an actor that may not be there: where it is full, `backpressure`
// drops the message there, and with `block` it waits there for `block_for` (1000 may) while its
// sender goes on. An ask is answered `not_executed`, a `send` waits for room.
#pragma once

#include "troupe/actor/group/entity.h"

namespace troupe::actor {

struct LazyOptions {
  Duration passivate_after = 2min;  // without a message; zero: never
  int core = any_core;
  ActorOptions actor{};       // `name` and `core` are not looked at
  Supervision supervision{};  // of the actor
};

namespace detail {

/// Stands where the actor seems to be.
class LazyGate final : public Forwarder {
 public:
  static constexpr std::string_view actor_type = "Lazy";

  LazyGate(std::string name, std::shared_ptr<const LazyOptions> options, std::shared_ptr<const EntityKind> kind)
      : name_(std::move(name)), options_(std::move(options)), kind_(std::move(kind)), sweeping_(*this) {}
  LazyGate(const LazyGate&) = delete;
  ~LazyGate();

  void started(Context& context);
  void inspect(Inspection& out) const;
  Sent forward(Core& core, Cell& cell, Envelope* envelope) override;
  void drain(Core& core, Cell& cell) override;
  void entity_ended(Address address);

 private:
  struct Clock : TimerNode {
    explicit Clock(LazyGate& its_gate);
    LazyGate& gate;
  };
  void create();
  void look();

  std::string name_;
  std::shared_ptr<const LazyOptions> options_;
  std::shared_ptr<const EntityKind> kind_;
  Cell* cell_ = nullptr;
  Entity entity_;
  bool draining_ = false;  // it is made no more
  Clock sweeping_;
};

}  // namespace detail

/// A reference to an actor that is there when it is needed, constructed from the name and copies of `args`, or where it
/// has no such constructor from `args` alone. `where`: a System, or the Context of the actor that is to be its parent.
template <class A, class Where, class... Args>
Ref<A> lazy(Where& where, std::string name, LazyOptions options, Args... args) {
  ActorOptions gate{.name = name,
                    .core = options.core,
                    .mailbox = forwarding::mailbox,
                    .shutdown = options.actor.shutdown,
                    .supervision = options.supervision};
  auto kind = std::make_shared<const detail::EntityKind>(detail::entity_kind<A>(std::move(args)...));
  auto kept = std::make_shared<const LazyOptions>(std::move(options));
  return Ref<A>{
      where.template spawn<detail::LazyGate>(std::move(gate), std::move(name), std::move(kept), std::move(kind))
          .address()};
}

}  // namespace troupe::actor
