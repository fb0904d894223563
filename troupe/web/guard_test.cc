// Guard: whom it believes, whom it slows down, and what it adds to responses.
#include "troupe/web/guard.h"

#include <doctest/doctest.h>

#include <cctype>

namespace troupe::web {
namespace {

using namespace std::chrono_literals;

net::PeerAddress peer(std::string_view ip) { return {*net::IpAddress::parse(ip), 1234}; }

GuardOptions behind_proxies() {
  return {.trusted_proxies = {*net::Network::parse("10.0.0.0/8"), *net::Network::parse("::1")}};
}

TEST_CASE("forwarded headers count only from a trusted proxy, and only as far as trust reaches") {
  struct Row {
    std::string_view what, peer, forwarded_for, proto, seen_as;
    bool secure;
  };
  constexpr Row rows[] = {
      {"a stranger forges", "192.0.2.9", "203.0.113.5", "https", "192.0.2.9", false},
      {"one proxy", "10.0.0.1", "203.0.113.5", "https", "203.0.113.5", true},
      {"two proxies", "10.0.0.1", "203.0.113.5, 10.0.0.2", "https", "203.0.113.5", true},
      {"a client forges before the proxy", "10.0.0.1", "1.1.1.1, 203.0.113.5", "http", "203.0.113.5", false},
      {"a hop that cannot be read", "10.0.0.1", "203.0.113.5, unknown", "https", "10.0.0.1", true},
      {"no header", "10.0.0.1", "", "", "10.0.0.1", false},
      {"a client forges the protocol", "10.0.0.1", "203.0.113.5", "https, http", "203.0.113.5", false},
      {"a proxy by IPv6", "::1", "2001:db8::7", "HTTPS", "2001:db8::7", true},
  };
  Guard guard{behind_proxies()};
  base::SeededRandom random{1};
  for (const Row& row : rows) {
    CAPTURE(row.what);
    Request request{.peer = peer(row.peer)};
    if (!row.forwarded_for.empty()) request.headers.add("X-Forwarded-For", std::string{row.forwarded_for});
    if (!row.proto.empty()) request.headers.add("X-Forwarded-Proto", std::string{row.proto});
    guard.identify(request, random);
    CHECK_EQ(request.peer.ip.text(), row.seen_as);
    CHECK_EQ(request.secure, row.secure);
    CHECK_EQ(request.request_id.size(), 16);
  }
}

TEST_CASE("an id of ours begins with a letter, so that a command line takes it for no flag") {
  Guard guard{behind_proxies()};
  base::SeededRandom random{2};
  for (int i = 0; i < 1000; ++i) {
    Request request{.peer = peer("192.0.2.9")};
    guard.identify(request, random);
    CHECK(std::isalpha(static_cast<unsigned char>(request.request_id.front())));
  }
}

TEST_CASE("the id of a request is a trusted proxy's where it sends a plain one, and else our own") {
  struct Row {
    std::string_view what, peer;
    std::vector<std::string> sent;
    bool is_taken;
  };
  const Row rows[] = {
      {"a proxy's", "10.0.0.1", {"Ab-9_x.1"}, true},
      {"of the greatest length", "10.0.0.1", {std::string(64, 'a')}, true},
      {"a stranger's", "192.0.2.9", {"Ab-9_x.1"}, false},
      {"too long", "10.0.0.1", {std::string(65, 'a')}, false},
      {"empty", "10.0.0.1", {""}, false},
      {"with a space", "10.0.0.1", {"a b"}, false},
      {"that would be markup", "10.0.0.1", {"<b>"}, false},
      {"twice", "10.0.0.1", {"a", "a"}, false},
  };
  Guard guard{behind_proxies()};
  base::SeededRandom random{1};
  for (const Row& row : rows) {
    CAPTURE(row.what);
    Request request{.peer = peer(row.peer)};
    for (const auto& id : row.sent) request.headers.add("X-Request-Id", id);
    guard.identify(request, random);
    CHECK_EQ(request.request_id == row.sent.front(), row.is_taken);
    CHECK_FALSE(request.request_id.empty());
  }
}

TEST_CASE("a request that came through TLS is secure, unless a trusted proxy says that its client's was not") {
  Guard guard{behind_proxies()};
  base::SeededRandom random{1};
  for (const auto& [from, proto, secure] : {std::tuple{"192.0.2.9", "http", true},
                                            {"10.0.0.1", "", true},
                                            {"10.0.0.1", "https", true},
                                            {"10.0.0.1", "http", false}}) {
    Request request{.peer = peer(from), .secure = true};
    if (*proto != '\0') request.headers.add("X-Forwarded-Proto", proto);
    guard.identify(request, random);
    CHECK_EQ(request.secure, secure);
  }
}

TEST_CASE("an address that asks too often is told when to come back; others are not touched") {
  Guard guard{{.requests_by_address = {.per_second = 1, .burst = 2}}};
  base::Instant now{};
  Request request{.peer = peer("2001:db8::1")};
  Request neighbour{.peer = peer("2001:db8::2")};
  Request other{.peer = peer("2001:db8:0:1::1")};
  CHECK_FALSE(guard.refuse(request, now).has_value());
  CHECK_FALSE(guard.refuse(neighbour, now).has_value());
  auto refused = guard.refuse(request, now);
  REQUIRE(refused.has_value());
  CHECK_EQ(refused->status, 429);
  CHECK_EQ(refused->headers.get("retry-after"), "1");
  CHECK_FALSE(guard.refuse(other, now).has_value());
  CHECK_FALSE(guard.refuse(request, now + 1s).has_value());
}

TEST_CASE("who asks too often is told so in the manner of the path, where it has one") {
  const auto in_words = [](const Request& request) -> std::optional<Response> {
    if (request.path != "/page") return std::nullopt;
    return html_response(429, "<p>");
  };
  Guard guard{{.requests_by_address = {.per_second = 1, .burst = 1}, .too_many = in_words}};
  CHECK_FALSE(guard.refuse({.peer = peer("2001:db8::1")}, {}).has_value());
  for (const auto& [path, type] :
       {std::pair{"/page", "text/html; charset=utf-8"}, {"/other", "application/problem+json"}}) {
    const auto refused = guard.refuse({.path = path, .peer = peer("2001:db8::1")}, {});
    REQUIRE(refused.has_value());
    CHECK_EQ(refused->status, 429);
    CHECK_EQ(refused->headers.get("content-type"), type);
    CHECK_EQ(refused->headers.get("retry-after"), "1");
  }
}

TEST_CASE("responses get the headers that their handler has not set") {
  auto page = html_response(200, "<p>");
  page.headers.set("X-Frame-Options", "SAMEORIGIN");
  add_security_headers(page, true);
  CHECK_EQ(page.headers.get("x-content-type-options"), "nosniff");
  CHECK_EQ(page.headers.get("x-frame-options"), "SAMEORIGIN");
  CHECK(page.headers.get("content-security-policy")->contains("frame-ancestors 'none'"));
  CHECK(page.headers.has("strict-transport-security"));

  auto json = json_response(200, "{}");
  add_security_headers(json, false);
  CHECK_FALSE(json.headers.has("content-security-policy"));
  CHECK_FALSE(json.headers.has("strict-transport-security"));
}

}  // namespace
}  // namespace troupe::web
