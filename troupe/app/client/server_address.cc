// A URL by wire/url, and getaddrinfo behind a value.
#include "troupe/app/client/server_address.h"

#include <fmt/format.h>
#include <netdb.h>

#include <cstring>

#include "troupe/base/handle.h"
#include "troupe/net/socket_address.h"
#include "troupe/wire/url.h"

namespace troupe::app {
namespace {

using Found = base::Handle<addrinfo, ::freeaddrinfo>;

}  // namespace

std::expected<ServerAddress, std::string> parse_server_address(std::string_view text) {
  std::string whole{text};
  if (!text.contains("://")) whole = "ws://" + whole;
  const auto url = wire::parse_url(whole);
  if (!url) return std::unexpected(fmt::format("\"{}\" is no address of a server ({})", text, wire::text(url.error())));
  const bool secure = url->scheme == "wss" || url->scheme == "https";
  if (!secure && url->scheme != "ws" && url->scheme != "http")
    return std::unexpected(fmt::format("\"{}\": wants ws://, wss://, http:// or https://", text));
  if (url->userinfo || url->fragment)
    return std::unexpected(fmt::format("\"{}\": a user or a fragment has no place in it", text));
  ServerAddress address{.port = *url->effective_port(), .secure = secure};
  if (address.port == 0) return std::unexpected(fmt::format("\"{}\": port 0 is none", text));
  address.host = url->host;
  if (address.host.starts_with('[')) address.host = address.host.substr(1, address.host.size() - 2);
  address.authority = url->port ? fmt::format("{}:{}", url->host, *url->port) : url->host;
  address.target = url->path.empty() || url->path == "/" ? "/ws" : url->path;
  if (url->query) address.target += "?" + *url->query;
  return address;
}

std::expected<std::vector<net::Endpoint>, std::string> resolve(const ServerAddress& address) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  const int failed = ::getaddrinfo(address.host.c_str(), nullptr, &hints, &list);
  if (failed != 0)
    return std::unexpected(fmt::format("the name {} has no address: {}", address.host, ::gai_strerror(failed)));
  const Found found{list};
  std::vector<net::Endpoint> endpoints;
  for (const addrinfo* each = found.get(); each != nullptr; each = each->ai_next) {
    if (each->ai_family != AF_INET && each->ai_family != AF_INET6) continue;
    net::SocketAddress socket;
    std::memcpy(socket.get(), each->ai_addr, each->ai_addrlen);
    endpoints.push_back({socket.endpoint().ip, address.port});
  }
  if (endpoints.empty()) return std::unexpected(fmt::format("the name {} has no address", address.host));
  return endpoints;
}

}  // namespace troupe::app
