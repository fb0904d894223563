// Readiness: whether anybody should be sent to this server: what it is asked for is read from its databases and written
// to their disks, so both are tried, of each of them.
//
// Strangers may ask, as often as they like, so one answer holds for a second, and who asks while it is being found
// waits for the same. One actor, whichever core is asked.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>
#include <vector>

#include "troupe/actor/actor.h"
#include "troupe/store/database.h"

namespace troupe::app {

/// A database without which the server does not do what it should, and what the answer calls it.
struct NeededDatabase {
  std::string_view name;
  store::Database database;
};

/// One of them, and what it does not do.
struct DatabaseFault {
  std::string_view name;
  std::string_view trouble;
};
/// The first that there is; nothing: all do what they should.
using ReadinessFault = std::optional<DatabaseFault>;

struct GetReadiness {
  using reply = ReadinessFault;
};

class Readiness {
 public:
  static constexpr std::string_view actor_type = "Readiness";
  static constexpr bool interleaves = true;  // who asks is heard while the databases are tried
  static constexpr base::Duration holds_for = std::chrono::seconds{1};

  explicit Readiness(std::vector<NeededDatabase> needed) : needed_(std::move(needed)) {}

  void handle(GetReadiness message, actor::Reply<ReadinessFault> reply, actor::Context& ctx);

  /// Told by itself.
  struct TryDatabases {};
  actor::Task<void> handle(TryDatabases message, actor::Context& ctx);

 private:
  actor::Task<ReadinessFault> find_fault() const;

  std::vector<NeededDatabase> needed_;  // in the order in which they are tried
  ReadinessFault fault_;
  base::Instant holds_until_{};
  std::vector<actor::Reply<ReadinessFault>> waiting_;  // for what is being tried now
};

}  // namespace troupe::app
