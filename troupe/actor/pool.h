// Pool: several actors of one class that share the work; a value over their references.
//
// `next` goes round robin; `by_key` always gives the same member for the same key, so that a
// record has one owner. Copies of a pool share nothing: each goes round on its own.
#pragma once

#include <vector>

#include "troupe/actor/ref.h"
#include "troupe/base/check.h"

namespace troupe::actor {

template <class A>
class Pool {
 public:
  Pool() = default;
  explicit Pool(std::vector<Ref<A>> members) : members_(std::move(members)) {}

  std::size_t size() const noexcept { return members_.size(); }
  const std::vector<Ref<A>>& members() const noexcept { return members_; }

  /// The next member in turn.
  Ref<A> next() const noexcept {
    INVARIANT(!members_.empty(), "a pool has members");
    return members_[turn_++ % members_.size()];
  }
  /// The member that owns the key; `hash` should be well mixed.
  Ref<A> by_key(std::uint64_t hash) const noexcept {
    INVARIANT(!members_.empty(), "a pool has members");
    return members_[hash % members_.size()];
  }

 private:
  std::vector<Ref<A>> members_;
  mutable std::size_t turn_ = 0;
};

}  // namespace troupe::actor
