// See target.h.
#include "troupe/attack/target.h"

#include <fmt/format.h>

#include <algorithm>

#include "troupe/attack/address.h"

namespace troupe::attack {
namespace {

/// Where the document of this issuer stands: OpenID Connect appends, RFC 8414 puts it between host and path.
std::vector<std::string> places_of(std::string issuer) {
  while (issuer.ends_with('/')) issuer.pop_back();
  const std::string origin = origin_of(issuer);
  const std::string path = issuer.substr(std::min(issuer.size(), origin.size()));
  return {issuer + "/.well-known/openid-configuration", origin + "/.well-known/oauth-authorization-server" + path};
}

}  // namespace

std::string Target::endpoint(std::string_view name) const {
  const std::string* url = discovery.string_at(name);
  return url ? *url : std::string{};
}

bool Target::lists(std::string_view name, std::string_view value) const {
  const wire::Json* list = discovery.find(name);
  if (list == nullptr || list->array() == nullptr) return false;
  return std::ranges::any_of(*list->array(),
                             [value](const wire::Json& one) { return one.string() && *one.string() == value; });
}

std::expected<Target, std::string> find_target(Transport& transport, TargetOptions options) {
  if (origin_of(options.url).empty())
    return std::unexpected(
        fmt::format("\"{}\": wants the URL of a server, such as https://auth.example.org", options.url));
  std::string why;
  for (const std::string& place : places_of(options.url)) {
    const Answer answer = transport.send({.url = place});
    const auto document = wire::parse_json(answer.body);
    if (answer.status != 200 || !document || document->object() == nullptr) {
      why = fmt::format("{} is no discovery document: {}", place,
                        answer.status == 0 ? answer.failure : fmt::format("answered {}", answer.status));
      continue;
    }
    const std::string* issuer = document->string_at("issuer");
    if (issuer == nullptr || !document->string_at("token_endpoint"))
      return std::unexpected(fmt::format("{} names no issuer or no token_endpoint", place));
    return Target{std::move(options), *issuer, *document};
  }
  return std::unexpected(why);
}

}  // namespace troupe::attack
