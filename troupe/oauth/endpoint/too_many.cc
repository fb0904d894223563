// See too_many.h.
#include "troupe/oauth/endpoint/too_many.h"

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

}  // namespace

std::optional<web::Response> too_many_requests(const web::Request& http) {
  if (is_for_people(http.path)) return error_page(errors::too_many_requests, language_for(http));
  if (http.path.starts_with("/oauth/")) return refuse(errors::too_many_requests);
  return std::nullopt;
}

}  // namespace troupe::oauth
