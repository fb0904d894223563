// Caller: who administers, once it is known that they may.
//
// A client that acts for itself, by an access token of ours that is meant for us. A token in a
// person's name opens nothing here: everybody who can sign in at a client would be an
// administrator wherever that client may ask for the scope.
//
// Scopes are words for what may be done to what: `admin.clients` changes and reads clients,
// `admin.clients:read` reads them, `admin` does everything. Nobody can give more than they have:
// clients with one of these scopes, and those that know or make others', are only changed by
// who holds all of these scopes.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "troupe/oauth/admin/service.h"
#include "troupe/oauth/model/cause.h"
#include "troupe/oauth/model/client.h"
#include "troupe/oauth/model/scope.h"
#include "troupe/web/message.h"

namespace troupe::oauth::admin {

struct Caller {
  ClientId client;
  ScopeSet scope;
  Cause cause;  // of what it does
};

/// Whether `held` is enough where `scope` is needed: itself, `admin`, or without its ":read".
bool is_enough(const ScopeSet& held, std::string_view scope);

/// Whether the scope is one that only its holders give: `admin`, what begins with "admin." or ends with ":admin",
/// `introspect` and `register`, and grants of the server's own topics.
bool is_privileged(std::string_view scope);

/// What such a client can do, as scopes. The server of a resource knows tokens of others, so it counts as one with
/// `introspect`.
ScopeSet powers_of(const ClientMetadata& metadata);

/// The first privileged scope of these that the caller does not hold; nothing where there is none.
std::optional<std::string> beyond(const Caller& caller, const ScopeSet& scope);

/// Who asks, if they may do what needs `scope`. Otherwise what they are told: 401, or 403, which is in the audit trail.
Task<std::expected<Caller, web::Response>> caller_of(ServicePtr service, web::Request http, std::string_view scope);

/// The 403 for a caller who lacks `scope`, which is in the audit trail.
Task<web::Response> refuse(ServicePtr service, Caller caller, std::string scope);

}  // namespace troupe::oauth::admin
