// HTTP/1.1: what is read, every kind of head and body that is refused and under which name,
// that cutting changes nothing, and how heads of responses are written.
#include "troupe/wire/http1.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

namespace troupe::wire {
namespace {

using namespace std::string_literals;

struct Message {
  std::string method, path, query, body;

  bool operator==(const Message&) const = default;
};

struct Outcome {
  std::vector<Message> messages;
  std::string error;

  bool operator==(const Outcome&) const = default;
};

/// Feeds `bytes` in pieces of that size and collects what comes out until the end or the first error.
Outcome parse(std::string_view bytes, std::size_t piece_bytes = SIZE_MAX, Http1Limits limits = {}) {
  Outcome outcome;
  Http1Parser parser{limits};
  Message message;
  while (!bytes.empty()) {
    std::string_view piece = bytes.substr(0, piece_bytes);
    bytes.remove_prefix(piece.size());
    while (true) {
      auto progress = parser.next(piece);
      if (!progress) {
        outcome.error = text(progress.error());
        return outcome;
      }
      if (*progress == Http1Progress::need_more) break;
      if (*progress == Http1Progress::head) {
        auto head = parser.take_head();
        message = {head.method, head.path, head.query, ""};
      } else {
        message.body = parser.take_body();
        outcome.messages.push_back(std::move(message));
      }
    }
    CHECK(piece.empty());
  }
  return outcome;
}

Http1Head head_of(std::string_view bytes) {
  Http1Parser parser;
  auto progress = parser.next(bytes);
  REQUIRE(progress.has_value());
  REQUIRE_EQ(*progress, Http1Progress::head);
  return parser.take_head();
}

TEST_CASE("requests that follow each other in one read come out one by one") {
  auto outcome = parse(
      "GET /a?x=1&y HTTP/1.1\r\nHost: h\r\n\r\n"
      "POST /b HTTP/1.1\r\nhost:h\r\nContent-Length: 5\r\n\r\nhello"
      "\r\nPUT /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
      "3;name=\"v\"\r\nabc\r\nA\r\n0123456789\r\n0\r\nTrailer: dropped\r\n\r\n"
      "OPTIONS * HTTP/1.0\r\n\r\n");
  CHECK_EQ(outcome.error, "");
  REQUIRE_EQ(outcome.messages.size(), 4);
  CHECK(outcome.messages[0] == Message{"GET", "/a", "x=1&y", ""});
  CHECK(outcome.messages[1] == Message{"POST", "/b", "", "hello"});
  CHECK(outcome.messages[2] == Message{"PUT", "/c", "", "abc0123456789"});
  CHECK(outcome.messages[3] == Message{"OPTIONS", "*", "", ""});
}

TEST_CASE("a head says whether the connection goes on and whether the client waits for 100") {
  CHECK(head_of("GET / HTTP/1.1\r\nHost: h\r\n\r\n").keep_alive);
  CHECK_FALSE(head_of("GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, Close\r\n\r\n").keep_alive);
  CHECK_FALSE(head_of("GET / HTTP/1.0\r\n\r\n").keep_alive);
  CHECK(head_of("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").keep_alive);
  CHECK(head_of("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nExpect: 100-Continue\r\n\r\n").expects_continue);
  CHECK_FALSE(head_of("GET / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n\r\n").expects_continue);
}

TEST_CASE(
    "an absolute-form says no more than its path and query, where its host is the one of Host (RFC 9112, 3.2.2)") {
  struct Row {
    std::string_view target, path, query;
  };
  for (const Row& row : {Row{"http://h/a/b?x=1", "/a/b", "x=1"}, Row{"HTTPS://H/", "/", ""}, Row{"http://h", "/", ""},
                         Row{"http://h?x=http://h/", "/", "x=http://h/"}}) {
    CAPTURE(row.target);
    const auto head = parse_http1_head("GET " + std::string{row.target} + " HTTP/1.1\r\nHost: h\r\n\r\n");
    REQUIRE(head.has_value());
    CHECK_EQ(head->path, row.path);
    CHECK_EQ(head->query, row.query);
  }
  for (const auto& [target, error] : {std::pair{"http://other/", Http1Error::bad_host},
                                      {"http://h:81/", Http1Error::bad_host},
                                      {"http://u@h/", Http1Error::bad_host},
                                      {"http:///x", Http1Error::bad_target},
                                      {"ftp://h/", Http1Error::bad_target}}) {
    CAPTURE(target);
    const auto head = parse_http1_head(std::string{"GET "} + target + " HTTP/1.1\r\nHost: h\r\n\r\n");
    REQUIRE_FALSE(head.has_value());
    CHECK_EQ(head.error(), error);
  }
}

TEST_CASE("fields keep their order and lose the white space around their values") {
  auto head = head_of("GET / HTTP/1.1\r\nHost: h\r\nX-A: \t one two \t\r\nx-a:\r\n\r\n");
  CHECK(head.fields == std::vector<HttpField>{{"Host", "h"}, {"X-A", "one two"}, {"x-a", ""}});
}

struct BadHead {
  std::string what;
  std::string bytes;
  Http1Error error;
  int status = 400;
};

/// Every kind of head that two readers could understand differently.
std::vector<BadHead> bad_heads() {
  const std::string host = "Host: h\r\n";
  const std::string get = "GET / HTTP/1.1\r\n";
  const std::string post = "POST / HTTP/1.1\r\nHost: h\r\n";
  using enum Http1Error;
  return {
      {"bare LF after the request line", "GET / HTTP/1.1\n" + host + "\r\n", bad_line_ending},
      {"bare LF after a field", get + "Host: h\n\n", bad_line_ending},
      {"bare CR in a field", get + "Host: h\r\nX: a\rb\r\n\r\n", bad_line_ending},
      {"CR CR LF", get + "Host: h\r\r\n\r\n", bad_line_ending},
      {"NUL in a value", get + "Host: h\r\nX: a\0b\r\n\r\n"s, bad_character},
      {"NUL in the request line", "GET /\0 HTTP/1.1\r\nHost: h\r\n\r\n"s, bad_character},
      {"DEL in a value", get + "Host: h\r\nX: \x7f\r\n\r\n", bad_character},
      {"a folded field", get + host + "X: a\r\n b\r\n\r\n", obsolete_folding},
      {"a folded first field", get + " Host: h\r\n\r\n", obsolete_folding},
      {"a folded field with tab", get + host + "X: a\r\n\tContent-Length: 5\r\n\r\n", obsolete_folding},
      {"space before the colon", get + "Host : h\r\n\r\n", bad_field},
      {"no colon", get + host + "Nonsense\r\n\r\n", bad_field},
      {"an empty name", get + host + ": x\r\n\r\n", bad_field},
      {"a name with a space", get + host + "X Y: 1\r\n\r\n", bad_field},
      {"a name with a parenthesis", get + host + "X(: 1\r\n\r\n", bad_field},
      {"no version", "GET /\r\n" + host + "\r\n", bad_target},
      {"only a method", "GET\r\n" + host + "\r\n", bad_request_line},
      {"a method that is no token", "G@T / HTTP/1.1\r\n" + host + "\r\n", bad_request_line},
      {"two spaces", "GET  / HTTP/1.1\r\n" + host + "\r\n", bad_target},
      {"a space at the end", "GET / HTTP/1.1 \r\n" + host + "\r\n", bad_request_line},
      {"a space in the target", "GET /a b HTTP/1.1\r\n" + host + "\r\n", bad_request_line},
      {"lower-case http", "GET / http/1.1\r\n" + host + "\r\n", bad_request_line},
      {"HTTP/2.0", "GET / HTTP/2.0\r\n" + host + "\r\n", unsupported_version, 505},
      {"HTTP/0.9", "GET / HTTP/0.9\r\n" + host + "\r\n", unsupported_version, 505},
      {"the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", unsupported_version, 505},
      {"authority-form", "CONNECT h:443 HTTP/1.1\r\n" + host + "\r\n", bad_target},
      {"asterisk without OPTIONS", "GET * HTTP/1.1\r\n" + host + "\r\n", bad_target},
      {"a relative target", "GET a HTTP/1.1\r\n" + host + "\r\n", bad_target},
      {"a fragment in the target", "GET /a#b HTTP/1.1\r\n" + host + "\r\n", bad_target},
      {"bytes beyond ASCII in the target", "GET /\xc3\xa9 HTTP/1.1\r\n" + host + "\r\n", bad_target},
      {"no Host", get + "\r\n", bad_host},
      {"two Hosts", get + host + host + "\r\n", bad_host},
      {"two Hosts in HTTP/1.0", "GET / HTTP/1.0\r\n" + host + host + "\r\n", bad_host},
      {"an empty Host", get + "Host:\r\n\r\n", bad_host},
      {"a Host with a path", get + "Host: h/x\r\n\r\n", bad_host},
      {"a Host with userinfo", get + "Host: a@h\r\n\r\n", bad_host},
      {"a list as Host", get + "Host: a, b\r\n\r\n", bad_host},
      {"length and chunked", post + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", bad_transfer_encoding},
      {"chunked and length", post + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n", bad_content_length},
      {"another coding and length", post + "Transfer-Encoding: x\r\nContent-Length: 5\r\n\r\n", bad_content_length},
      {"two different lengths", post + "Content-Length: 5\r\nContent-Length: 6\r\n\r\n", bad_content_length},
      {"two equal lengths", post + "Content-Length: 5\r\nContent-Length: 5\r\n\r\n", bad_content_length},
      {"a list of lengths", post + "Content-Length: 5, 5\r\n\r\n", bad_content_length},
      {"a negative length", post + "Content-Length: -5\r\n\r\n", bad_content_length},
      {"a length with plus", post + "Content-Length: +5\r\n\r\n", bad_content_length},
      {"a hexadecimal length", post + "Content-Length: 0x5\r\n\r\n", bad_content_length},
      {"a length with a letter", post + "Content-Length: 5a\r\n\r\n", bad_content_length},
      {"an empty length", post + "Content-Length:\r\n\r\n", bad_content_length},
      {"a length over 64 bits", post + "Content-Length: 18446744073709551616\r\n\r\n", bad_content_length},
      {"chunked twice", post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
       bad_transfer_encoding},
      {"chunked in HTTP/1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", bad_transfer_encoding},
      {"gzip, chunked", post + "Transfer-Encoding: gzip, chunked\r\n\r\n", unsupported_transfer_encoding, 501},
      {"chunked, identity", post + "Transfer-Encoding: chunked, identity\r\n\r\n", unsupported_transfer_encoding, 501},
      {"xchunked", post + "Transfer-Encoding: xchunked\r\n\r\n", unsupported_transfer_encoding, 501},
      {"chunked in quotes", post + "Transfer-Encoding: \"chunked\"\r\n\r\n", unsupported_transfer_encoding, 501},
      {"an unknown expectation", post + "Expect: 200-ok\r\n\r\n", bad_expectation, 417},
      {"a length over the limit", post + "Content-Length: 65537\r\n\r\n", body_too_large, 413},
      {"a long request line", "GET /" + std::string(9000, 'a') + " HTTP/1.1\r\n\r\n", request_line_too_long, 414},
      {"a long head", get + host + "X: " + std::string(17000, 'a') + "\r\n\r\n", head_too_large, 431},
      {"a head without end", get + host + "X: " + std::string(17000, 'a'), head_too_large, 431},
  };
}

TEST_CASE("a head that two readers could understand differently is refused by name") {
  for (const auto& row : bad_heads()) {
    CAPTURE(row.what);
    for (std::size_t piece : {SIZE_MAX, std::size_t{1}, std::size_t{7}}) {
      auto outcome = parse(row.bytes, piece);
      CHECK_EQ(outcome.error, text(row.error));
      CHECK(outcome.messages.empty());
    }
    CHECK_EQ(status_of(row.error), row.status);
  }
}

TEST_CASE("more fields than the limit are refused") {
  std::string bytes = "GET / HTTP/1.1\r\nHost: h\r\n";
  for (int i = 0; i < 99; ++i) bytes += "X: 1\r\n";
  CHECK_EQ(parse(bytes + "\r\n").messages.size(), 1);
  CHECK_EQ(parse(bytes + "X: 1\r\n\r\n").error, "too_many_fields");
}

TEST_CASE("chunks outside the grammar are refused") {
  struct Row {
    std::string what, body, error;
  };
  const Row rows[] = {
      {"no size", "\r\nabc\r\n", "bad_chunk"},
      {"a size with a sign", "+3\r\nabc\r\n", "bad_chunk"},
      {"a size with 0x", "0x3\r\nabc\r\n", "bad_chunk"},
      {"a size that is no number", "g\r\nabc\r\n", "bad_chunk"},
      {"a space before the size", " 3\r\nabc\r\n", "bad_chunk"},
      {"a space after the size", "3 \r\nabc\r\n", "bad_chunk"},
      {"a size over 64 bits", "10000000000000000\r\n", "bad_chunk"},
      {"bare LF after the size", "3\nabc\r\n", "bad_chunk"},
      {"CR inside an extension", "3;a\rb\r\nabc\r\n", "bad_chunk"},
      {"more data than announced", "3\r\nabcd\r\n", "bad_chunk"},
      {"bare LF after the data", "3\r\nabc\n0\r\n\r\n", "bad_chunk"},
      {"a trailer without colon", "0\r\nnonsense\r\n\r\n", "bad_chunk"},
      {"a folded trailer", "0\r\nA: b\r\n c\r\n\r\n", "bad_chunk"},
      {"a long size line", std::string(2000, '0') + "\r\n", "bad_chunk"},
      {"a chunk over the limit", "10001\r\n", "body_too_large"},
      {"chunks that add up over the limit", "fffe\r\n" + std::string(0xfffe, 'x') + "\r\n3\r\n", "body_too_large"},
      {"a size that would overflow the sum", "3\r\nabc\r\nffffffffffffffff\r\n", "body_too_large"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    std::string bytes = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n" + row.body;
    for (std::size_t piece : {SIZE_MAX, std::size_t{1}, std::size_t{5}}) {
      auto outcome = parse(bytes, piece);
      CHECK_EQ(outcome.error, row.error);
      CHECK(outcome.messages.empty());
    }
  }
}

TEST_CASE("the limit of a body may be chosen once the head is known") {
  std::string bytes = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n";
  std::string_view input = bytes;
  Http1Parser parser;
  REQUIRE(parser.next(input).has_value());
  parser.limit_body(200'000);
  CHECK_EQ(parser.next(input), Http1Progress::need_more);
}

TEST_CASE("a parser is idle between requests, and not inside one") {
  Http1Parser parser;
  CHECK(parser.is_idle());
  std::string_view part = "GET / HT";
  CHECK_EQ(parser.next(part), Http1Progress::need_more);
  CHECK_FALSE(parser.is_idle());
}

TEST_CASE("any requests, cut anywhere, are the requests of the whole") {
  const std::vector<std::string> parts = {
      "GET / HTTP/1.1\r\nHost: h\r\n\r\n",
      "\r\n",
      "POST /x?y HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc",
      "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      "\n",
      "garbage",
  };
  CHECK(rc::check([&] {
    std::string bytes;
    for (const auto& part : *rc::gen::container<std::vector<std::string>>(rc::gen::elementOf(parts))) bytes += part;
    auto piece = *rc::gen::inRange<std::size_t>(1, 60);
    RC_ASSERT((parse(bytes, piece) == parse(bytes)));
  }));
}

TEST_CASE("a response head is written line by line") {
  std::string out;
  const std::vector<HttpField> fields = {{"Content-Type", "text/plain"}, {"X-Empty", ""}};
  append_response_head(
      out,
      {.status = 404, .fields = fields, .content_length = 3, .keep_alive = false, .date = http_date({784111777000})});
  CHECK_EQ(out,
           "HTTP/1.1 404 Not Found\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Type: text/plain\r\nX-Empty: \r\n"
           "Content-Length: 3\r\nConnection: close\r\n\r\n");
}

TEST_CASE("the date is that of now, whether time goes on, stands still, or goes back") {
  HttpDate date;
  for (const std::int64_t milliseconds : {0, 1, 999, 1000, 1001, 86'400'000, 999, 0}) {
    CAPTURE(milliseconds);
    CHECK_EQ(date.at({milliseconds}), http_date({milliseconds}));
  }
}

TEST_CASE("a value that would break its line is known before it is written") {
  CHECK(is_field_value("text; q=\"ü\"\t"));
  for (auto value : {"a\r\nSet-Cookie: x"s, "a\nb"s, "a\0b"s, "\x7f"s}) CHECK_FALSE(is_field_value(value));
}

}  // namespace
}  // namespace troupe::wire
