// Native frames as server-sent events (WHATWG HTML, 9.2): the adapter of `/events`. It knows
// frames and lines, and nothing of topics, history or permissions.
//
// An event's type is that of its frame, its data the frame's JSON. A binary payload stands
// in it as base64, in `payload_base64` in place of `payload`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace troupe::realtime {

/// The lines of a finished frame of the server as an event: all but its `id` and the empty line that ends it. A line
/// break inside of the JSON, where it is white space, becomes a line feed. `draining` says when to come back (`retry`).
std::string event_lines(std::string_view frame);

/// The place of a message that came by a pattern, in the stream of its shard.
struct NamedPlace {
  std::string_view shard;
  std::uint64_t seq = 0;
};

/// The `shard` and `seq` of a finished message; nothing where it has none.
std::optional<NamedPlace> shard_place_of(std::string_view frame);

/// The JSON text of a finished text frame of the server.
std::string_view text_of(std::string_view frame);

/// The whole last event of a stream, which says why it ends: the code and the words with which a WebSocket would close.
std::string closing_event(std::uint16_t code, std::string_view reason);

/// A comment, which keeps the connection busy and is nothing to its reader.
inline constexpr std::string_view event_comment = ":\n\n";

}  // namespace troupe::realtime
