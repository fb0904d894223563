// See fetched_uri.h.
#include "troupe/oauth/model/fetched_uri.h"

#include <algorithm>

#include "troupe/net/public_address.h"
#include "troupe/wire/url.h"

namespace troupe::oauth {
namespace {

std::optional<net::IpAddress> address_in(const wire::Url& url) {
  std::string_view host = url.host;
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return net::IpAddress::parse(host);
}

}  // namespace

bool looks_fetchable(std::string_view uri) {
  if (uri.size() > fetched_uri_bytes_max) return false;
  const auto url = wire::parse_url(uri);
  if (!url || url->fragment || url->userinfo) return false;
  return url->scheme == "https" || (url->scheme == "http" && address_in(*url));
}

bool may_be_fetched(std::string_view uri, std::span<const net::Network> unsafe_allowed) {
  if (!looks_fetchable(uri)) return false;
  const auto url = wire::parse_url(uri);
  const auto address = address_in(*url);
  if (!address) return true;  // a name: nobody knows yet
  const auto holds_it = [&](const net::Network& each) { return each.contains(*address); };
  if (std::ranges::any_of(unsafe_allowed, holds_it)) return true;
  return url->scheme == "https" && net::is_public(*address);
}

std::vector<net::Network> networks_named(std::span<const std::string> names) {
  std::vector<net::Network> networks;
  for (const std::string& name : names)
    if (const auto network = net::Network::parse(name)) networks.push_back(*network);
  return networks;
}

}  // namespace troupe::oauth
