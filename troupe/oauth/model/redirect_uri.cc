// See redirect_uri.h.
#include "troupe/oauth/model/redirect_uri.h"

#include <algorithm>

#include "troupe/wire/ascii.h"
#include "troupe/wire/form.h"
#include "troupe/wire/url.h"

namespace troupe::oauth {
namespace {

constexpr std::string_view loopback_origins[] = {"http://127.0.0.1", "http://[::1]"};

bool is_loopback_host(std::string_view host) { return host == "127.0.0.1" || host == "[::1]" || host == "localhost"; }

/// `rest` without a leading ":port" of one to five digits.
std::string_view after_port(std::string_view rest) {
  if (!rest.starts_with(':')) return rest;
  std::size_t end = 1;
  while (end < rest.size() && wire::is_digit(rest[end])) ++end;
  bool is_port = end > 1 && end <= 6;
  return is_port ? rest.substr(end) : rest;
}

/// What follows host and port of an http URI on a loopback address; an empty view with no data for others.
std::string_view loopback_rest(std::string_view uri, std::string_view origin) {
  if (!uri.starts_with(origin)) return {};
  std::string_view rest = after_port(uri.substr(origin.size()));
  bool ends_authority = rest.empty() || rest.front() == '/' || rest.front() == '?';
  return ends_authority ? rest : std::string_view{};
}

}  // namespace

bool may_be_registered(std::string_view uri) {
  if (uri.size() > redirect_uri_bytes_max) return false;
  auto url = wire::parse_url(uri);
  if (!url || url->fragment || url->userinfo) return false;
  if (url->scheme == "https") return true;
  if (url->scheme == "http") return is_loopback_host(url->host);
  return url->scheme.contains('.');  // com.example.app:/callback; never javascript:, data:, file:
}

bool says_an_answer(std::string_view uri) {
  const auto url = wire::parse_url(uri);
  if (!url || !url->query) return false;
  const auto said = wire::parse_form(*url->query);
  if (!said) return true;
  constexpr std::string_view ours[] = {"code", "state", "iss", "error", "error_description", "error_uri"};
  return std::ranges::any_of(ours, [&](std::string_view name) { return said->get(name).has_value(); });
}

bool matches_redirect_uri(std::string_view registered, std::string_view requested) {
  if (registered == requested) return true;
  if (!may_be_registered(requested)) return false;
  return std::ranges::any_of(loopback_origins, [&](std::string_view origin) {
    std::string_view expected = loopback_rest(registered, origin);
    std::string_view actual = loopback_rest(requested, origin);
    return expected.data() != nullptr && actual.data() != nullptr && expected == actual;
  });
}

bool is_registered(std::span<const std::string> registered, std::string_view requested) {
  return std::ranges::any_of(registered, [&](const auto& uri) { return matches_redirect_uri(uri, requested); });
}

}  // namespace troupe::oauth
