// See early_refusal.h.
#include "troupe/oauth/endpoint/early_refusal.h"

#include <algorithm>
#include <array>

#include "troupe/oauth/endpoint/answer.h"
#include "troupe/oauth/endpoint/page.h"
#include "troupe/oauth/endpoint/texts.h"

namespace troupe::oauth {
namespace {

/// Where a browser shows what comes.
bool is_for_people(std::string_view path) {
  constexpr std::array<std::string_view, 4> pages = {"/login", "/consent", "/oauth/authorize", "/oauth/logout"};
  return std::ranges::find(pages, path) != pages.end() || path == "/account" || path.starts_with("/account/");
}

web::Response told(const OauthError& error, const web::Request& http) {
  return is_for_people(http.path) ? error_page(error, language_for(http)) : refuse(error);
}

}  // namespace

std::optional<web::Response> too_many_requests(const web::Request& http) {
  if (!is_for_people(http.path) && !http.path.starts_with("/oauth/")) return std::nullopt;
  return told(errors::too_many_requests, http);
}

web::Response too_large_body(const web::Request& http) { return told(errors::too_large, http); }

}  // namespace troupe::oauth
