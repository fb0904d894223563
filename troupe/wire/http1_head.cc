// The head of a request: the scanner looks at raw lines, Boost.Beast reads the grammar, and
// what Beast lets pass though two readers could differ on it is refused here.
#include "troupe/wire/http1_head.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <charconv>

#include "troupe/wire/ascii.h"

namespace troupe::wire {
namespace {

namespace http = boost::beast::http;
using Failure = std::unexpected<Http1Error>;

/// Checks one line of a head, without its CR LF. The request line is left to Beast, which knows its grammar.
std::optional<Http1Error> line_violation(std::string_view line, bool is_request_line) {
  if (has_control(line)) {
    const auto first = std::ranges::find_if(line, [](char c) { return has_control({&c, 1}); });
    return *first == '\r' ? Http1Error::bad_line_ending : Http1Error::bad_character;
  }
  if (is_request_line) return std::nullopt;
  // Beast would unfold such a line before we could see that it was folded.
  if (line.starts_with(' ') || line.starts_with('\t')) return Http1Error::obsolete_folding;
  const std::size_t colon = line.find(':');
  const bool is_field = colon != std::string_view::npos && is_token(line.substr(0, colon));
  return is_field ? std::nullopt : std::optional{Http1Error::bad_field};
}

/// Collects what Beast reads. It lives for one head only.
class HeadReader final : public http::basic_parser<true> {
 public:
  Http1Head head;
  std::string target;

 private:
  using Text = boost::beast::string_view;
  using Code = boost::beast::error_code;

  void on_request_impl(http::verb, Text method, Text request_target, int version, Code&) override {
    head.method = std::string_view{method.data(), method.size()};
    target = std::string_view{request_target.data(), request_target.size()};
    head.minor_version = static_cast<std::uint8_t>(version % 10);
  }
  void on_field_impl(http::field, Text name, Text value, Code&) override {
    head.fields.push_back({std::string{name.data(), name.size()}, std::string{value.data(), value.size()}});
  }
  void on_response_impl(int, Text, int, Code&) override {}
  void on_header_impl(Code&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, Code&) override {}
  std::size_t on_body_impl(Text, Code&) override { return 0; }
  void on_chunk_header_impl(std::uint64_t, Text, Code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, Text, Code&) override { return 0; }
  void on_finish_impl(Code&) override {}
};

/// Whether a request line ends in the name of some version of HTTP, and only that is what is wrong with it.
bool ends_in_version(std::string_view bytes) {
  std::string_view line = bytes.substr(0, bytes.find('\r'));
  if (std::ranges::count(line, ' ') != 2) return false;
  std::string_view version = line.substr(line.rfind(' ') + 1);
  return version.size() == 8 && version.starts_with("HTTP/") && is_digit(version[5]) && version[6] == '.' &&
         is_digit(version[7]);
}

Http1Error error_of(const boost::beast::error_code& code, std::string_view bytes) {
  using http::error;
  if (code == error::bad_version) {
    return ends_in_version(bytes) ? Http1Error::unsupported_version : Http1Error::bad_request_line;
  }
  if (code == error::bad_method) return Http1Error::bad_request_line;
  if (code == error::bad_target) return Http1Error::bad_target;
  if (code == error::bad_content_length || code == error::multiple_content_length)
    return Http1Error::bad_content_length;
  if (code == error::bad_transfer_encoding) return Http1Error::bad_transfer_encoding;
  if (code == error::bad_line_ending) return Http1Error::bad_line_ending;
  return Http1Error::bad_field;
}

/// How often a field occurs, and the value of its last occurrence.
struct Occurrence {
  std::size_t count = 0;
  std::string_view value;
};

Occurrence find(const Http1Head& head, std::string_view name) {
  Occurrence found;
  for (const auto& field : head.fields) {
    if (equal_ignoring_case(field.name, name)) found = {found.count + 1, field.value};
  }
  return found;
}

bool lists(const Http1Head& head, std::string_view name, std::string_view token) {
  return std::ranges::any_of(head.fields, [&](const HttpField& field) {
    return equal_ignoring_case(field.name, name) && lists_token(field.value, token);
  });
}

/// Of an absolute-form (RFC 9112, 3.2.2), what stands behind scheme and authority; else all of it. We are no proxy: the
/// authority says no more than Host, and must be the same.
std::string_view without_authority(std::string_view target, std::optional<std::string_view>& authority) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (target.size() < scheme.size() || !equal_ignoring_case(target.substr(0, scheme.size()), scheme)) continue;
    target.remove_prefix(scheme.size());
    authority = target.substr(0, target.find_first_of("/?"));
    return target.substr(authority->size());
  }
  return target;
}

/// Only origin-form, absolute-form, and '*' with OPTIONS are ours (RFC 9112, 3.2).
std::optional<Http1Error> read_target(std::string_view target, Http1Head& head,
                                      std::optional<std::string_view>& authority) {
  bool is_printable = std::ranges::all_of(target, [](char c) { return c > 0x20 && c < 0x7f; });
  if (!is_printable || target.contains('#')) return Http1Error::bad_target;
  if (target == "*" && head.method == "OPTIONS") {
    head.path = target;
    return std::nullopt;
  }
  target = without_authority(target, authority);
  if (authority && authority->empty()) return Http1Error::bad_target;
  std::size_t path_end = std::min(target.find('?'), target.size());
  const bool is_root = authority && path_end == 0;
  if (!is_root && !target.starts_with('/')) return Http1Error::bad_target;
  head.path = is_root ? "/" : target.substr(0, path_end);
  head.query = target.substr(std::min(path_end + 1, target.size()));
  return std::nullopt;
}

