// Oauth Supervisor: the root of the authorization server. It starts the owners of all
// records and the pools that share the work, and keeps them running.
//
// A database that fails is no fault of who asked it: each piece of work was one transaction
// that happened or did not, so the actor goes on with its next message, and whoever waited is
// told `temporarily_unavailable`. Any other fault makes an actor start anew, as often as it takes.
#pragma once

#include <cstddef>
#include <vector>

#include "troupe/actor/actor.h"
#include "troupe/oauth/actor/auth_actor.h"
#include "troupe/oauth/actor/change_actor.h"
#include "troupe/oauth/actor/client_actor.h"
#include "troupe/oauth/actor/key_actor.h"
#include "troupe/oauth/actor/log_actor.h"
#include "troupe/oauth/actor/session_actor.h"
#include "troupe/oauth/actor/token_actor.h"
#include "troupe/oauth/actor/trail_actor.h"
#include "troupe/oauth/actor/user_actor.h"
#include "troupe/oauth/admin/service.h"
#include "troupe/oauth/endpoint/service.h"

namespace troupe::oauth {

struct OauthParts {
  Storage storage;
  OauthOptions options;
  KeyOptions keys;
  PasswordOptions passwords{};
  actor::Ref<actor::Protocol<TokensRevoked>> watcher;           // told what is revoked; may be null
  actor::Ref<actor::Protocol<GrantsEnded>> endings{};           // told whose grants have ended; may be null
  std::vector<actor::Ref<actor::Protocol<AuditSeen>>> audit{};  // told how far the audit trail goes
  FetchRef fetcher{};                                           // asks clients' servers; null: they are not asked
  std::size_t cores = 1;                                        // each has one Token Actor and one Auth Actor
};

/// The actors, for whoever asks them.
struct OauthActors {
  actor::Ref<ClientActor> clients;
  actor::Ref<UserActor> users;
  actor::Ref<SessionActor> sessions;
  actor::Ref<KeyActor> keys;
  actor::Ref<TokenActor> tokens;  // pools (owners.h)
  actor::Ref<AuthActor> codes;
  actor::Ref<TrailActor> trail;
  actor::Ref<LogActor> log;
};

struct GetOauthActors {
  using reply = OauthActors;
};

class OauthSupervisor {
 public:
  explicit OauthSupervisor(OauthParts parts);

  void started(actor::Context& context);
  OauthActors handle(const GetOauthActors& message) const;

 private:
  OauthParts parts_;
  OauthActors actors_;
};

/// How the supervisor treats its children; to be given when it is spawned.
actor::ActorOptions oauth_supervisor_options();

/// What the endpoints of one core work with. They count in `metrics`, which outlives them; null: for nobody.
ServicePtr make_service(OauthOptions options, const OauthActors& actors, base::Metrics* metrics = nullptr);
/// The same for the administration.
admin::ServicePtr make_admin_service(const OauthOptions& options, const OauthActors& actors);

}  // namespace troupe::oauth
