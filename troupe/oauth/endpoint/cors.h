// CORS: which pages may call the endpoints that clients in browsers need (Fetch standard, section 3.2).
//
// The pages of public clients: those whose origin is the origin of one of their redirect URIs. Nobody's cookies are
// let through, for these endpoints know a client by what it says. Any other page gets an answer without a permission,
// which its browser keeps from it. Only refusals that come before an endpoint (429, 413, 503) are for all pages: they
// say nothing of anybody, and to ask whose page it is would cost more than the refusal (web/router.h).
#pragma once

#include <string_view>

#include "troupe/oauth/endpoint/service.h"
#include "troupe/web/message.h"

namespace troupe::oauth {

/// The same answer, with leave to be read for the page that asked, if it is one of a public client.
Task<web::Response> with_cors(ServicePtr service, std::string origin, web::Response response);

/// Answers the question whether a page may send a request with one of these methods ("GET, POST").
Task<web::Response> preflight(ServicePtr service, web::Request http, std::string_view methods);

}  // namespace troupe::oauth
