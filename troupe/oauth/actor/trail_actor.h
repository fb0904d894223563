// Trail Actor: reads the audit trail for those who may, and writes what happened before any
// owner of records was asked: that somebody was refused the administration.
//
// It changes nothing that was written. Owned by the supervisor of the authorization server.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "troupe/actor/actor.h"
#include "troupe/oauth/actor/audit.h"
#include "troupe/oauth/actor/refusal_budget.h"
#include "troupe/oauth/model/cause.h"
#include "troupe/oauth/storage/storage.h"

namespace troupe::oauth {

/// Which events are wanted: all that is said must hold.
struct EventFilter {
  std::optional<std::string> kind{};
  std::optional<ClientId> client{};
  std::optional<UserId> user{};
  std::optional<FamilyId> family{};
  std::optional<base::UnixTime> since{};  // not before this moment
  std::optional<base::UnixTime> until{};  // before this one
};

/// A part of the trail, the newest first. `next` is where to go on, nothing at the end; a page looks at a bounded
/// number of events, so it may be short, or empty, and not be the last.
struct EventPage {
  std::vector<AuditEvent> events;
  std::optional<crypto::TokenId> next;
};

struct ListEvents {
  EventFilter filter;
  std::optional<crypto::TokenId> before{};
  int count = 100;
  using reply = EventPage;
};

struct Noted {};

/// A token was shown that is good and does not allow what was asked for. Of many only some are noted (RefusalBudget).
struct RecordRefusal {
  ClientId client;    // whose token it is
  std::string scope;  // what would have been enough
  Cause cause{};
  using reply = Noted;
};

/// Somebody was refused the administration who has shown no token that is good for it. Nobody waits for it, and of many
/// only some are noted (RefusalBudget): anybody may knock as often as they like.
struct NoteRefusedCall {
  std::string_view reason;  // a literal: "no_token"
  Cause cause{};
};

class TrailActor {
 public:
  static constexpr bool interleaves = true;

  explicit TrailActor(Storage storage) : storage_(std::move(storage)) {}

  actor::Task<EventPage> handle(ListEvents message);
  actor::Task<Noted> handle(RecordRefusal message, actor::Context& context);
  actor::Task<void> handle(NoteRefusedCall message, actor::Context& context);
  void inspect(actor::Inspection& out) const { out.add("refusals_unnoted", strangers_.unnoted() + known_.unnoted()); }

 private:
  Storage storage_;
  Auditor auditor_;
  RefusalBudget strangers_;
  RefusalBudget known_;  // those with a good token, so that no stranger's knocking hides what they do
};

}  // namespace troupe::oauth
