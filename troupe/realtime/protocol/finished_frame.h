// A finished frame of JSON that is known by its pieces: measured, then written once, behind the head of its WebSocket
// frame, into the memory in which it stays. For what is made for every message; FrameBuilder (answer.h) makes the
// others.
#pragma once

#include <cstddef>

#include "troupe/base/bytes.h"
#include "troupe/wire/json_pieces.h"
#include "troupe/wire/websocket.h"

namespace troupe::realtime {

/// The pieces are those of wire::write_json_pieces().
template <class... Piece>
base::Bytes finished_frame(wire::Opcode opcode, const Piece&... piece) {
  base::Bytes frame;
  const auto behind_head = [&](std::size_t body_bytes) {
    char* body = nullptr;
    frame = base::Bytes::written(wire::frame_head_bytes(body_bytes) + body_bytes,
                                 [&](char* at) { body = wire::write_frame_head(at, opcode, body_bytes); });
    return body;  // nobody else has the frame yet
  };
  wire::write_json_pieces(behind_head, piece...);
  return frame;
}

}  // namespace troupe::realtime
