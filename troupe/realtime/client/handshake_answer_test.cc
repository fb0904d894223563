// The answer to a handshake: what opens a WebSocket, and what pretends to.
#include "troupe/realtime/client/handshake_answer.h"

#include <doctest/doctest.h>

#include <string>

namespace troupe::realtime {
namespace {

const HandshakeOffer offer{"dGhlIHNhbXBsZSBub25jZQ==", "troupe.v1"};

TEST_CASE("an answer opens a WebSocket only if it fits what was offered (RFC 6455, 4.1)") {
  struct Row {
    std::string_view head;
    std::string_view problem;
  };
  constexpr std::string_view accept = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";
  const std::string begin =
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\n";
  const std::string open = begin + std::string{accept};
  const std::string other_key = begin + "Sec-WebSocket-Accept: AAAA\r\n\r\n";
  const std::string extension = open + "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n";
  const std::string subprotocol = open + "Sec-WebSocket-Protocol: chat\r\n\r\n";
  const std::string agreed = open + "sec-websocket-protocol:troupe.v1\r\n\r\n";
  const std::string plain = open + "\r\n";
  const Row rows[] = {
      {plain, ""},
      {agreed, ""},
      {other_key, "answers another handshake"},
      {extension, "an extension that was not offered"},
      {subprotocol, "another protocol: chat"},
      {"HTTP/1.1 101 x\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n", "something else"},
      {"HTTP/1.1 101 x\r\n\r\n", "something else"},
      {"SSH-2.0-x\r\n\r\n", "no HTTP"},
      {"HTTP/1.1 1x1 y\r\n\r\n", "no HTTP"},
      {"HTTP/1.1 1010\r\n\r\n", "no HTTP"},
      {"\r\n\r\n", "no HTTP"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.head);
    auto answer = read_handshake_answer(row.head, offer);
    CHECK_EQ(answer.has_value(), row.problem.empty());
    if (!answer) CHECK_MESSAGE(answer.error().contains(row.problem), answer.error());
  }
  CHECK_EQ(read_handshake_answer("HTTP/1.1 401 Unauthorized\r\n\r\n", offer)->status, 401);
  CHECK_EQ(read_handshake_answer("HTTP/1.1 503\r\n\r\n", offer)->status, 503);
}

}  // namespace
}  // namespace troupe::realtime
