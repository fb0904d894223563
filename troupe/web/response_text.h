// The text of a response on the wire: what the handler said, what every response says, and
// nothing that could break a line.
#pragma once

#include <string>
#include <string_view>

#include "troupe/base/clock.h"
#include "troupe/web/message.h"

namespace troupe::web {

/// What the connection knows about the response that it sends.
struct ResponseFrame {
  bool with_body = true;      // false for HEAD, whose length is told all the same
  bool body_follows = false;  // piece by piece, up to the end of the connection: its length is not told
  bool keep_alive = true;
  bool tells_keep_alive = false;  // the request was of HTTP/1.0, where nobody assumes it (RFC 9112, C.2.2)
  bool secure = false;            // the request came through TLS
  std::string_view request_id;    // "" when there is none
  std::string_view date;          // http_date of now
};

/// Whether all fields may be written: names are tokens, values have no control characters.
bool is_writable(const Response& response) noexcept;

/// Appends head and body. The response must be writable; length, date and coding of the handler's are left out.
void append_response(std::string& out, Response response, const ResponseFrame& frame);

}  // namespace troupe::web
