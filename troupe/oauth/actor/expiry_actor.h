// ExpiryActor: removes what can matter to nobody any more, a little at a time.
//
// Everything is keyed by a time-ordered id, so what is old is a range at the start of its
// table: no scan, no index. Of the audit trail whole segments go, their checkpoints stay. Where there is much it goes
// as fast as tokens can be issued, with at most a quarter of the writer's time. Owned by the supervisor of the
// authorization server.
#pragma once

#include "troupe/actor/actor.h"
#include "troupe/oauth/actor/audit.h"
#include "troupe/oauth/model/options.h"
#include "troupe/oauth/storage/storage.h"

namespace troupe::oauth {

class ExpiryActor {
 public:
  ExpiryActor(Storage storage, OauthOptions options);

  void started(actor::Context& context);

  /// Told by itself: removes one step of each table, and comes back soon while there is more.
  struct Sweep {};
  actor::Task<void> handle(Sweep message, actor::Context& context);
  void inspect(actor::Inspection& out) const;

 private:
  Storage storage_;
  OauthOptions options_;
  Auditor auditor_;
  std::int64_t removed_ = 0;
};

}  // namespace troupe::oauth
