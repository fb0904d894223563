// The calls of the administration API: one function a call, and the table of all of them.
//
// Each function is a coroutine that runs when it is known who asks and that they may
// (caller.h), in the actor of the connection. What it changes is changed by the owner of the
// record, in one transaction with the event that says who was the cause.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "troupe/oauth/admin/caller.h"
#include "troupe/oauth/admin/service.h"
#include "troupe/web/message.h"
#include "troupe/web/router.h"

namespace troupe::oauth::admin {

Task<web::Response> list_clients(ServicePtr service, Caller caller, web::Request http);
Task<web::Response> create_client(ServicePtr service, Caller caller, web::Request http);
Task<web::Response> show_client(ServicePtr service, Caller caller, web::Request http);
Task<web::Response> update_client(ServicePtr service, Caller caller, web::Request http);
Task<web::Response> delete_client(ServicePtr service, Caller caller, web::Request http);
Task<web::Response> renew_secret(ServicePtr service, Caller caller, web::Request http);

Task<web::Response> list_users(ServicePtr service, Caller caller, web::Request http);
Task<web::Response> create_user(ServicePtr service, Caller caller, web::Request http);
Task<web::Response> show_user(ServicePtr service, Caller caller, web::Request http);
Task<web::Response> disable_user(ServicePtr service, Caller caller, web::Request http);
Task<web::Response> enable_user(ServicePtr service, Caller caller, web::Request http);
Task<web::Response> set_password(ServicePtr service, Caller caller, web::Request http);
Task<web::Response> update_user(ServicePtr service, Caller caller, web::Request http);
Task<web::Response> delete_user(ServicePtr service, Caller caller, web::Request http);

Task<web::Response> list_sessions(ServicePtr service, Caller caller, web::Request http);
Task<web::Response> end_session(ServicePtr service, Caller caller, web::Request http);

Task<web::Response> list_grants(ServicePtr service, Caller caller, web::Request http);
Task<web::Response> revoke_grant(ServicePtr service, Caller caller, web::Request http);
Task<web::Response> revoke_consent(ServicePtr service, Caller caller, web::Request http);

Task<web::Response> list_tokens(ServicePtr service, Caller caller, web::Request http);
Task<web::Response> revoke_token(ServicePtr service, Caller caller, web::Request http);

Task<web::Response> list_keys(ServicePtr service, Caller caller, web::Request http);
Task<web::Response> rotate_keys(ServicePtr service, Caller caller, web::Request http);

Task<web::Response> list_events(ServicePtr service, Caller caller, web::Request http);
Task<web::Response> log_event(ServicePtr service, Caller caller, web::Request http);

/// Where a call has its words. It reads all that is there; in the other places there must be nothing.
enum class Takes : std::uint8_t { path, query, body };

struct Call {
  web::Method method;
  std::string_view path;   // as the router has it
  std::string_view scope;  // what the token needs
  Takes takes;
  Task<web::Response> (*function)(ServicePtr, Caller, web::Request);
  std::string_view command;  // of the command line, that does the same: "client add"
};

/// All of them.
std::span<const Call> calls() noexcept;

/// Adds them to the router of one core.
void routes(web::Router& router, ServicePtr service);

}  // namespace troupe::oauth::admin
