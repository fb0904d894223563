// Rows about HTTP itself: T73 and T74.
#include <fmt/format.h>

#include "troupe/attack/rows/rows.h"
#include "troupe/attack/trial.h"
#include "troupe/wire/ascii.h"

namespace troupe::attack {
namespace {

std::string discovery_url(Trial& trial) {
  std::string issuer = trial.target().issuer;
  while (issuer.ends_with('/')) issuer.pop_back();
  const std::string open_id = issuer + "/.well-known/openid-configuration";
  const std::string origin = origin_of(issuer);
  return trial.send({.url = open_id}).answer.status == 200
             ? open_id
             : origin + "/.well-known/oauth-authorization-server" + issuer.substr(origin.size());
}

int answers_in(const std::string& raw) {
  int count = 0;
  for (auto at = raw.find("HTTP/1.1 "); at != std::string::npos; at = raw.find("HTTP/1.1 ", at + 1)) ++count;
  return count;
}

void smuggled(Trial& trial) {
  const std::string url = trial.endpoint("token_endpoint"), origin = origin_of(url);
  const std::string host = origin.substr(origin.find("://") + 3), path = url.substr(origin.size());
  const std::string hidden = fmt::format("GET /smuggled HTTP/1.1\r\nHost: {}\r\n\r\n", host);
  const std::string head =
      fmt::format("POST {} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/x-www-form-urlencoded\r\n", path, host);
  const std::string both[] = {
      head + fmt::format("Content-Length: {}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 5 + hidden.size()) +
          hidden,
      head + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" + hidden,
      head + "Transfer-Encoding: xchunked\r\nContent-Length: 0\r\n\r\n" + hidden,
      head + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n" + hidden,
      head + "Content-Length: 0\r\nContent-Length: 5\r\n\r\n" + hidden,
      head + "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + hidden,
      head + " Content-Length: 5\r\n\r\n" + hidden,
  };
  for (const std::string& bytes : both) {
    const std::string raw = trial.transport().send_raw(origin, bytes);
    trial.expect(answers_in(raw) <= 1,
                 fmt::format("a request hidden in another was answered: {:.60}", bytes.substr(head.size())));
    const bool is_refused = raw.empty() || raw.starts_with("HTTP/1.1 4") || raw.starts_with("HTTP/1.1 501");
    trial.expect(is_refused, fmt::format("lengths that contradict each other were taken: {:.30}", raw));
  }
  const std::string upgrade = fmt::format(
      "GET {} HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
      "HTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n",
      path, host);
  trial.expect(!trial.transport().send_raw(origin, upgrade).starts_with("HTTP/1.1 101"), "an upgrade to h2c was taken");
}

void odd_requests(Trial& trial) {
  const std::string token = trial.endpoint("token_endpoint");
  for (const char* method : {"PUT", "DELETE", "TRACE", "PATCH", "HEAD", "BREW"}) {
    const auto seen = trial.send({method, token, {}, ""});
    trial.expect_status(seen, {400, 404, 405, 501}, fmt::format("{} at the token endpoint", method));
    trial.expect(!seen.answer.body.contains("TRACE "), "TRACE must not send the request back", seen);
  }
  const std::string url = discovery_url(trial);
  const auto plain = trial.get(url);
  for (const auto& [name, value] : {std::pair{"X-Forwarded-Host", "evil.example"},
                                    {"X-Forwarded-Proto", "gopher"},
                                    {"Forwarded", "host=evil.example;proto=gopher"},
                                    {"X-Original-URL", "/admin"},
                                    {"X-SSL-Client-Cert", "forged"},
                                    {"X-Forwarded-Prefix", "/evil"}}) {
    const auto seen = trial.get(url, {{name, value}});
    trial.expect(seen.answer.body == plain.answer.body, fmt::format("{} must change nothing", name), seen);
  }
  smuggled(trial);
}

void poisoned_host(Trial& trial) {
  const std::string url = discovery_url(trial);
  const auto seen = trial.get(url);
  trial.expect(json_text(seen.answer.body, "issuer") == trial.target().issuer, "the issuer must be its own", seen);
  std::string asked = trial.given().url;
  while (asked.ends_with('/') && !trial.target().issuer.ends_with('/')) asked.pop_back();
  trial.expect(trial.target().issuer == asked, "the issuer must be the one that was asked for (RFC 8414, 3.3)", seen);
  for (const char* host : {"evil.example", "evil.example:80", "127.0.0.1.evil.example"}) {
    const auto poisoned = trial.get(url, {{"Host", host}});
    trial.expect(!poisoned.answer.body.contains("evil"), "a Host must not be reflected", poisoned);
  }
  const std::string origin = origin_of(url);
  const std::string path = url.substr(origin.size());
  const std::string raw = trial.transport().send_raw(
      origin,
      fmt::format("GET http://evil.example{} HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n", path));
  trial.expect(!raw.contains("\"issuer\":\"http://evil"), "an absolute URL must not become the issuer");
  const auto tenant = trial.get(origin + "/.well-known/oauth-authorization-server/another-tenant");
  trial.expect(tenant.answer.status == 404 || json_text(tenant.answer.body, "issuer") != trial.target().issuer,
               "the document of another issuer must not be this one's", tenant);
}

constexpr Row rows[] = {
    {"T73", "odd methods, forged forwarded headers, smuggled requests", Need::nothing, odd_requests},
    {"T74", "a poisoned Host header, another issuer's document", Need::nothing, poisoned_host},
};

}  // namespace

std::span<const Row> transport_rows() { return rows; }

}  // namespace troupe::attack
