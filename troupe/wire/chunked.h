// The chunked transfer coding (RFC 9112, 7.1): a body in pieces, each announced by its size.
//
// Extensions and trailers are checked, bounded and dropped: nothing here has a use for
// them, and a trailer must never be mistaken for a field of the head.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "troupe/wire/http1_head.h"

namespace troupe::wire {

class ChunkedDecoder {
 public:
  /// Takes bytes off the front of `input` and appends the body's to `body`; true once the last chunk and its trailers
  /// are through (the rest of `input` is not ours). A body over `bytes_max` is refused by a chunk's announcement.
  std::expected<bool, Http1Error> next(std::string_view& input, std::string& body, std::size_t bytes_max);

 private:
  enum class Part : std::uint8_t { size, data, data_end, trailer };

  std::expected<bool, Http1Error> end_line(std::size_t body_bytes, std::size_t bytes_max);

  Part part_ = Part::size;
  std::uint64_t chunk_rest_ = 0;
  std::size_t overhead_bytes_ = 0;  // of all size lines and trailers so far
  std::string line_;                // of a size or a trailer, without its LF
};

}  // namespace troupe::wire
