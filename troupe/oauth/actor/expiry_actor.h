// ExpiryActor: ends browsers' sessions whose time is over, and removes what can matter to nobody any more, a little at
// a time.
//
// A session that has grown too old or was not used for too long ends as one that its user ends: its tokens are taken
// back, its clients are told, the audit trail has it. An index has the open ones by their end.
//
// What is removed is keyed by a time-ordered id, so what is old is a range at the start of its table: no scan, no
// index. Of the audit trail whole segments go, their checkpoints stay. Where there is much it goes as fast as tokens
// can be issued, with at most a quarter of the writer's time. Owned by the supervisor of the authorization server.
#pragma once

#include "troupe/actor/actor.h"
#include "troupe/oauth/actor/audit.h"
#include "troupe/oauth/model/options.h"
#include "troupe/oauth/model/token.h"
#include "troupe/oauth/storage/storage.h"

namespace troupe::oauth {

struct ExpiryActorParts {
  Storage storage;
  actor::Ref<actor::Protocol<TokensRevoked>> watcher;  // may be null
  SharedOptions options;
};

class ExpiryActor {
 public:
  explicit ExpiryActor(ExpiryActorParts parts) : parts_(std::move(parts)) {}

  void started(actor::Context& context);

  /// Told by itself: one step of everything; it comes back soon while there is more.
  struct Sweep {};
  actor::Task<void> handle(Sweep message, actor::Context& context);
  void inspect(actor::Inspection& out) const;

 private:
  enum class Left : std::uint8_t { nothing, perhaps_more };
  actor::Task<Left> end_sessions(actor::Context& context);
  actor::Task<Left> remove_rows(actor::Context& context);

  ExpiryActorParts parts_;
  Auditor auditor_;
  std::int64_t removed_ = 0;
  std::int64_t sessions_ended_ = 0;
};

}  // namespace troupe::oauth
