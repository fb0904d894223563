// What the administration of one core works with: whom to ask, and by which messages.
//
// Apart from what the public endpoints work with, so that none of those can send any of these.
#pragma once

#include <memory>
#include <string>

#include "troupe/actor/actor.h"
#include "troupe/oauth/actor/client_actor.h"
#include "troupe/oauth/actor/key_actor.h"
#include "troupe/oauth/actor/log_actor.h"
#include "troupe/oauth/actor/session_actor.h"
#include "troupe/oauth/actor/token_actor.h"
#include "troupe/oauth/actor/trail_actor.h"
#include "troupe/oauth/actor/user_actor.h"

namespace troupe::oauth::admin {

using actor::Task;

struct Service {
  std::string issuer;  // what a token must be meant for
  actor::Ref<actor::Protocol<GetClient, ListClientPage, RegisterClient, UpdateClient, DeleteClient, RenewClientSecret>>
      clients;
  actor::Ref<actor::Protocol<GetUser, ListUserPage, AddUser, UpdateUser, DisableUser, EnableUser, SetPassword,
                             RemoveUser, RevokeConsent>>
      users;
  actor::Ref<actor::Protocol<ListSessions, EndNamedSession>> sessions;
  actor::Ref<actor::Protocol<ValidateToken, ListGrants, RevokeFamily, ListTokens, GetToken, RevokeTokenById>> tokens;
  actor::Ref<actor::Protocol<ListKeys, RotateKeys, RevokeKey>> keys;
  actor::Ref<actor::Protocol<ListEvents, RecordRefusal, NoteRefusedCall>> trail;
  actor::Ref<actor::Protocol<LogEvent>> log;
};

/// Shared by the requests of one core.
using ServicePtr = std::shared_ptr<const Service>;

}  // namespace troupe::oauth::admin
