// See answer.h.
#include "troupe/oauth/endpoint/answer.h"

#include <fmt/format.h>
#include "troupe/base/check.h"
#include "troupe/oauth/endpoint/form_post.h"
#include "troupe/wire/json.h"

namespace troupe::oauth {
namespace {

constexpr std::string_view realm = "troupe";

void add_retry_after(web::Response& response, const OauthError& error) {
  if (error.retry_after.count() > 0) response.headers.add("Retry-After", std::to_string(error.retry_after.count()));
}

std::string json_of(const OauthError& error) {
  std::string json;
  wire::JsonWriter{json}
      .begin_object()
      .member("error", error.code)
      .member("error_description", error.description)
      .end_object();
  return json;
}

}  // namespace

web::Response never_cached(web::Response response) {
  response.headers.set("Cache-Control", "no-store");
  response.headers.set("Pragma", "no-cache");
  return response;
}

web::Response answer_json(std::string json) { return never_cached(web::json_response(200, std::move(json))); }

web::Response refuse(const OauthError& error) {
  auto response = never_cached(web::json_response(error.status, json_of(error)));
  // However the client tried: a 401 without a challenge is none (RFC 9110, section 15.5.2).
  if (error.status == 401)
    response.headers.add("WWW-Authenticate", fmt::format("Basic realm=\"{}\", charset=\"UTF-8\"", realm));
  add_retry_after(response, error);
  return response;
}

web::Response refuse_bearer(std::optional<OauthError> error, std::string_view scope) {
  if (!error) {
    auto response = never_cached({.status = 401});
    response.headers.add("WWW-Authenticate", fmt::format("Bearer realm=\"{}\"", realm));
    return response;
  }
  auto response = never_cached(web::json_response(error->status, json_of(*error)));
  if (error->status < 500) {
    auto challenge = fmt::format("Bearer realm=\"{}\", error=\"{}\", error_description=\"{}\"", realm, error->code,
                                 error->description);
    if (!scope.empty()) challenge += fmt::format(", scope=\"{}\"", scope);
    response.headers.add("WWW-Authenticate", std::move(challenge));
  }
  add_retry_after(response, *error);
  return response;
}

web::Response redirect_back(const std::string& redirect_uri, ResponseWay way, wire::Form parameters,
                            const std::string& issuer) {
  parameters.add("iss", issuer);
  if (way.mode == ResponseMode::form_post) return form_post_page(way.language, redirect_uri, parameters);
  return never_cached(web::redirect(303, wire::add_query(redirect_uri, parameters)));
}

web::Response redirect_back(const AuthRefusal& refusal, const std::string& issuer) {
  INVARIANT(!refusal.stays_here(), "a refusal that stays here is shown to the user alone");
  wire::Form parameters{{"error", std::string{refusal.error.code}},
                        {"error_description", std::string{refusal.error.description}}};
  if (!refusal.state.empty()) parameters.add("state", refusal.state);
  return redirect_back(refusal.redirect_uri, refusal.way, std::move(parameters), issuer);
}

}  // namespace troupe::oauth
