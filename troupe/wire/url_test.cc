// URLs: how they are split, what is refused and under which name, and which paths are the same.
#include "troupe/wire/url.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

namespace troupe::wire {
namespace {

using namespace std::string_view_literals;

TEST_CASE("a URL is split into what it was written as") {
  auto url = parse_url("HTTPS://user:pw@Example.COM:8443/a/b%20c?x=1&y=?#top");
  REQUIRE(url.has_value());
  CHECK_EQ(url->scheme, "https");
  CHECK_EQ(url->userinfo, "user:pw");
  CHECK_EQ(url->host, "example.com");
  CHECK_EQ(url->port, 8443);
  CHECK_EQ(url->path, "/a/b%20c");
  CHECK_EQ(url->query, "x=1&y=?");
  CHECK_EQ(url->fragment, "top");
  CHECK_EQ(url->origin(), "https://example.com:8443");
}

TEST_CASE("the origin leaves out the port that the scheme implies") {
  CHECK_EQ(parse_url("http://a.example:80/x")->origin(), "http://a.example");
  CHECK_EQ(parse_url("https://a.example")->origin(), "https://a.example");
  CHECK_EQ(parse_url("http://[::1]:8080/")->origin(), "http://[::1]:8080");
  CHECK_EQ(parse_url("wss://a.example/ws")->effective_port(), 443);
  CHECK_EQ(parse_url("com.example.app:/cb")->effective_port(), std::nullopt);
}

TEST_CASE("a scheme of an application needs no authority") {
  auto url = parse_url("com.example.app:/callback");
  REQUIRE(url.has_value());
  CHECK_FALSE(url->has_authority);
  CHECK_EQ(url->path, "/callback");
  CHECK(parse_url("urn:ietf:params:oauth:request_uri:abc").has_value());
}

TEST_CASE("what is no absolute URL is refused by name") {
  struct Row {
    std::string_view url;
    UrlError error;
  };
  constexpr Row rows[] = {
      {"", UrlError::no_scheme},
      {"/relative", UrlError::no_scheme},
      {"//host/path", UrlError::no_scheme},
      {"1http://a/", UrlError::no_scheme},
      {"ht tp://a/", UrlError::no_scheme},
      {"http:a", UrlError::bad_host},
      {"https:/a", UrlError::bad_host},
      {"http://", UrlError::bad_host},
      {"http:///path", UrlError::bad_host},
      {"http://user@/path", UrlError::bad_host},
      {"http://[::1/", UrlError::bad_host},
      {"http://[::1]x/", UrlError::bad_host},
      {"http://[::g]/", UrlError::bad_host},
      {"http://[]/", UrlError::bad_host},
      {"http://a:/", UrlError::bad_port},
      {"http://a:80x/", UrlError::bad_port},
      {"http://a:65536/", UrlError::bad_port},
      {"http://a:-1/", UrlError::bad_port},
      {"http://a b/", UrlError::bad_character},
      {"http://a\\b/", UrlError::bad_character},
      {"http://a/\\b", UrlError::bad_character},
      {"http://a/b c", UrlError::bad_character},
      {"http://a/\tb", UrlError::bad_character},
      {"http://a/b\n", UrlError::bad_character},
      {"http://a/ß", UrlError::bad_character},
      {"http://a/#x#y", UrlError::bad_character},
      {"http://a/?<x>", UrlError::bad_character},
      {"http://a/%", UrlError::bad_escape},
      {"http://a/%2", UrlError::bad_escape},
      {"http://a/%zz", UrlError::bad_escape},
      {"http://a/?%g0", UrlError::bad_escape},
  };
  for (const Row& row : rows) {
    CAPTURE(row.url);
    auto url = parse_url(row.url);
    REQUIRE_FALSE(url.has_value());
    CHECK_EQ(text(url.error()), text(row.error));
  }
}

TEST_CASE("paths that name the same thing become the same text") {
  struct Row {
    std::string_view path, normal;
  };
  constexpr Row rows[] = {
      {"/", "/"},
      {"/a/b", "/a/b"},
      {"/a/b/", "/a/b/"},
      {"/a/./b", "/a/b"},
      {"/a/../b", "/b"},
      {"/a/..", "/"},
      {"/a/b/..", "/a/"},
      {"/a/.", "/a/"},
      {"/../../etc/passwd", "/etc/passwd"},
      {"/a/%2e%2E/b", "/b"},
      {"/%61%62c", "/abc"},
      {"/gr%C3%BC%C3%9Fe", "/grüße"},
      {"/a+b", "/a+b"},
      {"//a", "//a"},
      {"/...", "/..."},
  };
  for (const Row& row : rows) {
    CAPTURE(row.path);
    CHECK_EQ(normalise_path(row.path), row.normal);
  }
}

TEST_CASE("paths that could mean two things are refused") {
  struct Row {
    std::string_view path;
    UrlError error;
  };
  constexpr Row rows[] = {
      {"", UrlError::bad_path},          {"a/b", UrlError::bad_path},       {"/a%2fb", UrlError::bad_path},
      {"/a%2Fb", UrlError::bad_path},    {"/a%5cb", UrlError::bad_path},    {"/a%00", UrlError::bad_path},
      {"/a%0d%0a", UrlError::bad_path},  {"/%7f", UrlError::bad_path},      {"/a\\b", UrlError::bad_character},
      {"/a b", UrlError::bad_character}, {"/a?b", UrlError::bad_character}, {"/%", UrlError::bad_escape},
      {"/%4", UrlError::bad_escape},     {"/%c0%af", UrlError::not_utf8},   {"/%ff", UrlError::not_utf8},
  };
  for (const Row& row : rows) {
    CAPTURE(row.path);
    auto path = normalise_path(row.path);
    REQUIRE_FALSE(path.has_value());
    CHECK_EQ(text(path.error()), text(row.error));
  }
}

TEST_CASE("any bytes survive percent coding") {
  CHECK(rc::check([](const std::string& bytes) { RC_ASSERT((percent_decode(percent_encode(bytes)) == bytes)); }));
  CHECK_EQ(percent_encode("a b/c~\xff"), "a%20b%2Fc~%FF");
  CHECK_EQ(percent_decode("a+b"), "a+b");
  CHECK_EQ(percent_decode("%41b%43"), "AbC");
  for (const char* cut : {"%", "a%", "%4", "a%4", "%zz", "%4z", "%%41"}) {
    CAPTURE(cut);
    CHECK_EQ(percent_decode(cut).error(), UrlError::bad_escape);
  }
}

}  // namespace
}  // namespace troupe::wire
