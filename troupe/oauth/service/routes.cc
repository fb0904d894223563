// See routes.h.
#include "troupe/oauth/service/routes.h"

#include "troupe/oauth/endpoint/endpoints.h"
#include "troupe/oauth/endpoint/html.h"
#include "troupe/wire/url.h"

namespace troupe::oauth {

void routes(web::Router& router, ServicePtr service) {
  using web::Method;
  using Endpoint = Task<web::Response> (*)(ServicePtr, web::Request);
  auto add = [&](Method method, std::string path, Endpoint endpoint, web::RouteOptions options = {}) {
    router.add(
        method, std::move(path), [service, endpoint](web::Request http) { return endpoint(service, std::move(http)); },
        options);
  };
  // A GET that makes a code or signs out; who asks for the head of the answer alone wants neither.
  constexpr web::RouteOptions is_deed{.head = web::HeadRequests::refused};

  // An issuer with a path has its document before the path in one standard and after it in the other.
  auto issuer = wire::parse_url(service->options.issuer);
  std::string path = issuer && issuer->path != "/" ? issuer->path : "";
  add(Method::get, path + "/.well-known/openid-configuration", discovery);
  add(Method::get, "/.well-known/oauth-authorization-server" + path, discovery);

  add(Method::get, "/oauth/jwks", jwks);
  add(Method::get, "/oauth/authorize", authorize, is_deed);
  add(Method::post, "/oauth/authorize", authorize);
  add(Method::get, "/login", show_login);
  add(Method::post, "/login", log_in);
  add(Method::get, "/consent", show_consent);
  add(Method::post, "/consent", give_consent);
  add(Method::post, "/oauth/token", token);
  add(Method::post, "/oauth/introspect", introspect);
  add(Method::post, "/oauth/revoke", revoke);
  add(Method::get, "/oauth/userinfo", userinfo);
  add(Method::post, "/oauth/userinfo", userinfo);
  add(Method::get, "/oauth/logout", show_logout, is_deed);
  add(Method::post, "/oauth/logout", log_out);
  add(Method::get, "/account", show_account);
  add(Method::post, "/account/password", change_password);
  add(Method::post, "/account/sessions", end_sessions);
  add(Method::post, "/account/applications", revoke_application);
  add(Method::get, std::string{stylesheet_path}, pages_style);
}

}  // namespace troupe::oauth
