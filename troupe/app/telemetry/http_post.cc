// See http_post.h.
#include "troupe/app/telemetry/http_post.h"

#include <fmt/format.h>

#include "troupe/web/fetch.h"

namespace troupe::app {

std::string post_json(const std::string& url, const std::string& body, std::chrono::milliseconds within,
                      const std::vector<std::string>& headers) {
  const auto answer =
      web::fetch_and_wait({.url = url, .content_type = "application/json", .body = body, .headers = headers},
                          {.reach = web::FetchRules::Reach::anywhere, .within = within});
  if (!answer) return std::string{web::text(answer.error())};
  return answer->status >= 200 && answer->status < 300 ? std::string{} : fmt::format("answered {}", answer->status);
}

}  // namespace troupe::app
