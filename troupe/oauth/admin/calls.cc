// See calls.h.
#include "troupe/oauth/admin/calls.h"

namespace troupe::oauth::admin {
namespace {

using web::Method;

constexpr Call table[] = {
    {Method::get, "/admin/v1/clients", "admin.clients:read", list_clients, "client list"},
    {Method::post, "/admin/v1/clients", "admin.clients", create_client, "client add"},
    {Method::get, "/admin/v1/clients/{client_id}", "admin.clients:read", show_client, "client show"},
    {Method::patch, "/admin/v1/clients/{client_id}", "admin.clients", update_client, "client update"},
    {Method::delete_, "/admin/v1/clients/{client_id}", "admin.clients", delete_client, "client remove"},
    {Method::post, "/admin/v1/clients/{client_id}/secrets", "admin.clients", renew_secret, "client secret"},

    {Method::get, "/admin/v1/users", "admin.users:read", list_users, "user list"},
    {Method::post, "/admin/v1/users", "admin.users", create_user, "user add"},
    {Method::get, "/admin/v1/users/{sub}", "admin.users:read", show_user, "user show"},
    {Method::patch, "/admin/v1/users/{sub}", "admin.users", update_user, "user update"},
    {Method::delete_, "/admin/v1/users/{sub}", "admin.users", delete_user, "user remove"},
    {Method::post, "/admin/v1/users/{sub}/disable", "admin.users", disable_user, "user disable"},
    {Method::post, "/admin/v1/users/{sub}/enable", "admin.users", enable_user, "user enable"},
    {Method::put, "/admin/v1/users/{sub}/password", "admin.users", set_password, "user password"},

    {Method::get, "/admin/v1/sessions", "admin.sessions:read", list_sessions, "session list"},
    {Method::delete_, "/admin/v1/sessions/{sid}", "admin.sessions", end_session, "session end"},

    {Method::get, "/admin/v1/grants", "admin.grants:read", list_grants, "grant list"},
    {Method::delete_, "/admin/v1/grants", "admin.grants", revoke_consent, "grant forget"},
    {Method::delete_, "/admin/v1/grants/{grant}", "admin.grants", revoke_grant, "grant revoke"},

    {Method::get, "/admin/v1/tokens", "admin.tokens:read", list_tokens, "token list"},
    {Method::delete_, "/admin/v1/tokens/{jti}", "admin.tokens", revoke_token, "token revoke"},

    {Method::get, "/admin/v1/keys", "admin.keys:read", list_keys, "keys list"},
    {Method::post, "/admin/v1/keys/rotate", "admin.keys", rotate_keys, "keys rotate"},

    {Method::get, "/admin/v1/events", "admin.events:read", list_events, "audit list"},
    {Method::post, "/admin/v1/events", "admin.events", log_event, ""},
};

Task<web::Response> serve(ServicePtr service, const Call* call, web::Request http) {
  auto caller = co_await caller_of(service, http, call->scope);
  if (!caller) co_return std::move(caller.error());
  auto response = co_await call->function(std::move(service), *std::move(caller), std::move(http));
  co_return response;
}

}  // namespace

std::span<const Call> calls() noexcept { return table; }

void routes(web::Router& router, ServicePtr service) {
  for (const Call& call : table) {
    router.add(call.method, std::string{call.path},
               [service, which = &call](web::Request http) { return serve(service, which, std::move(http)); });
  }
}

}  // namespace troupe::oauth::admin
