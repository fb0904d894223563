// Shards: one actor for each key, spread over the cores, created by its first message and put away when idle.
//
//   auto accounts = Shards<Account>{system, {.count = 256, .passivate_after = 2min}};
//   auto balance = co_await accounts.ref("alice").ask(Deposit{.cents = 100});
//
// A key belongs to a shard by its hash, a shard lives on one core, and each core knows where. A
// ShardRef says who is meant, not where they are, so it stays good over passivation and moves.
// The entity is named by its key and constructed from the key and copies of the arguments, or
// where it has no such constructor from the arguments alone. First in, first out holds for each
// sender and entity, also over moves and passivation.
//
// The overflow policy is the entity's own, and what it has no room for is counted and has its dead
// letter. From the entity's own core `tell` says what became of the message; from another core or
// a foreign thread it says `sent` once the message is on its way, since ports offer no credits: a
// full entity with `backpressure` drops it there, and with `block` it waits there for `block_for`
// (1000 may) while its sender goes on. An ask is answered `not_executed`, a `send` waits for room.
// What is held while an entity or a shard is on its way is bounded (1000 messages for an entity,
// 10 000 for a shard), but for messages of class control.
//
// Shards that are restarted, by a parent that restarts all of its children together, keep their
// references and each shard its core; the entities begin anew.
#pragma once

#include "troupe/actor/group/shard_keeper.h"

namespace troupe::actor {

namespace detail {

/// A message to an entity. The message stands first, so that the entity's handler finds it where it looks.
template <class M>
struct Keyed {
  static constexpr auto message_class = class_of<M>();
  Carried<M> message;
  ShardHeader header;
};

/// What makes it askable as M is.
template <class M>
struct KeyedAsk : Keyed<M> {
  using reply = reply_of<M>;
  using error = error_of<M>;
};

template <class M>
using KeyedFor = std::conditional_t<Askable<M>, KeyedAsk<M>, Keyed<M>>;

template <class M>
ShardHeader& header_of(Envelope& envelope) {
  return envelope.message<KeyedFor<M>>().header;
}

/// The handler of M, for a message that has its key beside it. `Whole` is all that travels.
template <class A, class M, class Whole>
consteval Handler entity_handler() {
  static_assert(Envelope::payload_offset<Whole>() == Envelope::payload_offset<M>());
  Handler handler = describe_handler<A, M>();
  handler.destroy = destroy_message<Whole>;
  handler.trivial = false;
  handler.key = nullptr;  // it has found its entity already
  handler.copy = nullptr;
  return handler;
}

template <class M>
Sent take_keyed(ShardPort& port, Core& core, Envelope* envelope) {
  return port.take(core, envelope, header_of<M>(*envelope));
}

template <class A, class M>
inline constexpr KeyedHandler traced_keyed_handler = [] {
  using Whole = Traced<KeyedFor<M>>;
  KeyedHandler handler{{entity_handler<A, M, Whole>(), take_keyed<M>}, header_of<M>};
  handler.invoke = invoke_traced<A, M, KeyedFor<M>>;
  handler.trace_of = context_of<KeyedFor<M>>;
  return handler;
}();

template <class A, class M>
inline constexpr KeyedHandler keyed_handler = [] {
  KeyedHandler handler{{entity_handler<A, M, KeyedFor<M>>(), take_keyed<M>}, header_of<M>};
  handler.traced = &traced_keyed_handler<A, M>;
  return handler;
}();

}  // namespace detail

/// The entity of a key, used as a Ref is. A small copyable value, good on any thread while its system lives.
template <class A>
class ShardRef {
 public:
  ShardRef() = default;
  ShardRef(std::shared_ptr<detail::ShardMap> map, std::string key) : map_(std::move(map)), key_(std::move(key)) {}

  explicit operator bool() const noexcept { return map_ != nullptr; }
  const std::string& key() const noexcept { return key_; }

  /// As Ref's. On the entity's own core it says whether its mailbox took the message.
  template <class M>
  Sent tell(M message) const {
    static_assert(detail::fit_to_tell<A, M>());
    if (!map_) return Sent::dead;
    Core* here = map_->here();
    const Address port = map_->port_for(here);
    return Core::submit(here, *port.cell->owner,
                        detail::enclose(here, detail::keyed_handler<A, M>, port, keyed(std::move(message))));
  }

  template <class M>
  auto send(M message) const {
    static_assert(detail::fit_to_tell<A, M>());
    return SendAwaiter<detail::KeyedFor<M>>{port(), &detail::keyed_handler<A, M>, keyed(std::move(message))};
  }

