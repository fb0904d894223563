// What the endpoints of one core work with: the options, and whom to ask.
//
// Endpoints know actors by the messages that they handle, nothing else of them.
#pragma once

#include <memory>

#include "troupe/actor/actor.h"
#include "troupe/oauth/actor/auth_actor.h"
#include "troupe/oauth/actor/client_actor.h"
#include "troupe/oauth/actor/key_actor.h"
#include "troupe/oauth/actor/session_actor.h"
#include "troupe/oauth/actor/token_actor.h"
#include "troupe/oauth/actor/user_actor.h"
#include "troupe/oauth/endpoint/client_rates.h"
#include "troupe/oauth/endpoint/figures.h"
#include "troupe/oauth/endpoint/session_rates.h"
#include "troupe/oauth/model/options.h"

namespace troupe::oauth {

using actor::Task;

using ClientRef = actor::Ref<
    actor::Protocol<GetClient, ValidateClient, ValidateAssertion, IsClientOrigin, RegisterClient, GetRegistration,
                    UpdateRegistration, DeleteRegistration, RegistrationRefused, RefusedGrant>>;
using CodeRef = actor::Ref<actor::Protocol<ValidateAuthRequest, CreateAuthCode, CheckWayBack, ValidateAuthCode>>;
using TokenRef =
    actor::Ref<actor::Protocol<CreateToken, IntrospectToken, ValidateToken, RevokeToken, RefreshToken, RevokeFamily>>;
using KeyRef = actor::Ref<actor::Protocol<GetKeys>>;
using SessionRef = actor::Ref<actor::Protocol<BeginFlow, GetFlow, CheckFlow, GetWayOn, StartSession, GetSession,
                                              FinishFlow, EndSession, ListSessions, EndOtherSessions>>;
using UserRef = actor::Ref<actor::Protocol<VerifyPassword, ChangePassword, GetUser, GetConsent, RecordConsent,
                                           RecordDenial, ListConsents, RevokeConsent>>;

struct Service {
  OauthOptions options;
  std::string discovery;  // the document, made of the options once
  std::string discovery_etag;
  base::Bytes style;  // of the pages, made of them as well
  std::string style_etag;
  ClientRef clients;
  CodeRef codes;
  TokenRef tokens;
  KeyRef keys;
  SessionRef sessions;
  UserRef users;
  std::unique_ptr<OauthFigures> figures;
  ClientRates rates;
  SessionRates session_rates;
};

/// Shared by the requests of one core.
using ServicePtr = std::shared_ptr<Service>;

/// What the client is told of an ask that failed: the actor's own answer, or that it cannot be answered now.
inline OauthError told(const actor::Failure<OauthError>& failure) {
  return failure.domain.value_or(errors::temporarily_unavailable);
}

}  // namespace troupe::oauth
