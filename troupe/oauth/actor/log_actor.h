// Log Actor: writes into the audit trail what others have seen, such as a back end that has
// refused somebody. Fire and forget: nobody waits for it, and nobody is told what became of it.
//
// Events are written many at a time, in one transaction. The mailbox is bounded: what comes
// while it is full is dropped and counted by the runtime, and so is what a failing database
// does not take (`lost`). Owned by the supervisor of the authorization server.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "troupe/actor/actor.h"
#include "troupe/actor/batch.h"
#include "troupe/oauth/actor/audit.h"
#include "troupe/oauth/model/cause.h"
#include "troupe/oauth/storage/storage.h"

namespace troupe::oauth {

/// Notes an event of somebody else's. To be told, never asked; `fault_in` must have found nothing.
struct LogEvent {
  std::string kind;                  // in the past tense: "invoice_paid" is kept as "custom.invoice_paid"
  std::optional<ClientId> client{};  // whom it concerns
  std::optional<UserId> user{};      // kept as a hash, like that of every event
  std::string reason{};              // for people to read; no secrets
  Cause cause{};                     // `by` says who has logged it: "client c_..."
};

/// Why this cannot be logged, as a sentence for who wanted it, or nothing: a kind has 1 to 64 of a-z, 0-9 and '_' and
/// begins with a letter; a reason has at most 500 bytes and no control characters, an id at most 200.
std::optional<std::string_view> fault_in(const LogEvent& event);

class LogActor {
 public:
  explicit LogActor(Storage storage) : storage_(std::move(storage)) {}

  actor::Task<void> handle(actor::Batch<LogEvent> events, actor::Context& context);
  void inspect(actor::Inspection& out) const;

 private:
  Storage storage_;
  Auditor auditor_;
  std::int64_t logged_ = 0;
  std::int64_t lost_ = 0;
};

/// With room for a burst; past it the newest are dropped.
actor::ActorOptions log_actor_options();

}  // namespace troupe::oauth
