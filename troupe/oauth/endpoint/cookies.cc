// See cookies.h.
#include "troupe/oauth/endpoint/cookies.h"

#include <fmt/format.h>
#include "troupe/wire/cookie.h"

namespace troupe::oauth {
namespace {

constexpr std::string_view session_name = "troupe_session";
constexpr std::string_view browser_name = "troupe_browser";
constexpr std::string_view device_name = "troupe_device";
constexpr std::size_t value_bytes_max = 128;  // ours are shorter

std::string full_name(std::string_view name, bool is_secure) {
  return fmt::format("{}{}", is_secure ? "__Host-" : "", name);
}

template <class Token>
std::optional<Token> read(const web::Request& request, std::string_view name, bool is_secure) {
  auto value = wire::find_cookie(request.header("cookie"), full_name(name, is_secure));
  if (!value || value->empty() || value->size() > value_bytes_max) return std::nullopt;
  return Token{std::string{*value}};
}

}  // namespace

Cookies::Cookies(const OauthOptions& options)
    : is_secure_(options.issuer.starts_with("https://")), known_device_(options.known_device) {}

std::optional<SessionToken> Cookies::session(const web::Request& request) const {
  return read<SessionToken>(request, session_name, is_secure_);
}

std::optional<BrowserToken> Cookies::browser(const web::Request& request) const {
  return read<BrowserToken>(request, browser_name, is_secure_);
}

std::optional<DeviceToken> Cookies::device(const web::Request& request) const {
  return read<DeviceToken>(request, device_name, is_secure_);
}

void Cookies::set_session(web::Response& response, const SessionToken& token) const {
  set(response, session_name, token.expose(), std::nullopt);
}

void Cookies::set_browser(web::Response& response, const BrowserToken& token) const {
  set(response, browser_name, token.expose(), std::nullopt);
}

void Cookies::set_device(web::Response& response, const std::optional<DeviceToken>& token) const {
  if (token) set(response, device_name, token->expose(), known_device_.count());
}

void Cookies::remove_session(web::Response& response) const { set(response, session_name, "", 0); }

void Cookies::set(web::Response& response, std::string_view name, std::string value,
                  std::optional<std::int64_t> max_age_seconds) const {
  web::set_cookie(response, {.name = full_name(name, is_secure_),
                             .value = std::move(value),
                             .max_age_seconds = max_age_seconds,
                             .secure = is_secure_});
}

bool is_same_origin(const web::Request& request) {
  std::string_view site = request.header("sec-fetch-site");
  return site.empty() || site == "same-origin";
}

}  // namespace troupe::oauth
