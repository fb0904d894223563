// What the administration shows of users, sessions, grants, tokens and keys, as JSON: the same over
// HTTP and on the command line. Nothing of it is a secret.
#pragma once

#include "troupe/oauth/actor/key_actor.h"
#include "troupe/oauth/actor/token_actor.h"
#include "troupe/oauth/model/session.h"
#include "troupe/oauth/model/user.h"
#include "troupe/wire/json.h"

namespace troupe::oauth::admin {

/// The members alone, for a document that has more of them.
void write_user_members(wire::JsonWriter& writer, const User& user);
void write_user(wire::JsonWriter& writer, const User& user);
void write_session(wire::JsonWriter& writer, const Session& session);
void write_grant(wire::JsonWriter& writer, const LiveGrant& row);
void write_token(wire::JsonWriter& writer, const TokenClaims& token);
void write_key(wire::JsonWriter& writer, const ListedKey& key);

}  // namespace troupe::oauth::admin
