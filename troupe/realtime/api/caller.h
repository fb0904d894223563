// Caller: who asks the HTTP API for something, once it is known that they may; and the way in
// that all of its routes share.
#pragma once

#include <string>
#include <string_view>

#include "troupe/realtime/command/client.h"
#include "troupe/realtime/service/door.h"
#include "troupe/web/router.h"

namespace troupe::realtime::api {

/// Scopes of the API; the topics that a token may publish to are scopes of their own.
inline constexpr std::string_view publish_scope = "realtime:publish";
inline constexpr std::string_view read_scope = "realtime:read";
inline constexpr std::string_view admin_scope = "realtime:admin";

struct Caller {
  Identity identity;
  Permissions permissions;
};

using Handler = actor::Task<web::Response> (*)(web::Request, Caller, DoorPtr);

/// Adds a route for those whose token has `scope`, a constant. Its handler runs when token, scope and the rates that
/// the user and the address share with connections are in order; everybody else is answered 401, 403, 429 or 503.
void add_route(web::Router& router, web::Method method, std::string pattern, std::string_view scope, Handler handler,
               DoorPtr door, web::RouteOptions options = {});

}  // namespace troupe::realtime::api
