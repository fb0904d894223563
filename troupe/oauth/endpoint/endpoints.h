// The endpoints of the authorization server: one function a route, one file a function.
//
// Each is a coroutine that takes what it works with by value, and runs in the actor of the
// connection that the request came on. None throws for what a request may contain.
#pragma once

#include "troupe/actor/actor.h"
#include "troupe/oauth/endpoint/service.h"
#include "troupe/web/message.h"

namespace troupe::oauth {

/// GET /.well-known/openid-configuration and /.well-known/oauth-authorization-server (RFC 8414).
Task<web::Response> discovery(ServicePtr service, web::Request http);

/// GET /oauth/jwks: the public keys (RFC 7517).
Task<web::Response> jwks(ServicePtr service, web::Request http);

/// GET or POST /oauth/authorize (RFC 6749, section 3.1; OpenID Connect Core, section 3.1.2).
Task<web::Response> authorize(ServicePtr service, web::Request http);

/// GET and POST /login, GET and POST /consent: the pages between the request and the code.
Task<web::Response> show_login(ServicePtr service, web::Request http);
Task<web::Response> log_in(ServicePtr service, web::Request http);
Task<web::Response> show_consent(ServicePtr service, web::Request http);
Task<web::Response> give_consent(ServicePtr service, web::Request http);

/// POST /oauth/token (RFC 6749, section 3.2).
Task<web::Response> token(ServicePtr service, web::Request http);

/// POST /oauth/introspect (RFC 7662), for confidential clients and bearers of the scope `introspect`.
Task<web::Response> introspect(ServicePtr service, web::Request http);

/// POST /oauth/introspect/batch, an extension: `{"tokens": [...]}`, 1 to 256 of them, gives `{"results": [...]}`, each
/// what introspection answers.
Task<web::Response> introspect_batch(ServicePtr service, web::Request http);
inline constexpr std::size_t introspect_batch_bytes_max = 1024 * 1024;

/// POST /oauth/revoke (RFC 7009).
Task<web::Response> revoke(ServicePtr service, web::Request http);

/// GET or POST /oauth/userinfo (OpenID Connect Core, section 5.3).
Task<web::Response> userinfo(ServicePtr service, web::Request http);

/// POST /oauth/register (RFC 7591); GET, PUT and DELETE of what lies below it, by the client itself (RFC 7592).
Task<web::Response> register_client(ServicePtr service, web::Request http);
Task<web::Response> show_registration(ServicePtr service, web::Request http);
Task<web::Response> update_registration(ServicePtr service, web::Request http);
Task<web::Response> delete_registration(ServicePtr service, web::Request http);
inline constexpr std::string_view registrations_path = "/oauth/register/";

/// GET or POST /oauth/logout (OpenID Connect RP-Initiated Logout 1.0).
Task<web::Response> show_logout(ServicePtr service, web::Request http);
Task<web::Response> log_out(ServicePtr service, web::Request http);

/// GET /account: what a person may see and change of their own; POST to the pages below it changes that.
Task<web::Response> show_account(ServicePtr service, web::Request http);
Task<web::Response> change_password(ServicePtr service, web::Request http);
Task<web::Response> end_sessions(ServicePtr service, web::Request http);
Task<web::Response> revoke_application(ServicePtr service, web::Request http);

/// GET /oauth/pages.css, and the logo that it names.
Task<web::Response> pages_style(ServicePtr service, web::Request http);
Task<web::Response> pages_logo(ServicePtr service, web::Request http);

}  // namespace troupe::oauth
