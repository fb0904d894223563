// See http_post.h.
#include "troupe/app/telemetry/http_post.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include "troupe/base/handle.h"

namespace troupe::app {
namespace {

using CurlHandle = base::Handle<CURL, curl_easy_cleanup>;
using CurlList = base::Handle<curl_slist, curl_slist_free_all>;

std::size_t discard(char*, std::size_t size, std::size_t count, void*) { return size * count; }

}  // namespace

std::string post_json(const std::string& url, const std::string& body, std::chrono::milliseconds within,
                      const std::vector<std::string>& more) {
  const CurlHandle curl{curl_easy_init()};
  if (!curl) return "libcurl cannot begin";
  const CurlList headers{curl_slist_append(nullptr, "Content-Type: application/json")};
  for (const std::string& header : more) curl_slist_append(headers.get(), header.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl.get(), CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(curl.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT_MS, static_cast<long>(within.count()));
  curl_easy_setopt(curl.get(), CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDS, body.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, discard);
  const CURLcode result = curl_easy_perform(curl.get());
  if (result != CURLE_OK) return curl_easy_strerror(result);
  long status = 0;
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
  return status >= 200 && status < 300 ? std::string{} : fmt::format("answered {}", status);
}

}  // namespace troupe::app