/// Exactly one Host in HTTP/1.1, at most one before (RFC 9112, 3.2).
std::optional<Http1Error> check_host(const Http1Head& head, std::optional<std::string_view> authority) {
  auto host = find(head, "host");
  if (host.count > 1 || (host.count == 0 && head.minor_version >= 1)) return Http1Error::bad_host;
  if (host.count == 0) return std::nullopt;
  static constexpr CharacterSet host_characters{"-._~!$&'()*+,;=:[]%"};
  bool is_host =
      !host.value.empty() && std::ranges::all_of(host.value, [](char c) { return host_characters.contains(c); });
  const bool is_same = !authority || equal_ignoring_case(*authority, host.value);
  return is_host && is_same ? std::nullopt : std::optional{Http1Error::bad_host};
}

/// Where the body ends (RFC 9112, 6.3), when there is exactly one way to see it.
std::optional<Http1Error> read_framing(Http1Head& head) {
  auto length = find(head, "content-length");
  auto encoding = find(head, "transfer-encoding");
  if (encoding.count > 0) {
    if (encoding.count > 1 || head.minor_version == 0) return Http1Error::bad_transfer_encoding;
    if (length.count > 0) return Http1Error::bad_content_length;
    if (!equal_ignoring_case(encoding.value, "chunked")) return Http1Error::unsupported_transfer_encoding;
    head.chunked = true;
  }
  if (length.count > 1) return Http1Error::bad_content_length;
  if (length.count == 1) {
    std::string_view digits = length.value;
    auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), head.content_length);
    bool is_number =
        !digits.empty() && is_digit(digits[0]) && error == std::errc{} && end == digits.data() + digits.size();
    if (!is_number) return Http1Error::bad_content_length;
  }
  return std::nullopt;
}

std::optional<Http1Error> read_expectation(Http1Head& head) {
  auto expectation = find(head, "expect");
  if (expectation.count == 0 || head.minor_version == 0) return std::nullopt;
  if (expectation.count > 1 || !equal_ignoring_case(expectation.value, "100-continue")) {
    return Http1Error::bad_expectation;
  }
  head.expects_continue = head.has_body();
  return std::nullopt;
}

}  // namespace

std::string_view text(Http1Error error) noexcept {
  constexpr std::string_view names[] = {"bad_line_ending",
                                        "bad_character",
                                        "bad_request_line",
                                        "request_line_too_long",
                                        "unsupported_version",
                                        "bad_target",
                                        "bad_field",
                                        "obsolete_folding",
                                        "too_many_fields",
                                        "head_too_large",
                                        "bad_host",
                                        "bad_content_length",
                                        "bad_transfer_encoding",
                                        "unsupported_transfer_encoding",
                                        "bad_expectation",
                                        "bad_chunk",
                                        "body_too_large"};
  return names[static_cast<std::size_t>(error)];
}

int status_of(Http1Error error) noexcept {
  switch (error) {
    case Http1Error::request_line_too_long:
      return 414;
    case Http1Error::too_many_fields:
    case Http1Error::head_too_large:
      return 431;
    case Http1Error::body_too_large:
      return 413;
    case Http1Error::bad_expectation:
      return 417;
    case Http1Error::unsupported_transfer_encoding:
      return 501;
    case Http1Error::unsupported_version:
      return 505;
    default:
      return 400;
  }
}

std::expected<std::optional<std::size_t>, Http1Error> Http1HeadScanner::scan(std::string_view bytes,
                                                                             const Http1Limits& limits) {
  while (true) {
    std::size_t newline = bytes.find('\n', line_from_);
    bool is_whole = newline != std::string_view::npos;
    std::size_t line_end = is_whole ? newline + 1 : bytes.size();
    if (lines_ == 0 && line_end - line_from_ > limits.request_line_bytes_max) {
      return Failure{Http1Error::request_line_too_long};
    }
    if (line_end > limits.head_bytes_max) return Failure{Http1Error::head_too_large};
    if (!is_whole) return std::nullopt;

    std::string_view line = bytes.substr(line_from_, newline - line_from_);
    if (!line.ends_with('\r')) return Failure{Http1Error::bad_line_ending};
    line.remove_suffix(1);
    if (line.empty() && lines_ > 0) return line_end;
    if (auto error = line_violation(line, lines_ == 0)) return Failure{*error};
    if (lines_ > limits.fields_max) return Failure{Http1Error::too_many_fields};
    ++lines_;
    line_from_ = line_end;
  }
}

std::expected<Http1Head, Http1Error> parse_http1_head(std::string_view bytes) {
  // 1. The grammar, as Beast knows it.
  HeadReader reader;
  reader.head.fields.reserve(8);  // as many as most requests have
  reader.header_limit(static_cast<std::uint32_t>(bytes.size() + 1));
  reader.body_limit(boost::none);
  boost::beast::error_code code;
  reader.put(boost::asio::buffer(bytes.data(), bytes.size()), code);
  if (code) return Failure{error_of(code, bytes)};

  // 2. What the fields say, in the order in which a reader needs it.
  Http1Head head = std::move(reader.head);
  std::optional<std::string_view> authority;  // of the target, where it says one
  if (auto error = read_target(reader.target, head, authority)) return Failure{*error};
  if (auto error = check_host(head, authority)) return Failure{*error};
  if (auto error = read_framing(head)) return Failure{*error};
  if (auto error = read_expectation(head)) return Failure{*error};

  // 3. Whether the connection goes on (RFC 9112, 9.3).
  bool closes = lists(head, "connection", "close");
  head.keep_alive = !closes && (head.minor_version >= 1 || lists(head, "connection", "keep-alive"));
  return head;
}

}  // namespace troupe::wire
