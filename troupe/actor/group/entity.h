// Entity: an actor that is there only while somebody needs it: made by its first message, put away when idle. What
// lazy.h and shards.h share.
//
// Its owner is a forwarding cell (runtime/forward.h) on the same core, which is its parent. While
// it is put away its owner holds what is told, for the next; there are never two at once.
#pragma once

#include <functional>
#include <string>

#include "troupe/actor/context.h"
#include "troupe/actor/runtime/forward.h"

namespace troupe::actor::detail {

/// How entities of one class are made. Shared by all cores and never changed.
struct EntityKind {
  const ActorType* type = nullptr;
  std::function<std::unique_ptr<Body>(const std::string& name)> body;  // called on any core, on several at once
  bool (*may_passivate)(const void* object) = nullptr;                 // null: always
  bool migrates = false;
};

struct Entity {
  Address address;
  bool leaving = false;  // is being put away; what is told meanwhile is for the next
  bool blocked = false;  // its shard is leaving: it begins no further message
  EnvelopeList held;
  std::uint32_t held_count = 0;
};

template <class A, class... Args>
EntityKind entity_kind(Args... args) {
  EntityKind kind{.type = &type_of<A>, .migrates = migrates<A>()};
  kind.body = [... kept = std::move(args)]([[maybe_unused]] const std::string& name) -> std::unique_ptr<Body> {
    if constexpr (std::is_constructible_v<A, const std::string&, const Args&...>) {
      return make_body<A>(name, kept...);
    } else {
      return make_body<A>(kept...);
    }
  };
  if constexpr (requires(const A& a) {
                  { a.may_passivate() } -> std::same_as<bool>;
                }) {
    kind.may_passivate = [](const void* object) { return static_cast<const A*>(object)->may_passivate(); };
  }
  return kind;
}

/// Reserves a cell and has the entity started there by a control message, not at once: whoever told it may itself be an
/// entity that is just starting, and so on.
Cell& start_entity(Cell& owner, const EntityKind& kind, ActorOptions options);
/// Tells the owner by `handler` (of Terminated) when it has ended.
void watch_entity(Cell& owner, Address entity, const Handler& handler);
/// Into the list, or refused where it holds `max` already; but for control messages, which are not bounded.
Sent hold(Cell& owner, EnvelopeList& held, std::uint32_t& count, Envelope* envelope, std::uint32_t max);
void drop_held(Cell& owner, EnvelopeList& held) noexcept;

/// Whether its cell is its own still. One that has ended gives it back before its owner is told, and another may have
/// it by then.
inline bool is_there(const Entity& entity) noexcept { return entity.address.cell->is(entity.address.generation); }
/// Whether it has had no message for so long, and has nothing in hand: nothing queued, put aside or suspended, no timer
/// and no child.
bool is_idle(const Cell& cell, const EntityKind& kind, Duration passivate_after);
/// Begins to put it away.
void passivate(Cell& owner, Entity& entity);

}  // namespace troupe::actor::detail
