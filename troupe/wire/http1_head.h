// The head of an HTTP/1.1 request: request line and fields, as one value that leaves no
// doubt about where the body ends.
//
// What two readers could understand differently is refused, each kind by its own name
// (RFC 9112; section 11.2 tells why): lengths that contradict, folded lines, bare CR or
// LF, space before a colon, a missing or second Host, targets that are not ours.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::wire {

struct HttpField {
  std::string name;
  std::string value;

  friend bool operator==(const HttpField&, const HttpField&) = default;
};

struct Http1Limits {
  std::size_t request_line_bytes_max = 8 * 1024;
  std::size_t head_bytes_max = 16 * 1024;  // request line and all fields
  std::size_t fields_max = 100;
  std::size_t body_bytes_max = 64 * 1024;  // unless the route says otherwise
};

enum class Http1Error : std::uint8_t {
  bad_line_ending,                // a CR or an LF alone
  bad_character,                  // NUL or another control character in the head
  bad_request_line,               // not method, target, version with one space between
  request_line_too_long,          //
  unsupported_version,            // neither HTTP/1.0 nor HTTP/1.1
  bad_target,                     // not a path of ours: absolute-form, '*' without OPTIONS, an authority
  bad_field,                      // no colon, space before the colon, a name that is no token
  obsolete_folding,               // a field continued on the next line
  too_many_fields,                //
  head_too_large,                 //
  bad_host,                       // missing, twice, or no host
  bad_content_length,             // no number, more than one, or beside Transfer-Encoding
  bad_transfer_encoding,          // more than one, or beside Content-Length, or in HTTP/1.0
  unsupported_transfer_encoding,  // anything but "chunked"
  bad_expectation,                // anything but "100-continue"
  bad_chunk,                      // a chunk's size, line ending or trailer outside the grammar
  body_too_large,                 //
};

/// The name of the error, for messages and logs: "bad_host".
std::string_view text(Http1Error error) noexcept;

/// The status to answer with: 400, 413, 414, 417, 431, 501 or 505.
int status_of(Http1Error error) noexcept;

struct Http1Head {
  std::string method;              // a token, as it came
  std::string path;                // still encoded, begins with '/'; "*" for OPTIONS *
  std::string query;               // without '?'
  std::uint8_t minor_version = 1;  // of HTTP/1.x
  std::vector<HttpField> fields;   // in the order they came
  bool keep_alive = true;          // whether the connection may go on afterwards
  bool chunked = false;
  bool expects_continue = false;
  std::uint64_t content_length = 0;  // of a body that is not chunked

  bool has_body() const noexcept { return chunked || content_length > 0; }
};

/// Finds the end of a head that arrives in pieces, and checks its lines as they become whole.
class Http1HeadScanner {
 public:
  /// Looks at all bytes received so far; each call sees those of the last one and more. Gives the size of the head,
  /// with its empty line, once it is whole.
  std::expected<std::optional<std::size_t>, Http1Error> scan(std::string_view bytes, const Http1Limits& limits);

 private:
  std::size_t line_from_ = 0;
  std::size_t lines_ = 0;
};

/// Reads a head whose end and lines the scanner has found to be sound.
std::expected<Http1Head, Http1Error> parse_http1_head(std::string_view head);

}  // namespace troupe::wire
