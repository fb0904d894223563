// PresenceActor: one on each core; home of the presence of a share of the topics.
//
// Changes are told in rounds: each is encoded once and handed to each watching core once,
// and the next round waits until all cores have handled the last one, so a slow core makes
// rounds rarer and not longer queues. Its tables are derived: when it starts anew it asks
// the keepers of sessions and the watching cores, and tells nothing before all have answered.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <vector>

#include "troupe/actor/actor.h"
#include "troupe/realtime/topic/presence_messages.h"
#include "troupe/realtime/topic/presence_options.h"

namespace troupe::realtime {

/// What it was told cannot be: the tables are built anew.
struct PresenceCorrupted : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class PresenceActor {
 public:
  static constexpr std::string_view actor_type = "PresenceActor";

  PresenceActor(PresenceOptions options, CoreIndex index, actor::Ref<actor::Protocol<PresenceStarted>> owner);

  void started(actor::Context& ctx);
  void inspect(actor::Inspection& out) const;

  void handle(JoinPresence message, actor::Context& ctx);
  void handle(const ReportPresence& message, actor::Context& ctx);
  void handle(const WatchPresence& message);
  void handle(const UnwatchPresence& message);
  void handle(const PresenceRepeated& message, actor::Context& ctx);
  void handle(const WatchesRepeated& message, actor::Context& ctx);
  void handle(PresenceDelivered, actor::Context& ctx);
  std::expected<PresencePage, PresenceError> handle(const ReadPresence& message);
  PresenceFigures handle(const MeasurePresence&) const;

  struct Tell {};
  void handle(Tell, actor::Context& ctx);

 private:
  struct Keeper {
    PresenceKeeper ref;
    ReportNumber seen = 0;
    ReportNumber told = 0;
    bool awaited = false;  // its answer after a loss
  };
  struct Watcher {
    PresenceWatcher ref;
    bool awaited = false;
  };

  bool is_ready() const noexcept;
  bool has_news() const noexcept;
  void note(CoreIndex core, ReportNumber number);
  void end_rebuild(actor::Context& ctx);
  void arm(actor::Context& ctx);
  void tell_changes();
  void tell_keepers();

  PresenceOptions options_;
  CoreIndex index_;
  actor::Ref<actor::Protocol<PresenceStarted>> owner_;
  PresenceTable presence_;
  std::vector<Keeper> keepers_;      // by core; none before it has joined
  std::vector<Watcher> watchers_;    // by core
  std::vector<ReportNumber> early_;  // what keepers have reported before that
  bool armed_ = false;
  std::size_t behind_ = 0;  // cores that have not handled the last round
  std::uint64_t changes_ = 0;
};

}  // namespace troupe::realtime
