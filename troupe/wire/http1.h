// HTTP/1.1 on the wire: requests read out of a stream of bytes, heads of responses written.
//
// The parser takes bytes as they come, one request after another, and stops after each
// head so that its owner can choose a limit for the body and answer "Expect". The same
// bytes give the same requests however they are cut.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "troupe/base/clock.h"
#include "troupe/wire/chunked.h"
#include "troupe/wire/http1_head.h"

namespace troupe::wire {

enum class Http1Progress : std::uint8_t {
  need_more,  // all of the input is taken
  head,       // the head is whole: take_head()
  complete,   // the body is whole as well: take_body()
};

class Http1Parser {
 public:
  explicit Http1Parser(Http1Limits limits = {}) noexcept : limits_(limits), body_bytes_max_(limits.body_bytes_max) {}

  /// Takes bytes off the front of `input` up to the next step. After `complete` the next call begins a new request.
  /// After an error the connection has lost its place: answer and close.
  std::expected<Http1Progress, Http1Error> next(std::string_view& input);

  /// The head, after `head` was given.
  Http1Head take_head() noexcept { return std::move(head_); }

  /// The limit for the body of this request; may be called between `head` and the next call.
  void limit_body(std::size_t bytes_max) noexcept { body_bytes_max_ = bytes_max; }

  /// How much of the body has come.
  std::size_t body_bytes() const noexcept { return body_.size(); }

  /// The body, after `complete` was given.
  std::string take_body() noexcept { return std::move(body_); }

  /// Whether what has come of a request that is not complete is one of HEAD, whose answer has no content, whatever it
  /// says (RFC 9110, 9.3.2). Known also of one that was refused, as soon as its first bytes have come.
  bool asks_for_head() const noexcept { return part_ != Part::done && asks_for_head_; }

  /// Whether nothing of a request has come since the last one was complete.
  bool is_idle() const noexcept { return part_ == Part::head && held_.empty(); }

 private:
  enum class Part : std::uint8_t { head, body, done };

  std::expected<Http1Progress, Http1Error> next_of_head(std::string_view& input);
  std::expected<Http1Progress, Http1Error> next_of_body(std::string_view& input);
  void skip_empty_lines(std::string_view& input);
  void begin_request();

  Http1Limits limits_;
  std::size_t body_bytes_max_;
  Part part_ = Part::head;
  Http1HeadScanner scanner_;
  std::string held_;  // of a head that is not whole yet
  Http1Head head_;
  bool asks_for_head_ = false;
  bool chunked_ = false;
  std::uint64_t body_rest_ = 0;
  ChunkedDecoder chunks_;
  std::string body_;
};

/// What the head of a response says beside its own fields.
struct Http1ResponseHead {
  int status = 200;
  std::span<const HttpField> fields;
  std::optional<std::size_t> content_length;  // nothing for 1xx, 204 and 304
  bool keep_alive = true;
  bool tells_keep_alive = false;  // to a client of HTTP/1.0, which takes the connection for ended otherwise
  std::string_view date;          // http_date of now, or "" to leave it out
};

/// Whether `value` may stand in a field: no control characters but tab (RFC 9110, 5.5).
bool is_field_value(std::string_view value) noexcept;

/// Appends status line and fields up to the empty line. Names must be tokens and values is_field_value.
void append_response_head(std::string& out, const Http1ResponseHead& head);

/// "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110, 5.6.7).
std::string http_date(base::UnixTime time);

/// http_date of now, made once for each second. One core's.
class HttpDate {
 public:
  /// Valid until the next call.
  std::string_view at(base::UnixTime now);

 private:
  std::int64_t second_ = 0;
  std::string text_;
};

/// The reason phrase of a status ("Not Found"); "" for unknown ones.
std::string_view reason_phrase(int status) noexcept;

}  // namespace troupe::wire
