// ChangeActor: sees what another process, such as the command line, has changed in the
// database, and tells whom it concerns: the owners of keys and of clients, and whoever serves on
// the strength of tokens whose grants have ended, and who tells clients of sign-outs.
//
// One look for all of them, twice a second, since a look wakes a thread for blocking work and
// an idle server does hardly anything else. Owners are told at each look what it saw, so
// nothing is missed by one that was restarted. Endings begin with what is still kept in the
// database: hearing twice does no harm. Owned by the supervisor of the authorization server.
#pragma once

#include <vector>

#include "troupe/actor/actor.h"
#include "troupe/oauth/actor/client_actor.h"
#include "troupe/oauth/actor/key_actor.h"
#include "troupe/oauth/actor/logout_actor.h"
#include "troupe/oauth/model/token.h"
#include "troupe/oauth/storage/storage.h"

namespace troupe::oauth {

/// Told at each look: the id of the newest event of the audit trail, zeros while there is none. What is behind it is
/// committed.
struct AuditSeen {
  crypto::TokenId newest;
};

struct ChangeActorParts {
  Storage storage;
  actor::Ref<actor::Protocol<KeysSeen>> keys;
  actor::Ref<actor::Protocol<ClientsSeen>> clients;
  actor::Ref<actor::Protocol<GrantsEnded>> watcher;             // may be null
  std::vector<actor::Ref<actor::Protocol<AuditSeen>>> audit{};  // whoever goes along with the trail
  actor::Ref<actor::Protocol<LogoutsDue>> logouts{};            // may be null
};

class ChangeActor {
 public:
  explicit ChangeActor(ChangeActorParts parts) : parts_(std::move(parts)) {}

  void started(actor::Context& context);

  /// Told by itself: what has changed since the last look.
  struct Look {};
  actor::Task<void> handle(Look message, actor::Context& context);
  void inspect(actor::Inspection& out) const;

 private:
  ChangeActorParts parts_;
  std::int64_t heard_ = 0;  // the number of the last ending that the watcher knows
};

}  // namespace troupe::oauth
