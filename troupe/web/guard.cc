// Guard: the walk along X-Forwarded-For, the buckets, the headers.
#include "troupe/web/guard.h"

#include <algorithm>
#include <array>
#include <span>

#include "troupe/wire/ascii.h"
#include "troupe/wire/base64.h"

namespace troupe::web {
namespace {

/// All elements of a list header in their order, over all its fields.
std::vector<std::string_view> elements(const Headers& headers, std::string_view name) {
  std::vector<std::string_view> list;
  for (const auto& field : headers) {
    if (!wire::equal_ignoring_case(field.name, name)) continue;
    std::string_view rest = field.value;
    while (true) {
      std::size_t comma = rest.find(',');
      list.push_back(wire::trim(rest.substr(0, comma)));
      if (comma == std::string_view::npos) break;
      rest.remove_prefix(comma + 1);
    }
  }
  return list;
}

/// Whether it may stand in headers, logs and the audit trail as it is: 1 to 64 of A-Z, a-z, 0-9, '-', '_' and '.'.
bool is_request_id(std::string_view id) {
  constexpr std::size_t bytes_max = 64;
  const auto is_good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.';
  };
  return !id.empty() && id.size() <= bytes_max && std::ranges::all_of(id, is_good);
}

void set_default(Response& response, std::string_view name, std::string_view value) {
  if (!response.headers.has(name)) response.headers.add(std::string{name}, std::string{value});
}

}  // namespace

Guard::Guard(GuardOptions options)
    : options_(std::move(options)), by_address_(options_.requests_by_address, options_.addresses_max) {}

bool Guard::is_trusted(const net::IpAddress& address) const noexcept {
  return net::contains_any(options_.trusted_proxies, address);
}

void Guard::identify(Request& request, base::Random& random) const {
  std::array<std::byte, 12> id;
  random.fill(id);
  id[0] &= std::byte{0x7f};  // it begins with a letter: a command line takes what begins with '-' for a flag
  request.request_id = wire::to_base64url(id);
  if (!is_trusted(request.peer.ip)) return;
  const std::string_view given = request.header("x-request-id");
  if (request.headers.count("x-request-id") == 1 && is_request_id(given)) request.request_id = given;

  // From the nearest hop outwards, as far as each one is trusted to name the next. What no proxy of ours wrote is
  // never reached, and what cannot be read ends the walk.
  auto hops = elements(request.headers, "x-forwarded-for");
  for (auto hop = hops.rbegin(); hop != hops.rend() && is_trusted(request.peer.ip); ++hop) {
    auto address = net::IpAddress::parse(*hop);
    if (!address) break;
    request.peer = {.ip = *address, .port = 0};
  }
  auto protocols = elements(request.headers, "x-forwarded-proto");
  if (!protocols.empty()) request.secure = wire::equal_ignoring_case(protocols.back(), "https");
}

std::optional<Response> Guard::refuse(const Request& request, base::Instant now) {
  auto wait = by_address_.take(net::counted_address(request.peer.ip), now);
  if (!wait) return std::nullopt;
  auto response = options_.too_many ? options_.too_many(request) : std::nullopt;
  if (!response) response = problem(429, "too many requests from this address");
  auto seconds = std::chrono::ceil<std::chrono::seconds>(*wait).count();
  response->headers.set("Retry-After", std::to_string(seconds));
  return response;
}

void add_security_headers(Response& response, bool secure) {
  set_default(response, "X-Content-Type-Options", "nosniff");
  set_default(response, "Referrer-Policy", "no-referrer");
  if (response.headers.get("content-type").value_or("").starts_with("text/html")) {
    set_default(response, "Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'");
    set_default(response, "X-Frame-Options", "DENY");
  }
  if (secure) set_default(response, "Strict-Transport-Security", "max-age=31536000");
}

}  // namespace troupe::web
