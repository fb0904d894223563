// PresenceReporter: which users one keeper's sessions have in which topics, and telling the
// homes of these topics when a user has the first session in one, or no more.
//
// Owned by one SessionsActor. Who has left is remembered until the home says that it was
// told, so that a home which loses its tables can still tell it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "troupe/realtime/topic/flat_queue.h"
#include "troupe/realtime/topic/presence_actor.h"
#include "troupe/realtime/topic/small_map.h"

namespace troupe::realtime {

using PresenceHomes = std::shared_ptr<const std::vector<PresenceRef>>;  // by core

class PresenceReporter {
 public:
  PresenceReporter(CoreIndex core, PresenceHomes homes)
      : core_(core), homes_(std::move(homes)), books_(homes_->size()) {}

  /// A session of the user has come into these topics and left those.
  void report(const UserId& user, const std::vector<TopicPattern>& came, const std::vector<TopicPattern>& left);
  /// A home has told what was reported to it up to a number.
  void forget(const PresenceTold& message);
  /// Says everything again to a home that has lost its tables.
  void repeat(const RepeatPresence& message) const;

 private:
  struct Untold {
    ReportNumber number;
    UserId user;
    std::vector<TopicPattern> left;
  };
  struct Book {  // of what one home was told
    ReportNumber number = 0;
    FlatQueue<Untold> untold;
  };

  std::size_t home(const TopicPattern& topic) const noexcept { return home_of(topic.text(), homes_->size()); }

  CoreIndex core_;
  PresenceHomes homes_;
  std::vector<Book> books_;                                               // by home
  std::map<TopicPattern, SmallMap<UserId, std::uint32_t, 64>> sessions_;  // how many each has there, at least one
};

}  // namespace troupe::realtime
