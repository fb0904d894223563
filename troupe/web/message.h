// HTTP messages as values: Method, Headers, Request, Response, and the few helpers that
// make the usual responses.
//
// A Request has been checked: its path is decoded and normalised, its framing was
// unambiguous, its body is whole. A Response says what, never how: length, date and
// connection headers belong to the connection that sends it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "troupe/base/bytes.h"
#include "troupe/net/address.h"
#include "troupe/wire/http1_head.h"

namespace troupe::web {

enum class Method : std::uint8_t { get, head, post, put, delete_, options, patch, other };

/// "GET" and so on; "" for other.
std::string_view text(Method method) noexcept;
/// The method of that name (names are case-sensitive, RFC 9110, 9.1), or other.
Method method_of(std::string_view name) noexcept;

/// Header fields in the order they came. Names compare without regard to case.
class Headers {
 public:
  using Field = wire::HttpField;

  Headers() = default;
  Headers(std::initializer_list<Field> fields) : fields_(fields) {}
  explicit Headers(std::vector<Field> fields) noexcept : fields_(std::move(fields)) {}

  /// The value of the first field of that name. Valid until the headers change.
  std::optional<std::string_view> get(std::string_view name) const noexcept;
  /// How many fields bear that name.
  std::size_t count(std::string_view name) const noexcept;
  bool has(std::string_view name) const noexcept { return get(name).has_value(); }
  /// Whether `token` is in the comma-separated list of all fields of that name, without regard to case.
  bool has_token(std::string_view name, std::string_view token) const noexcept;

  /// Appends a field. Whoever builds one from a client's words checks it: a line break in it is a bug.
  void add(std::string name, std::string value);
  /// Replaces all fields of that name by one.
  void set(std::string name, std::string value);

  const std::vector<Field>& fields() const noexcept { return fields_; }
  auto begin() const noexcept { return fields_.begin(); }
  auto end() const noexcept { return fields_.end(); }
  std::size_t size() const noexcept { return fields_.size(); }

 private:
  std::vector<Field> fields_;
};

struct Request {
  Method method = Method::get;
  std::string method_text;
  std::string path;   // decoded and normalised: begins with '/', no dot segments, valid UTF-8
  std::string query;  // as it came, without the '?'
  Headers headers;
  std::string body;
  net::PeerAddress peer;      // of the client: behind a trusted proxy, the address that the proxy names
  bool secure = false;        // it came to us, or to a trusted proxy, through TLS
  std::string request_id;     // ours, unique; for logs and the X-Request-Id header
  bool during_drain = false;  // the server is going away

  /// The value of a header, or "" when it did not come.
  std::string_view header(std::string_view name) const noexcept { return headers.get(name).value_or(""); }
};

/// Why an answer of 5xx is no failure of the server. It is counted by this, and the log says nothing of it.
enum class Refusal : std::uint8_t {
  none,       // it is one
  draining,   // the server is going away
  limit,      // there is room for so many only
  not_ready,  // who asks how the server is, is told
  malformed,  // it can do nothing with such a request
};
inline constexpr std::size_t refusals = 5;

struct Response {
  int status = 200;
  Headers headers;
  base::Bytes body;
  Refusal refusal = Refusal::none;  // where the status is 5xx
};

/// The helpers set Content-Type and nothing else.
Response text_response(int status, std::string text);
Response json_response(int status, std::string json);
Response html_response(int status, std::string html);
/// `status` is 301, 302, 303, 307 or 308; `location` must be a valid URL or path without line breaks.
Response redirect(int status, std::string location);
/// An error for machines and people alike (application/problem+json, RFC 9457). `detail` must be UTF-8; `code` is a
/// name for programs, "" for that of the status.
Response problem(int status, std::string_view detail, std::string_view code = {});

enum class SameSite : std::uint8_t { lax, strict, none };

/// A cookie that we set (RFC 6265bis). The defaults are for a session: HttpOnly, Lax, gone with the browser.
struct Cookie {
  std::string name;
  std::string value;  // cookie-octets only; encode what may be more
  std::string path = "/";
  std::optional<std::int64_t> max_age_seconds;  // 0 removes the cookie
  bool secure = true;
  bool http_only = true;
  SameSite same_site = SameSite::lax;
};

/// Adds a Set-Cookie field.
void set_cookie(Response& response, const Cookie& cookie);

}  // namespace troupe::web
