// PresenceTable: who is in each of a share of the topics, and what has changed since it was last told.
//
// A user counts once, whatever the number of cores that report it; a change costs the same
// however many topics and watchers there are, and one that is undone before it is told is
// not told, unless a page has shown it: whoever reads pages and applies what is told knows who is there.
// Owned by one PresenceActor.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "troupe/realtime/protocol/ids.h"
#include "troupe/realtime/topic/router_messages.h"
#include "troupe/realtime/topic/small_map.h"

namespace troupe::realtime {

/// A page of the users in a topic, in the order of their names.
struct PresencePage {
  std::uint64_t count = 0;  // of all pages
  std::vector<UserId> users;
  std::optional<UserId> next;  // what the next page comes after; none on the last
};

/// What is to be told of one topic, to the cores that have somebody who wants to know.
struct PresenceChange {
  std::string topic;
  std::vector<UserId> joined;
  std::vector<UserId> left;
  std::vector<CoreIndex> cores;
};

class PresenceTable {
 public:
  static constexpr std::size_t cores_max = 64;

  void came(std::string_view topic, const UserId& user, CoreIndex core);
  void left(std::string_view topic, const UserId& user, CoreIndex core);

  void watch(std::string_view topic, CoreIndex core);
  void unwatch(std::string_view topic, CoreIndex core);

  /// The users after `after`, at most `limit`. What has changed among them will be told, even if it is undone.
  PresencePage page(std::string_view topic, std::size_t limit, const UserId& after);

  bool has_changes() const noexcept { return !changed_.empty(); }
  /// What has changed since the last call, of topics that are watched.
  std::vector<PresenceChange> take_changes();

  /// Between the two nobody knows what was told before: who is reported present is told as joined, who is reported
  /// gone as left, which does no harm where it was told before.
  void begin_rebuild() noexcept { rebuilding_ = true; }
  void end_rebuild() noexcept { rebuilding_ = false; }

  std::size_t topics() const noexcept { return topics_.size(); }
  /// In all topics together.
  std::size_t users() const noexcept { return users_; }

 private:
  using Cores = std::uint64_t;
  enum class Told : std::uint8_t { absent, present, unknown };
  struct Topic {
    SmallMap<UserId, Cores, 64> users;
    Cores watchers = 0;
    std::map<UserId, Told> changed;  // what was told last of whom something was reported since
  };
  using Topics = std::unordered_map<std::string, Topic>;

  void note(const std::string& name, Topic& topic, const UserId& user, Told told);
  static void note_shown(Topic& topic, const UserId& after, const std::optional<UserId>& last);
  void forget_if_empty(Topics::iterator place);

  Topics topics_;
  std::vector<std::string> changed_;  // topics, each once
  std::size_t users_ = 0;
  bool rebuilding_ = false;
};

}  // namespace troupe::realtime
