// HandshakeAnswer: the head of the server's answer to a WebSocket handshake, and whether it opens one.
//
// A client takes nothing for granted: the answer must fit its key, and may agree on nothing that was not offered
// (RFC 6455, 4.1).
#pragma once

#include <cstddef>
#include <expected>
#include <string>
#include <string_view>

namespace troupe::realtime {

inline constexpr std::size_t handshake_answer_bytes_max = 16 * 1024;

struct HandshakeAnswer {
  int status = 0;  // 101: it is open
};

/// What the client asked for.
struct HandshakeOffer {
  std::string key;          // of Sec-WebSocket-Key
  std::string subprotocol;  // the only one offered
};

/// Reads a head with its empty line. The error says why a 101 opens no WebSocket, or why this is no HTTP.
std::expected<HandshakeAnswer, std::string> read_handshake_answer(std::string_view head, const HandshakeOffer& offer);

}  // namespace troupe::realtime
