// The way in: whose token, which scope, how often.
#include "troupe/realtime/api/caller.h"

#include <fmt/format.h>

#include "troupe/realtime/api/answers.h"
#include "troupe/web/bearer.h"

namespace troupe::realtime::api {

namespace {

// RFC 6750, 3.1.
web::Response scope_needed(std::string_view scope) {
  auto response = web::problem(403, fmt::format("the token lacks the scope `{}`", scope), text(ErrorCode::forbidden));
  response.headers.set("WWW-Authenticate", fmt::format("Bearer error=\"insufficient_scope\", scope=\"{}\"", scope));
  return response;
}

actor::Task<web::Response> serve(web::Request request, std::string_view scope, Handler handler, DoorPtr door) {
  auto shown = web::bearer_token(request);  // 1. who is it
  if (!shown) co_return unauthorized();
  if (!*shown) co_return token_needed();
  auto identity = co_await identify(std::string{**shown}, door);
  if (!identity) co_return std::move(identity.error());
  if (door->site->revoked.contains(identity->token)) co_return unauthorized();              // while it was verified
  if (!identity->has_scope(scope)) co_return scope_needed(scope);                           // 2. may they
  auto limited = over_rates(request.peer.ip, &identity->user, request.body.size(), *door);  // 3. how often
  if (limited) co_return problem_of(*limited);
  auto permissions = Permissions::from(identity->scopes, door->site->settings->grants_with_token());
  auto response = co_await handler(std::move(request), Caller{*std::move(identity), std::move(permissions)}, door);
  co_return response;
}

}  // namespace

void add_route(web::Router& router, web::Method method, std::string pattern, std::string_view scope, Handler handler,
               DoorPtr door, web::RouteOptions options) {
  router.add(
      method, std::move(pattern),
      [scope, handler, door](web::Request request) { return serve(std::move(request), scope, handler, door); },
      options);
}

}  // namespace troupe::realtime::api
