// Readiness: whether anybody should be sent to this server: what it is asked for is read from its database and written
// to the database's disk, so both are tried.
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

/// What the server's database does not do; nothing: all that it should.
using DatabaseFault = std::optional<std::string_view>;

struct GetReadiness {
  using reply = DatabaseFault;
};

class Readiness {
 public:
  static constexpr std::string_view actor_type = "Readiness";
  static constexpr bool interleaves = true;  // who asks is heard while the database is tried
  static constexpr base::Duration holds_for = std::chrono::seconds{1};

  explicit Readiness(store::Database database) : database_(std::move(database)) {}

  void handle(GetReadiness message, actor::Reply<DatabaseFault> reply, actor::Context& ctx);

  /// Told by itself.
  struct TryDatabase {};
  actor::Task<void> handle(TryDatabase message, actor::Context& ctx);

 private:
  actor::Task<DatabaseFault> find_fault() const;

  store::Database database_;
  DatabaseFault fault_;
  base::Instant holds_until_{};
  std::vector<actor::Reply<DatabaseFault>> waiting_;  // for what is being tried now
};

}  // namespace troupe::app
