// Inspection: the tree of actors as it is now, in code; app/admin shows it over HTTP.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "troupe/actor/runtime/core.h"

namespace troupe::actor {

/// What an actor's own `inspect(Inspection&) const` adds to its line. Never secrets: operators read it.
class Inspection {
 public:
  void add(std::string_view key, std::string value) { entries_.emplace_back(key, std::move(value)); }
  void add(std::string_view key, std::uint64_t value) { add(key, std::to_string(value)); }
  const std::vector<std::pair<std::string, std::string>>& entries() const noexcept { return entries_; }

 private:
  std::vector<std::pair<std::string, std::string>> entries_;
};

struct InspectedActor {
  ActorId id;
  ActorId parent;    // 0: the root
  std::string path;  // "/realtime/connections-0/..."; unique among the living by name or number
  std::string type;
  std::string_view state;  // starting, running, waiting (in a coroutine handler), failed, restarting, stopping
  int core = 0;
  std::uint32_t mailbox_depth = 0;
  std::uint32_t mailbox_capacity = 0;
  std::uint32_t in_flight = 0;
  std::uint64_t handled = 0;
  std::uint32_t errors = 0;
  std::uint32_t restarts = 0;
  std::string last_failure;
  Duration idle{};                            // since its last message
  std::optional<HandlingTime> handling_time;  // where somebody asked for it: Context::measure, System::measure
  std::vector<std::pair<std::string, std::string>> details;
};

/// The actors of one core, without paths. On that core.
std::vector<InspectedActor> inspect_core(Core& core);
/// Sorts the actors of all cores by path, parents before children, and fills in the paths.
std::vector<InspectedActor> assemble(std::vector<InspectedActor> actors);

/// The messages that wait in the mailboxes of one class of actor.
struct MailboxFigures {
  std::uint64_t waiting = 0;
  std::uint32_t deepest = 0;  // in the mailbox that has most
};

/// By class. Looks at each actor of the core, on that core.
std::map<std::string_view, MailboxFigures> mailboxes_of(Core& core);

/// What was counted for one class of actor, summed over the cores.
struct TypeFigures {
  std::string_view type;
  std::uint64_t spawned = 0;
  std::uint64_t stopped = 0;
  std::uint64_t handled = 0;
  std::uint64_t failed = 0;
  std::uint64_t restarted = 0;
  std::uint64_t stalled = 0;    // held its core too long
  std::uint64_t cancelled = 0;  // handlers ended because their asker had gone
  std::array<std::uint64_t, drop_reasons> dropped{};
  /// Of one message in 64, by core; an actor's time is its core's time, so a sum would hide who is slow.
  std::map<int, HandlingTime> handling_time{};
};

/// Any thread.
std::vector<TypeFigures> figures_of(Host& host);

}  // namespace troupe::actor
