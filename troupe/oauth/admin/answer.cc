// See answer.h.
#include "troupe/oauth/admin/answer.h"

#include "troupe/oauth/endpoint/answer.h"

namespace troupe::oauth::admin {

web::Response problem_of(const OauthError& error, std::string_view detail) {
  auto response = never_cached(web::problem(error.status, detail.empty() ? error.description : detail, error.code));
  if (error.retry_after.count() > 0) response.headers.set("Retry-After", std::to_string(error.retry_after.count()));
  return response;
}

web::Response answer(int status, std::string json) { return never_cached(web::json_response(status, std::move(json))); }

web::Response not_changed(std::string etag) {
  auto response = never_cached({.status = 304});
  response.headers.set("ETag", std::move(etag));
  return response;
}

web::Response no_content() { return never_cached({.status = 204}); }

web::Response problem_of_failure(const actor::Failure<OauthError>& failure) {
  return problem_of(failure.domain.value_or(errors::temporarily_unavailable));
}

}  // namespace troupe::oauth::admin
