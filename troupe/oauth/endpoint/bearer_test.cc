// Which headers bring a token, which bring none, and which are refused.
#include "troupe/oauth/endpoint/bearer.h"

#include <doctest/doctest.h>

namespace troupe::oauth {
namespace {

TEST_CASE("a token stands in the header alone, and a header that is malformed is not the same as none") {
  struct Row {
    std::vector<std::string> headers;
    std::string_view token;  // "": none
    std::string_view refused = "";
  };
  const Row rows[] = {
      {{}, ""},
      {{"Bearer abc"}, "abc"},
      {{"bearer abc"}, "abc"},
      {{"Basic YTpi"}, ""},
      {{"Bearer"}, "", "malformed"},
      {{"Bearer a b"}, "", "malformed"},
      {{"Bearer a", "Bearer a"}, "", "twice"},
  };
  for (const Row& row : rows) {
    web::Request http;
    for (const std::string& header : row.headers) http.headers.add("Authorization", header);
    const auto shown = bearer_of(http);
    CHECK_EQ(shown.has_value(), row.refused.empty());
    if (!shown) {
      CHECK_EQ(shown.error(), errors::invalid_request);
      CHECK(shown.error().description.contains(row.refused));
    } else {
      CHECK_EQ(*shown ? (*shown)->expose() : "", row.token);
    }
  }
}

}  // namespace
}  // namespace troupe::oauth
