// Decoder: the text or binary frames of a client become commands.
//
// The whole text is checked, payloads too: what we splice into the frames of others is
// valid JSON, byte for byte as it came. A field given twice is refused, one that we do not
// know is skipped. The parser's memory is shared by all connections of a core; it shrinks
// back after a large frame. One core at a time.
#pragma once

#include <cstddef>
#include <expected>
#include <memory>
#include <optional>
#include <string_view>

#include "troupe/realtime/protocol/command.h"
#include "troupe/realtime/protocol/error.h"

namespace troupe::realtime {

struct DecoderLimits {
  std::size_t depth_max = 64;              // of nested arrays and objects in one frame
  std::size_t topics_max = 1000;           // in one frame: as many as a connection may have
  std::size_t broadcast_topics_max = 100;  // each is published to
  std::size_t shards_max = 1024;           // of one pattern: more than a server has cores
  std::size_t history_limit_max = 1000;    // items of one history request
  std::size_t presence_limit = 100;        // users of one page, where none is asked for
  std::size_t presence_limit_max = 1000;
  std::size_t token_bytes_max = 16 * 1024;  // as large as a header that bears one may be
  std::size_t binary_header_bytes_max = 4096;
};

/// Why a frame was refused, with its id if one could be read.
struct RefusedFrame {
  std::optional<RequestId> id;
  ClientError error;
};

class FrameReader;
struct Fields;

class Decoder {
 public:
  explicit Decoder(DecoderLimits limits = {});
  ~Decoder();
  Decoder(Decoder&&) noexcept;
  Decoder& operator=(Decoder&&) noexcept;

  /// A text frame: one JSON object. The text must be valid UTF-8 or is refused.
  std::expected<ClientFrame, RefusedFrame> decode_text(std::string_view text);

  /// The body of a request: the fields of a command without `type`, by the same rules.
  std::expected<PublishPtr, ClientError> decode_publish(std::string_view text);
  std::expected<Broadcast, ClientError> decode_broadcast(std::string_view text);
  std::expected<Direct, ClientError> decode_direct(std::string_view text);

  /// A binary frame: a JSON object of at most 4 KiB, a line feed, and the payload.
  std::expected<ClientFrame, RefusedFrame> decode_binary(std::string_view bytes);

 private:
  /// The fields of a body; what makes it no acceptable JSON is an error.
  std::optional<ClientError> read_body(std::string_view text, Fields& fields);

  DecoderLimits limits_;
  std::unique_ptr<FrameReader> reader_;
};

}  // namespace troupe::realtime
