// See routes.h.
#include "troupe/oauth/service/routes.h"

#include "troupe/oauth/endpoint/cors.h"
#include "troupe/oauth/endpoint/early_refusal.h"
#include "troupe/oauth/endpoint/endpoints.h"
#include "troupe/oauth/endpoint/html.h"
#include "troupe/wire/url.h"

namespace troupe::oauth {
namespace {

using Endpoint = Task<web::Response> (*)(ServicePtr, web::Request);

Task<web::Response> answer_page(ServicePtr service, Endpoint endpoint, web::Request http) {
  std::string origin{http.header("origin")};
  auto response = co_await endpoint(service, std::move(http));
  co_return co_await with_cors(service, std::move(origin), std::move(response));
}

}  // namespace

void routes(web::Router& router, ServicePtr service) {
  using web::Method;
  auto add = [&](Method method, std::string path, Endpoint endpoint, web::RouteOptions options = {}) {
    options.too_large = too_large_body;
    router.add(
        method, std::move(path), [service, endpoint](web::Request http) { return endpoint(service, std::move(http)); },
        options);
  };
  // For clients that are pages of another origin, too; `methods` as the header Allow has them.
  auto add_for_pages = [&](std::string path, Endpoint endpoint, std::string_view methods) {
    const auto handler = [service, endpoint](web::Request http) {
      return answer_page(service, endpoint, std::move(http));
    };
    constexpr web::RouteOptions options{.too_large = too_large_body, .refusal_readers = web::RefusalReaders::all};
    if (methods.contains("GET")) router.add(Method::get, path, handler, options);
    router.add(Method::post, path, handler, options);
    router.add(Method::options, path,
               [service, methods](web::Request http) { return preflight(service, std::move(http), methods); });
  };
  // A GET that makes a code or signs out; who asks for the head of the answer alone wants neither.
  constexpr web::RouteOptions is_deed{.head = web::HeadRequests::refused};

  // An issuer with a path has its document before the path in one standard and after it in the other.
  auto issuer = wire::parse_url(service->options.issuer);
  std::string path = issuer && issuer->path != "/" ? issuer->path : "";
  constexpr web::RouteOptions is_public{.refusal_readers = web::RefusalReaders::all};
  add(Method::get, path + "/.well-known/openid-configuration", discovery, is_public);
  add(Method::get, "/.well-known/oauth-authorization-server" + path, discovery, is_public);

  add(Method::get, "/oauth/jwks", jwks, is_public);
  add(Method::get, "/oauth/authorize", authorize, is_deed);
  add(Method::post, "/oauth/authorize", authorize);
  add(Method::get, "/login", show_login);
  add(Method::post, "/login", log_in);
  add(Method::get, "/consent", show_consent);
  add(Method::post, "/consent", give_consent);
  add_for_pages("/oauth/token", token, "POST");
  add(Method::post, "/oauth/introspect", introspect);
  add(Method::post, "/oauth/introspect/batch", introspect_batch, {.body_bytes_max = introspect_batch_bytes_max});
  add_for_pages("/oauth/revoke", revoke, "POST");
  add_for_pages("/oauth/userinfo", userinfo, "GET, HEAD, POST");
  add(Method::post, "/oauth/register", register_client);
  const std::string registrations = std::string{registrations_path} + '*';
  add(Method::get, registrations, show_registration);
  add(Method::put, registrations, update_registration);
  add(Method::delete_, registrations, delete_registration);
  add(Method::get, "/oauth/logout", show_logout, is_deed);
  add(Method::post, "/oauth/logout", log_out);
  add(Method::get, "/account", show_account);
  add(Method::post, "/account/password", change_password);
  add(Method::post, "/account/sessions", end_sessions);
  add(Method::post, "/account/applications", revoke_application);
  add(Method::get, std::string{stylesheet_path}, pages_style);
  add(Method::get, std::string{logos_path} + '*', pages_logo);
}

}  // namespace troupe::oauth
