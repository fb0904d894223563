// The opening handshake: what opens a WebSocket, and what a client is told that does it wrong.
#include "troupe/web/handshake.h"

#include <doctest/doctest.h>

namespace troupe::web {
namespace {

Request handshake() {
  return {.path = "/ws",
          .headers = {{"Host", "h"},
                      {"Connection", "keep-alive, Upgrade"},
                      {"Upgrade", "WebSocket"},
                      {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="},
                      {"Sec-WebSocket-Version", "13"}}};
}

TEST_CASE("a right handshake gets the key's answer and the chosen subprotocol") {
  auto request = handshake();
  request.headers.add("Sec-WebSocket-Protocol", "troupe.v1, bearer.abc");
  CHECK_FALSE(handshake_refusal(request).has_value());
  CHECK_EQ(offered_subprotocols(request), std::vector<std::string_view>{"troupe.v1", "bearer.abc"});
  auto response = handshake_response(request, "troupe.v1");
  CHECK_EQ(response.status, 101);
  CHECK_EQ(response.headers.get("sec-websocket-accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  CHECK_EQ(response.headers.get("sec-websocket-protocol"), "troupe.v1");
}

TEST_CASE("a wrong handshake is told what is wrong") {
  struct Row {
    std::string_view what, header, value;
    int status;
  };
  constexpr Row rows[] = {
      {"a plain GET", "Upgrade", "", 426},
      {"another protocol", "Upgrade", "h2c", 426},
      {"no Connection: upgrade", "Connection", "keep-alive", 426},
      {"an old version", "Sec-WebSocket-Version", "8", 426},
      {"no version", "Sec-WebSocket-Version", "", 426},
      {"two versions", "Sec-WebSocket-Version", "13, 8", 426},
      {"no key", "Sec-WebSocket-Key", "", 400},
      {"a short key", "Sec-WebSocket-Key", "c2hvcnQ=", 400},
      {"a key that is no base64", "Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ", 400},
      {"an extension that is no token", "Sec-WebSocket-Extensions", "permessage deflate", 400},
      {"an extension's value without an end", "Sec-WebSocket-Extensions", "a; b=\"1", 400},
      {"a subprotocol that is no token", "Sec-WebSocket-Protocol", "a b", 400},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    auto request = handshake();
    request.headers.set(std::string{row.header}, std::string{row.value});
    auto refusal = handshake_refusal(request);
    REQUIRE(refusal.has_value());
    CHECK_EQ(refusal->status, row.status);
    if (row.status == 426) CHECK_EQ(refusal->headers.get("sec-websocket-version"), "13");
  }
  auto twice = handshake();
  twice.headers.add("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==");
  CHECK_EQ(handshake_refusal(twice)->status, 400);
  auto with_body = handshake();
  with_body.body = "x";
  CHECK_EQ(handshake_refusal(with_body)->status, 400);
}

TEST_CASE("extensions are offered in any number of fields, and answered with what was agreed on") {
  auto request = handshake();
  CHECK(offered_extensions(request).empty());
  request.headers.add("Sec-WebSocket-Extensions", "foo; a=\"1\"");
  request.headers.add("sec-websocket-extensions", "permessage-deflate, bar");
  CHECK_FALSE(handshake_refusal(request).has_value());
  CHECK_EQ(offered_extensions(request),
           std::vector<wire::ExtensionOffer>{{"foo", {{"a", "1"}}}, {"permessage-deflate", {}}, {"bar", {}}});
  CHECK_FALSE(handshake_response(request, "").headers.has("sec-websocket-extensions"));
  CHECK_EQ(handshake_response(request, "", "bar; b").headers.get("sec-websocket-extensions"), "bar; b");
}

}  // namespace
}  // namespace troupe::web
