// HTTP/1.1: the parser's steps from head to body, and the writing of response heads.
#include "troupe/wire/http1.h"

#include <fmt/chrono.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "troupe/base/check.h"
#include "troupe/wire/ascii.h"

namespace troupe::wire {
namespace {

using Failure = std::unexpected<Http1Error>;

void append_number(std::string& out, std::size_t number) {
  std::array<char, 20> digits;
  out.append(digits.data(), std::to_chars(digits.begin(), digits.end(), number).ptr);
}

}  // namespace

void Http1Parser::begin_request() {
  scanner_ = {};
  head_ = {};
  asks_for_head_ = false;
  chunks_ = {};
  body_ = {};
  body_bytes_max_ = limits_.body_bytes_max;
  part_ = Part::head;
}

std::expected<Http1Progress, Http1Error> Http1Parser::next(std::string_view& input) {
  if (part_ == Part::done) begin_request();
  return part_ == Part::head ? next_of_head(input) : next_of_body(input);
}

/// An empty line before a request line is an old client's way to end its last body (RFC 9112, 2.2).
void Http1Parser::skip_empty_lines(std::string_view& input) {
  if (held_ == "\r" && input.starts_with('\n')) {
    held_.clear();
    input.remove_prefix(1);
  }
  while (held_.empty() && input.starts_with("\r\n")) input.remove_prefix(2);
}

std::expected<Http1Progress, Http1Error> Http1Parser::next_of_head(std::string_view& input) {
  skip_empty_lines(input);
  if (input.empty()) return Http1Progress::need_more;

  // A head that lies whole in the input is read where it lies.
  std::size_t held_bytes = held_.size();
  if (held_bytes > 0 || !input.contains("\r\n\r\n")) held_ += input.substr(0, limits_.head_bytes_max + 1 - held_bytes);
  std::string_view bytes = held_.empty() ? input : std::string_view{held_};
  asks_for_head_ = bytes.starts_with("HEAD ");
  auto size = scanner_.scan(bytes, limits_);
  if (!size) return Failure{size.error()};
  if (!*size) {
    input = {};
    return Http1Progress::need_more;
  }
  auto head = parse_http1_head(bytes.substr(0, **size));
  input.remove_prefix(**size - held_bytes);
  held_ = {};
  if (!head) return Failure{head.error()};

  head_ = std::move(*head);
  chunked_ = head_.chunked;
  body_rest_ = head_.content_length;
  part_ = Part::body;
  return Http1Progress::head;
}

std::expected<Http1Progress, Http1Error> Http1Parser::next_of_body(std::string_view& input) {
  bool whole = false;
  if (chunked_) {
    auto done = chunks_.next(input, body_, body_bytes_max_);
    if (!done) return Failure{done.error()};
    whole = *done;
  } else {
    if (body_rest_ > body_bytes_max_ - std::min(body_bytes_max_, body_.size())) {
      return Failure{Http1Error::body_too_large};
    }
    auto piece = input.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(body_rest_, input.size())));
    body_ += piece;
    input.remove_prefix(piece.size());
    body_rest_ -= piece.size();
    whole = body_rest_ == 0;
  }
  if (!whole) return Http1Progress::need_more;
  part_ = Part::done;
  return Http1Progress::complete;
}

bool is_field_value(std::string_view value) noexcept { return !has_control(value); }

void append_response_head(std::string& out, const Http1ResponseHead& head) {
  auto add = [&out](std::string_view name, std::string_view value) {
    INVARIANT(is_token(name) && is_field_value(value), "a response field would break its line");
    out.append(name).append(": ").append(value).append("\r\n");
  };
  out += "HTTP/1.1 ";
  append_number(out, static_cast<std::size_t>(head.status));
  out.append(" ").append(reason_phrase(head.status)).append("\r\n");
  if (!head.date.empty()) add("Date", head.date);
  for (const auto& field : head.fields) add(field.name, field.value);
  if (head.content_length) {
    out += "Content-Length: ";
    append_number(out, *head.content_length);
    out += "\r\n";
  }
  if (!head.keep_alive) add("Connection", "close");
  if (head.keep_alive && head.tells_keep_alive) add("Connection", "keep-alive");
  out += "\r\n";
}

std::string http_date(base::UnixTime time) {
  return fmt::format("{:%a, %d %b %Y %H:%M:%S} GMT", fmt::gmtime(static_cast<std::time_t>(time.seconds())));
}

std::string_view HttpDate::at(base::UnixTime now) {
  if (text_.empty() || now.seconds() != second_) {
    second_ = now.seconds();
    text_ = http_date(now);
  }
  return text_;
}

std::string_view reason_phrase(int status) noexcept {
  struct Row {
    int status;
    std::string_view phrase;
  };
  static constexpr Row rows[] = {
      {100, "Continue"},
      {101, "Switching Protocols"},
      {200, "OK"},
      {201, "Created"},
      {202, "Accepted"},
      {204, "No Content"},
      {301, "Moved Permanently"},
      {302, "Found"},
      {303, "See Other"},
      {304, "Not Modified"},
      {307, "Temporary Redirect"},
      {308, "Permanent Redirect"},
      {400, "Bad Request"},
      {401, "Unauthorized"},
      {403, "Forbidden"},
      {404, "Not Found"},
      {405, "Method Not Allowed"},
      {406, "Not Acceptable"},
      {408, "Request Timeout"},
      {409, "Conflict"},
      {410, "Gone"},
      {411, "Length Required"},
      {412, "Precondition Failed"},
      {413, "Content Too Large"},
      {414, "URI Too Long"},
      {415, "Unsupported Media Type"},
      {417, "Expectation Failed"},
      {422, "Unprocessable Content"},
      {426, "Upgrade Required"},
      {428, "Precondition Required"},
      {429, "Too Many Requests"},
      {431, "Request Header Fields Too Large"},
      {500, "Internal Server Error"},
      {501, "Not Implemented"},
      {502, "Bad Gateway"},
      {503, "Service Unavailable"},
      {504, "Gateway Timeout"},
      {505, "HTTP Version Not Supported"},
  };
  auto found = std::ranges::find(rows, status, &Row::status);
  return found == std::end(rows) ? std::string_view{} : found->phrase;
}

}  // namespace troupe::wire
