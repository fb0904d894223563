// InboxLimit: how much of what foreign threads send may wait at a core, which takes all of it at once.
//
// A number of messages. A publication among them may be work for many actors, so threads that
// publish without end can keep a core busy between any two of its own steps; and a system that
// ends takes many, one after the other and from core to core. From its shutdown on no more
// publications wait than have lately been the work of a turn. To take a part and leave the rest
// is no way: what another core has sent because of a message would overtake it.
#pragma once

#include <algorithm>
#include <cstddef>

#include "troupe/actor/runtime/envelope.h"

namespace troupe::actor {

class InboxLimit {
 public:
  /// How far a system has come with its end. `closed`: after the last turn.
  enum class Ending : std::uint8_t { none, phases, stopping, closed };

  void narrow(Ending ending) noexcept { ending_ = std::max(ending_, ending); }
  bool is_open() const noexcept { return ending_ != Ending::closed; }

  /// Control messages of users have a bound only while all actors are stopped, the runtime's own have none.
  bool has_room(const Handler& handler, bool is_publication) const noexcept {
    const bool is_control = handler.message_class == MessageClass::control;
    if (is_control && (handler.runtime || ending_ < Ending::stopping)) return true;
    if (messages_ >= messages_max) return false;
    return !is_publication || ending_ == Ending::none || publications_ < publications_max_;
  }
  void note(bool is_publication) noexcept {
    ++messages_;
    if (is_publication) ++publications_;
  }
  /// All that waited is taken. Gives how many of it are publications.
  std::size_t take() noexcept {
    messages_ = 0;
    return std::exchange(publications_, 0);
  }
  /// So many publications, more than none, had so many receivers together.
  void learn(std::size_t publications, std::uint64_t receivers) noexcept {
    publications_max_ =
        std::max<std::size_t>(1, publications * receivers_at_once / std::max<std::uint64_t>(1, receivers));
  }

 private:
  static constexpr std::size_t messages_max = 64 * 1024;
  static constexpr std::size_t receivers_at_once = 4000;  // to hand them a message takes less than a turn
  std::size_t messages_ = 0;
  std::size_t publications_ = 0;
  std::size_t publications_max_ = receivers_at_once;
  Ending ending_ = Ending::none;
};

}  // namespace troupe::actor
