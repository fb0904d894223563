// EndingActor: tells whoever serves on the strength of tokens whose grants have ended.
//
// The deed may be another process's, such as the command line's, so it looks into the
// database, twice a second. It starts with what is still kept there: hearing twice does no harm.
// Owned by the supervisor of the authorization server.
#pragma once

#include "troupe/actor/actor.h"
#include "troupe/oauth/model/token.h"
#include "troupe/oauth/storage/storage.h"

namespace troupe::oauth {

class EndingActor {
 public:
  using Watcher = actor::Ref<actor::Protocol<GrantsEnded>>;

  EndingActor(Storage storage, Watcher watcher) : storage_(std::move(storage)), watcher_(std::move(watcher)) {}

  void started(actor::Context& context);

  /// Told by itself: whether anything has ended since the last look.
  struct Look {};
  actor::Task<void> handle(Look message);
  void inspect(actor::Inspection& out) const;

 private:
  Storage storage_;
  Watcher watcher_;
  std::int64_t heard_ = 0;  // the number of the last ending that the watcher knows
};

}  // namespace troupe::oauth
