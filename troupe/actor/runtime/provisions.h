// Provisions: what a system was given for its actors to find by type, such as the journal of its events.
//
// For what every actor of a kind needs and nobody wants to hand through the whole tree. Given
// before the actors that need it start. Any thread; looked up at an actor's start, not by message.
#pragma once

#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace troupe::actor {

class Provisions {
 public:
  /// From now on whoever asks for a T finds this one: `system.provide<Journal>(journal)`.
  template <class T>
  void provide(std::shared_ptr<T> thing) {
    const std::lock_guard lock{mutex_};
    for (auto& [kind, held] : things_) {
      if (kind == &kind_of<T>) {
        held = std::move(thing);
        return;
      }
    }
    things_.emplace_back(&kind_of<T>, std::move(thing));
  }

  /// Null: nobody gave one.
  template <class T>
  std::shared_ptr<T> provided() const {
    const std::lock_guard lock{mutex_};
    for (const auto& [kind, held] : things_) {
      if (kind == &kind_of<T>) return std::static_pointer_cast<T>(held);
    }
    return nullptr;
  }

 private:
  template <class T>
  static constexpr char kind_of = 0;

  mutable std::mutex mutex_;
  std::vector<std::pair<const char*, std::shared_ptr<void>>> things_;
};

}  // namespace troupe::actor
