// See cors.h.
#include "troupe/oauth/endpoint/cors.h"

namespace troupe::oauth {
namespace {

constexpr std::size_t origin_bytes_max = 300;  // a host has 253

Task<bool> is_of_client(ServicePtr service, std::string origin) {
  if (origin.empty() || origin.size() > origin_bytes_max) co_return false;
  const auto known = co_await service->clients.ask(IsClientOrigin{std::move(origin)});
  co_return known && *known;  // where nobody can tell now the page may not
}

}  // namespace

Task<web::Response> with_cors(ServicePtr service, std::string origin, web::Response response) {
  response.headers.add("Vary", "Origin");
  const bool may_read = co_await is_of_client(service, origin);
  if (!may_read) co_return response;
  response.headers.set("Access-Control-Allow-Origin", std::move(origin));
  response.headers.set("Access-Control-Expose-Headers", "WWW-Authenticate, Retry-After, X-Request-Id");
  co_return response;
}

Task<web::Response> preflight(ServicePtr service, web::Request http, std::string_view methods) {
  std::string origin{http.header("origin")};
  auto response = co_await with_cors(service, std::move(origin), {.status = 204});
  response.headers.add("Allow", std::string{methods} + ", OPTIONS");
  if (!response.headers.has("access-control-allow-origin")) co_return response;
  response.headers.set("Access-Control-Allow-Methods", std::string{methods});
  response.headers.set("Access-Control-Allow-Headers", "Authorization, Content-Type");
  response.headers.set("Access-Control-Max-Age", "600");
  co_return response;
}

}  // namespace troupe::oauth
