// Responses as text: what each of them says, whether it has a body or not.
#include "troupe/web/response_text.h"

#include <doctest/doctest.h>

namespace troupe::web {
namespace {

std::string text_of(Response response, const ResponseFrame& frame = {}) {
  std::string text;
  append_response(text, std::move(response), frame);
  return text;
}

TEST_CASE("every answer has the safe headers, also one without a body; a change of the protocol is none") {
  for (const int status : {200, 204, 303, 304, 404, 503}) {
    CAPTURE(status);
    const auto text = text_of({.status = status}, {.secure = true});
    CHECK(text.contains("\r\nX-Content-Type-Options: nosniff\r\n"));
    CHECK(text.contains("\r\nReferrer-Policy: no-referrer\r\n"));
    CHECK(text.contains("\r\nStrict-Transport-Security: "));
    CHECK_EQ(text.contains("\r\nContent-Length: "), status != 204 && status != 304);
  }
  CHECK_FALSE(text_of({.status = 101}).contains("Referrer-Policy"));
}

}  // namespace
}  // namespace troupe::web
