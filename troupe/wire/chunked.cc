// Chunked bodies: lines are collected, data is passed through. Ours rather than Beast's,
// which asserts when a last chunk comes byte by byte and hides folded trailers.
#include "troupe/wire/chunked.h"

#include <algorithm>
#include <charconv>

#include "troupe/wire/ascii.h"

namespace troupe::wire {
namespace {

using Failure = std::unexpected<Http1Error>;

constexpr std::size_t line_bytes_max = 1024;            // a size with its extensions, or a trailer
constexpr std::size_t overhead_bytes_max = 256 * 1024;  // one-byte chunks of a body of the usual limit fit

bool is_line_character(char c) {
  return (c >= 0x20 && c != 0x7f) || c == '\t' || static_cast<unsigned char>(c) >= 0x80;
}

/// chunk-size [ chunk-ext ]; nothing when it is not in the grammar or over 64 bits.
std::optional<std::uint64_t> parse_size(std::string_view line) {
  std::uint64_t size = 0;
  auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), size, 16);
  if (error != std::errc{} || !std::ranges::all_of(line, is_line_character)) return std::nullopt;
  std::string_view rest = line.substr(static_cast<std::size_t>(end - line.data()));
  if (!rest.empty() && !trim(rest).starts_with(';')) return std::nullopt;
  return hex_value(line[0]) < 0 ? std::nullopt : std::optional{size};
}

bool is_trailer(std::string_view line) {
  std::size_t colon = line.find(':');
  return colon != std::string_view::npos && is_token(line.substr(0, colon)) &&
         std::ranges::all_of(line, is_line_character);
}

}  // namespace

std::expected<bool, Http1Error> ChunkedDecoder::end_line(std::size_t body_bytes, std::size_t bytes_max) {
  if (!line_.ends_with('\r')) return Failure{Http1Error::bad_chunk};
  line_.pop_back();
  if (part_ == Part::data_end) {
    if (!line_.empty()) return Failure{Http1Error::bad_chunk};
    part_ = Part::size;
    return false;
  }
  std::string line = std::exchange(line_, {});
  if (part_ == Part::trailer) {
    if (line.empty()) return true;
    if (!is_trailer(line)) return Failure{Http1Error::bad_chunk};
    return false;
  }
  auto size = parse_size(line);
  if (!size) return Failure{Http1Error::bad_chunk};
  if (*size > bytes_max - std::min(bytes_max, body_bytes)) return Failure{Http1Error::body_too_large};
  chunk_rest_ = *size;
  part_ = *size == 0 ? Part::trailer : Part::data;
  return false;
}

std::expected<bool, Http1Error> ChunkedDecoder::next(std::string_view& input, std::string& body,
                                                     std::size_t bytes_max) {
  while (!input.empty()) {
    if (part_ == Part::data) {
      auto piece = input.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(chunk_rest_, input.size())));
      body += piece;
      input.remove_prefix(piece.size());
      chunk_rest_ -= piece.size();
      if (chunk_rest_ == 0) part_ = Part::data_end;
      continue;
    }
    std::size_t newline = input.find('\n');
    std::string_view piece = input.substr(0, newline);
    if (line_.size() + piece.size() > line_bytes_max) return Failure{Http1Error::bad_chunk};
    line_ += piece;
    overhead_bytes_ += piece.size();
    if (overhead_bytes_ > overhead_bytes_max) return Failure{Http1Error::bad_chunk};
    if (newline == std::string_view::npos) {
      input = {};
      return false;
    }
    input.remove_prefix(newline + 1);
    auto done = end_line(body.size(), bytes_max);
    if (!done || *done) return done;
  }
  return false;
}

}  // namespace troupe::wire