  template <class M>
  auto ask(M message, AskOptions options = {}) const {
    static_assert(detail::fit_to_ask<A, M>());
    return AskAwaiter<detail::KeyedFor<M>>{port(), &detail::keyed_handler<A, M>, keyed(std::move(message)), options};
  }

  /// `co_await entity.within(1s).ask(m)`.
  Within<A, ShardRef> within(Duration within) const { return {*this, within}; }

  /// `return entity.delegate(m);` in a handler.
  template <class M>
  Delegated<reply_of<M>, error_of<M>> delegate(M message) const {
    static_assert(detail::fit_to_ask<A, M>());
    if (!map_) return Delegated<reply_of<M>, error_of<M>>{nullptr};
    Core* here = Core::current();
    INVARIANT(here != nullptr, "a handler delegates, on its core");
    return Delegated<reply_of<M>, error_of<M>>{
        here->make_message(detail::keyed_handler<A, M>, port(), keyed(std::move(message)))};
  }

  /// `auto items = entity.stream(m);` in a handler.
  template <class M>
  StreamReader<item_of<M>, error_of<M>> stream(M message, StreamOptions options = {}) const {
    static_assert(detail::fit_to_stream<A, M>());
    using Whole = detail::KeyedFor<M>;
    Whole whole{{std::move(message), options.credit}, map_ ? map_->header(key_) : detail::ShardHeader{}};
    return detail::open_stream<M>(port(), &detail::keyed_handler<A, M>, std::move(whole), options);
  }

 private:
  Address port() const noexcept { return map_ ? map_->port_for(map_->here()) : Address{}; }
  template <class M>
  detail::KeyedFor<M> keyed(M message) const {
    detail::Keyed<M> plain{std::move(message), map_ ? map_->header(key_) : detail::ShardHeader{}};
    if constexpr (Askable<M>) {
      return {std::move(plain)};
    } else {
      return plain;
    }
  }
  std::shared_ptr<detail::ShardMap> map_;
  std::string key_;
};

template <class A>
class Shards {
 public:
  Shards() = default;
  /// Starts the shards on all cores. `where`: a System, or the Context of the actor that is to be their parent.
  template <class Where, class... Args>
  Shards(Where& where, ShardOptions options, Args... args) {
    auto kind = detail::entity_kind<A>(std::move(args)...);
    ActorOptions keeper{.name = options.name,
                        .core = 0,
                        .supervision = {.intensity = {.restarts = std::numeric_limits<std::uint32_t>::max()},
                                        .backoff = {.attempts_max = Backoff::unbounded}}};
    map_ = std::make_shared<detail::ShardMap>(host_of(where), std::move(options), std::move(kind));
    keeper_ = where.template spawn<detail::ShardKeeper>(std::move(keeper), map_, std::make_shared<detail::ShardBook>());
  }

  ShardRef<A> ref(std::string key) const { return {map_, std::move(key)}; }
  /// How many, and which one a key belongs to: of shards that have been started.
  std::uint32_t count() const noexcept { return map().options().count; }
  std::uint32_t shard_of(std::string_view key) const noexcept { return map().shard_of(key); }

  /// `co_await shards.move(shard, core)`: takes a shard and its entities, mailboxes included, to another core. They go
  /// on there once all are between two messages; where that does not come about in time, everything stays as it was.
  AskAwaiter<MoveShard> move(std::uint32_t shard, int core) const {
    static_assert(detail::migrates<A>(),
                  "an actor that may change its core says `static constexpr bool migrates = true`");
    return keeper_.ask(MoveShard{shard, core}, {.within = 30s});
  }
  /// Lets each entity handle what was told before, then ends the shards. What is told later is dropped, once the core
  /// on which it is told knows. Any thread.
  void drain() const { keeper_.tell(detail::DrainShards{}); }
  /// The core that a shard lives on, or is on its way to.
  AskAwaiter<LocateShard> locate(std::uint32_t shard) const { return keeper_.ask(LocateShard{shard}); }

 private:
  const detail::ShardMap& map() const noexcept {
    INVARIANT(map_ != nullptr, "these shards have not been started: they were constructed without a System");
    return *map_;
  }
  template <class Where>
  static Host& host_of(Where& where) {
    if constexpr (std::is_convertible_v<Where&, Host&>) {
      return where;
    } else {
      return where.system();
    }
  }
  std::shared_ptr<detail::ShardMap> map_;
  Ref<detail::ShardKeeper> keeper_;
};

}  // namespace troupe::actor
