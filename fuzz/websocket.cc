// Fuzzes the WebSocket codec: any bytes give the same events however they are cut, for a
// server and for a client; what we encode decodes to itself.
#include "troupe/wire/websocket.h"

#include "fuzz/property.h"

namespace {

using namespace troupe::wire;

constexpr WebSocketLimits limits{.message_bytes_max = 300};

std::string transcript(std::string bytes, std::size_t piece_bytes, WebSocketRole role) {
  std::string said;
  WebSocketDecoder decoder{role, limits};
  std::span<char> rest{bytes};
  while (!rest.empty()) {
    auto piece = rest.first(std::min(piece_bytes, rest.size()));
    rest = rest.subspan(piece.size());
    while (true) {
      auto event = decoder.next(piece);
      if (!event) return said + "error " + std::to_string(event.error().code);
      if (!*event) break;
      auto [opcode, payload] = **event;
      INVARIANT(payload.size() <= limits.message_bytes_max, "a message over its limit came through");
      INVARIANT(opcode != Opcode::text || is_utf8(payload), "text that is not UTF-8 came through");
      said += std::to_string(static_cast<int>(opcode)) + " ";
      said.append(payload).append("\n");
    }
    INVARIANT(piece.empty(), "bytes were left over though more are needed");
    INVARIANT(decoder.bytes_held() <= limits.message_bytes_max + 125 + 14, "more is held than the limits allow");
  }
  return said;
}

void check_encoding(std::string_view payload) {
  std::string frame = encode_masked_frame(Opcode::binary, payload, {1, 2, 3, 4});
  std::span<char> input{frame};
  WebSocketDecoder decoder{WebSocketRole::server};
  auto event = decoder.next(input);
  INVARIANT(event && *event && (*event)->payload == payload && input.empty(), "a frame does not decode to itself");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  std::string bytes{troupe::fuzz::as_text(data + 1, size - 1)};
  for (auto role : {WebSocketRole::server, WebSocketRole::client}) {
    auto whole = transcript(bytes, SIZE_MAX, role);
    INVARIANT(transcript(bytes, 1, role) == whole, "byte by byte differs from the whole");
    INVARIANT(transcript(bytes, data[0] + 1u, role) == whole, "pieces differ from the whole");
  }
  check_encoding(bytes);
  return 0;
}
