// Pool: several actors of one class behind one reference, which share the work.
//
// `pool<A>` gives a plain `Ref<A>`: tell, send, ask and narrowing work as for one actor, answers
// go straight from the member to the asker. Behind it stands a router that owns and supervises
// the members and passes each message on at admission. A member that its supervisor gives up
// leaves the pool; a pool of which no member stays fails. Timers of a member go to the member. A
// pool that is drained ends when each member has handled what it has; what comes meanwhile is
// dropped.
//
// A member that has failed gets nothing new until it has started again, as long as another has
// room; where all have failed, messages wait at one of them. Two kinds of messages do not look at
// that: one with a key, in a pool by `consistent_hash`, waits for its member, or the key would
// lose its order; and a broadcast goes to each. What a member had already waits with it, and so
// does what is passed to it before its fault has become known to the router.
//
// The overflow policy is that of each member, and what a member has no room for is counted and has
// its dead letter. Where sender, router and member are on one core, `tell` says what became of the
// message, and `block` holds up its sender. From another core than the router's, or a foreign
// thread, `tell` says `sent` once the message is on its way, since the router offers no credits: a
// full member with `backpressure` drops it there, and with `block` it waits there for `block_for`
// (1000 may) while its sender goes on. An ask is answered `not_executed`, a `send` waits for room.
#pragma once

#include "troupe/actor/context.h"
#include "troupe/actor/runtime/forward.h"

namespace troupe::actor {

/// Who of a pool gets a message. First in, first out holds across members for messages with a key, by key.
enum class Route : std::uint8_t {
  round_robin,
  least_loaded,     // fewest messages queued, suspended and under way
  power_of_two,     // the less loaded of two drawn at random
  consistent_hash,  // by the message's key (key.h), always to the same; without a key: round robin
  broadcast,        // a copy to each; tells only: an ask fails with `not_executed`
};

/// Where the members live: on the router's core, or the first there and the next on the next core.
enum class Spread : std::uint8_t { one_core, over_cores };

struct PoolOptions {
  std::string name{};
  std::uint32_t size = 4;
  Route route = Route::round_robin;
  Spread spread = Spread::one_core;                    // a message to another core costs more than one here
  int core = any_core;                                 // of the router
  ActorOptions member{.restart = Restart::permanent};  // a pool keeps its size; `core` is not looked at
  Supervision supervision{};                           // of the members
  Restart restart = Restart::transient;                // of the pool as a whole, by its parent
  Duration shutdown = 5s;
};

namespace detail {

/// How a pool is made, and made again; `size` is what it was last resized to.
struct PoolPlan {
  PoolOptions options;
  std::move_only_function<Address(Context&, ActorOptions)> spawn;
};

class PoolRouter final : public Forwarder {
 public:
  static constexpr std::string_view actor_type = "Pool";

  explicit PoolRouter(std::shared_ptr<PoolPlan> plan) : plan_(std::move(plan)), again_(*this) {}
  PoolRouter(const PoolRouter&) = delete;
  ~PoolRouter();

  void started(Context& context);
  void inspect(Inspection& out) const;
  Sent forward(Core& core, Cell& cell, Envelope* envelope) override;
  void drain(Core& core, Cell& cell) override;
  void child_changed(Address child, bool up) noexcept override;

  void resize(std::uint32_t size);
  void member_ended(Address member);
  void member_flushed(Address member, bool busy);

 private:
  struct Member {
    Address address;
    std::uint64_t number = 0;             // never used twice
    std::uint32_t capacity = 0;           // of its mailbox
    mutable std::uint32_t under_way = 0;  // sent to another core, and perhaps not there yet
    bool leaving = false;                 // gets nothing new and is stopped when it is through
    bool joining = false;                 // keys go to it once their old owners are through
    bool awaited = false;                 // its flush token has not come back
    bool through = false;                 // leaving, and the token has come back
    bool down = false;                    // it has failed, and has not started again yet

    bool is_awake() const noexcept { return !leaving && !down; }
  };
  struct Again : TimerNode {
    explicit Again(PoolRouter& its_router);
    PoolRouter& router;
  };

  std::size_t choose(Core& core);
  std::size_t choose_by_route(Core& core);
  std::size_t one_with_room(Core& core, std::size_t chosen) const;
  std::size_t next_in_turn();
  std::size_t next_that_stays();
  std::size_t least_loaded(Core& core);
  std::size_t draw();
  Member& owner(std::uint64_t key, bool before);
  std::uint32_t queued(Core& core, const Member& member) const;
  std::uint32_t load(Core& core, const Member& member) const {
    return queued(core, member) + member.address.cell->in_flight;
  }
  bool is_full(Core& core, const Member& member) const { return queued(core, member) >= member.capacity; }
  Sent pass_to(Core& core, Member& member, Envelope* envelope);
  Sent by_key(Core& core, Envelope* envelope);
  Sent broadcast(Core& core, Envelope* envelope);
  Sent refuse(Core& core, Envelope* envelope, Drop reason, std::string why);

  Member& add(bool joining);
  Member* find(Address member) noexcept;
  bool none_stays() const noexcept { return std::ranges::all_of(members_, &Member::leaving); }
  bool keeps_order() const noexcept { return plan_->options.route == actor::Route::consistent_hash; }
  void flush(Member& member);
  void settle();
  void resume_resizing();

  std::shared_ptr<PoolPlan> plan_;
  Cell* cell_ = nullptr;
  std::vector<Member> members_;
  std::uint64_t number_ = 0;
  std::size_t turn_ = 0;
  std::uint64_t dice_ = 0;
  std::uint32_t wanted_ = 0;
  bool hold_all_ = false;
  bool draining_ = false;  // all members leave, none is added, and then the pool ends
  bool some_are_down_ = false;
  EnvelopeList held_;  // messages whose key changes hands while the pool is resized
  std::uint32_t held_count_ = 0;
  Again again_;
};

void resize_pool(Address pool, std::uint32_t size);

}  // namespace detail

/// Starts a pool of A, each member constructed from copies of `args`. `where`: a System, or the Context of the actor
/// that is to be its parent.
template <class A, class Where, class... Args>
Ref<A> pool(Where& where, PoolOptions options, Args... args) {
  auto plan = std::make_shared<detail::PoolPlan>();
  plan->spawn = [... kept = std::move(args)](Context& context, ActorOptions member) {
    return context.spawn<A>(std::move(member), kept...).address();
  };
  ActorOptions router{.name = options.name,
                      .core = options.core,
                      .mailbox = forwarding::mailbox,
                      .restart = options.restart,
                      .shutdown = options.shutdown,
                      .supervision = options.supervision};
  plan->options = std::move(options);
  return Ref<A>{where.template spawn<detail::PoolRouter>(std::move(router), std::move(plan)).address()};
}

/// Makes a pool larger or smaller. A member that leaves handles what it has first. With `consistent_hash` only the keys
/// that change hands wait until their old owner is through, so each key keeps its order. Any thread; never to zero.
template <class A>
void resize(Ref<A> pool, std::uint32_t size) {
  detail::resize_pool(pool.address(), size);
}

}  // namespace troupe::actor
