// Fuzzes the HTTP/1.1 parser: the same bytes give the same requests and the same error,
// whole, byte by byte, and cut at a place that the input chooses.
#include "troupe/wire/http1.h"

#include <vector>

#include "fuzz/property.h"

namespace {

using troupe::wire::Http1Parser;
using troupe::wire::Http1Progress;

constexpr troupe::wire::Http1Limits limits{
    .request_line_bytes_max = 60, .head_bytes_max = 200, .fields_max = 8, .body_bytes_max = 100};

/// Everything the parser says about `bytes`, as one text.
std::string transcript(std::string_view bytes, std::size_t piece_bytes) {
  std::string said;
  Http1Parser parser{limits};
  while (!bytes.empty()) {
    std::string_view piece = bytes.substr(0, piece_bytes);
    bytes.remove_prefix(piece.size());
    while (true) {
      auto progress = parser.next(piece);
      if (!progress) return said.append("error ").append(text(progress.error()));
      if (*progress == Http1Progress::need_more) break;
      if (*progress == Http1Progress::head) {
        auto head = parser.take_head();
        said.append(head.method).append(" ").append(head.path).append("?").append(head.query).append("\n");
        for (const auto& field : head.fields) {
          INVARIANT(troupe::wire::is_field_value(field.value), "a control character came through");
          said.append(field.name).append(": ").append(field.value).append("\n");
        }
      } else {
        auto body = parser.take_body();
        INVARIANT(body.size() <= limits.body_bytes_max, "a body over its limit came through");
        said.append(body).append("\n");
      }
    }
    INVARIANT(piece.empty(), "bytes were left over though more are needed");
  }
  return said.append(parser.is_idle() ? "idle" : "inside");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  auto bytes = troupe::fuzz::as_text(data + 1, size - 1);
  auto whole = transcript(bytes, SIZE_MAX);
  INVARIANT(transcript(bytes, 1) == whole, "byte by byte differs from the whole");
  INVARIANT(transcript(bytes, data[0] + 1u) == whole, "pieces differ from the whole");
  return 0;
}
