// See calls.h.
#include "troupe/oauth/admin/calls.h"

#include "troupe/oauth/admin/answer.h"
#include "troupe/oauth/admin/request.h"
#include "troupe/oauth/endpoint/answer.h"

namespace troupe::oauth::admin {
namespace {

using web::Method;

constexpr Call table[] = {
    {Method::get, "/admin/v1/clients", "admin.clients:read", Takes::query, list_clients, "client list"},
    {Method::post, "/admin/v1/clients", "admin.clients", Takes::body, create_client, "client add"},
    {Method::get, "/admin/v1/clients/{client_id}", "admin.clients:read", Takes::path, show_client, "client show"},
    {Method::patch, "/admin/v1/clients/{client_id}", "admin.clients", Takes::body, update_client, "client update"},
    {Method::delete_, "/admin/v1/clients/{client_id}", "admin.clients", Takes::query, delete_client, "client remove"},
    {Method::post, "/admin/v1/clients/{client_id}/secrets", "admin.clients", Takes::body, renew_secret,
     "client secret"},

    {Method::get, "/admin/v1/users", "admin.users:read", Takes::query, list_users, "user list"},
    {Method::post, "/admin/v1/users", "admin.users", Takes::body, create_user, "user add"},
    {Method::get, "/admin/v1/users/{sub}", "admin.users:read", Takes::path, show_user, "user show"},
    {Method::patch, "/admin/v1/users/{sub}", "admin.users", Takes::body, update_user, "user update"},
    {Method::delete_, "/admin/v1/users/{sub}", "admin.users", Takes::query, delete_user, "user remove"},
    {Method::post, "/admin/v1/users/{sub}/disable", "admin.users", Takes::query, disable_user, "user disable"},
    {Method::post, "/admin/v1/users/{sub}/enable", "admin.users", Takes::path, enable_user, "user enable"},
    {Method::put, "/admin/v1/users/{sub}/password", "admin.users", Takes::body, set_password, "user password"},

    {Method::get, "/admin/v1/sessions", "admin.sessions:read", Takes::query, list_sessions, "session list"},
    {Method::delete_, "/admin/v1/sessions/{sid}", "admin.sessions", Takes::query, end_session, "session end"},

    {Method::get, "/admin/v1/grants", "admin.grants:read", Takes::query, list_grants, "grant list"},
    {Method::delete_, "/admin/v1/grants", "admin.grants", Takes::query, revoke_consent, "grant forget"},
    {Method::delete_, "/admin/v1/grants/{grant}", "admin.grants", Takes::query, revoke_grant, "grant revoke"},

    {Method::get, "/admin/v1/tokens", "admin.tokens:read", Takes::query, list_tokens, "token list"},
    {Method::delete_, "/admin/v1/tokens/{jti}", "admin.tokens", Takes::query, revoke_token, "token revoke"},

    {Method::get, "/admin/v1/keys", "admin.keys:read", Takes::path, list_keys, "keys list"},
    {Method::post, "/admin/v1/keys/rotate", "admin.keys", Takes::query, rotate_keys, "keys rotate"},

    {Method::get, "/admin/v1/events", "admin.events:read", Takes::query, list_events, "audit list"},
    {Method::post, "/admin/v1/events", "admin.events", Takes::body, log_event, ""},
};

/// Nothing that a call does not read is passed over: `dry_run` in the wrong place would be the deed itself.
Read<void> refuse_unread(const web::Request& http, Takes takes) {
  if (takes != Takes::query) {
    auto query = read_query(http, {});
    if (!query) return std::unexpected(std::move(query.error()));
  }
  if (takes == Takes::body || http.body.empty()) return {};
  return std::unexpected(
      problem_of(errors::invalid_request, "This call takes no body: what it takes is in its query."));
}

Task<web::Response> serve(ServicePtr service, const Call* call, web::Request http) {
  auto caller = co_await caller_of(service, http, call->scope);
  if (!caller) co_return std::move(caller.error());
  auto all_is_read = refuse_unread(http, call->takes);
  if (!all_is_read) co_return std::move(all_is_read.error());
  auto response = co_await call->function(std::move(service), *std::move(caller), std::move(http));
  co_return response;
}

web::Response too_large_body(const web::Request&) {
  return never_cached(web::problem(413, "The body is over 64 KiB."));
}

}  // namespace

std::span<const Call> calls() noexcept { return table; }

void routes(web::Router& router, ServicePtr service) {
  for (const Call& call : table) {
    router.add(call.method, std::string{call.path},
               [service, which = &call](web::Request http) { return serve(service, which, std::move(http)); },
               {.body_bytes_max = body_bytes_max, .too_large = too_large_body});
  }
}

}  // namespace troupe::oauth::admin
