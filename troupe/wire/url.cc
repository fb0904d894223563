// URLs: character classes by table, then one function for each part of RFC 3986's grammar.
#include "troupe/wire/url.h"

#include <arpa/inet.h>

#include <array>
#include <charconv>
#include <vector>

#include "troupe/wire/ascii.h"
#include "troupe/wire/utf8.h"

namespace troupe::wire {
namespace {

using Failure = std::unexpected<UrlError>;

/// The marks that may stand in every part of a URL: unreserved and sub-delims of RFC 3986, 2.2 and 2.3.
constexpr std::string_view common_marks = "-._~!$&'()*+,;=";

constexpr CharacterSet unreserved_class{"-._~"};
constexpr CharacterSet scheme_class{"+-."};
constexpr CharacterSet host_class{common_marks};
constexpr CharacterSet userinfo_class{common_marks, ":"};
constexpr CharacterSet path_class{common_marks, ":@/"};
constexpr CharacterSet query_class{common_marks, ":@/?"};

/// Checks that `text` holds only characters of the class and whole escapes.
std::optional<UrlError> violation(std::string_view text, const CharacterSet& allowed) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      if (i + 2 >= text.size() || hex_value(text[i + 1]) < 0 || hex_value(text[i + 2]) < 0) return UrlError::bad_escape;
      i += 2;
    } else if (!allowed.contains(text[i])) {
      return UrlError::bad_character;
    }
  }
  return std::nullopt;
}

/// Cuts `text` at the first `separator` and gives what followed it, if it was there.
std::optional<std::string_view> cut_tail(std::string_view& text, char separator) {
  std::size_t at = text.find(separator);
  if (at == std::string_view::npos) return std::nullopt;
  std::string_view tail = text.substr(at + 1);
  text = text.substr(0, at);
  return tail;
}

bool names_a_server(std::string_view scheme) {
  return scheme == "http" || scheme == "https" || scheme == "ws" || scheme == "wss";
}

std::optional<UrlError> parse_port(std::string_view text, Url& url) {
  std::uint16_t port = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return UrlError::bad_port;
  url.port = port;
  return std::nullopt;
}

/// authority = [ userinfo "@" ] host [ ":" port ]   (RFC 3986, 3.2)
std::optional<UrlError> parse_authority(std::string_view authority, Url& url) {
  if (std::size_t at = authority.rfind('@'); at != std::string_view::npos) {
    if (auto error = violation(authority.substr(0, at), userinfo_class)) return error;
    url.userinfo = authority.substr(0, at);
    authority.remove_prefix(at + 1);
  }
  std::string_view host = authority;
  std::optional<std::string_view> port;
  if (authority.starts_with('[')) {
    std::size_t end = authority.find(']');
    if (end == std::string_view::npos) return UrlError::bad_host;
    host = authority.substr(0, end + 1);
    in6_addr ignored;
    if (inet_pton(AF_INET6, std::string{host.substr(1, end - 1)}.c_str(), &ignored) != 1) return UrlError::bad_host;
    std::string_view rest = authority.substr(end + 1);
    if (!rest.empty() && rest[0] != ':') return UrlError::bad_host;
    if (!rest.empty()) port = rest.substr(1);
  } else {
    port = cut_tail(host, ':');
    if (auto error = violation(host, host_class)) return error;
  }
  if (host.empty() && (names_a_server(url.scheme) || port || url.userinfo)) return UrlError::bad_host;
  url.host = to_lower(host);
  return port ? parse_port(*port, url) : std::nullopt;
}

std::optional<std::uint16_t> port_of_scheme(std::string_view scheme) {
  if (scheme == "http" || scheme == "ws") return 80;
  if (scheme == "https" || scheme == "wss") return 443;
  return std::nullopt;
}

}  // namespace

std::string_view text(UrlError error) noexcept {
  switch (error) {
    case UrlError::no_scheme:
      return "no_scheme";
    case UrlError::bad_character:
      return "bad_character";
    case UrlError::bad_escape:
      return "bad_escape";
    case UrlError::bad_host:
      return "bad_host";
    case UrlError::bad_port:
      return "bad_port";
    case UrlError::bad_path:
      return "bad_path";
    case UrlError::not_utf8:
      return "not_utf8";
  }
  return "";
}

std::string percent_encode(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size() + bytes.size() / 4);
  for (char c : bytes) {
    if (unreserved_class.contains(c)) {
      out += c;
    } else {
      append_percent(out, c);
    }
  }
  return out;
}

std::expected<std::string, UrlError> percent_decode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (;;) {  // what has no escape is taken as it stands: a token has none in hundreds of bytes
    const std::size_t escape = text.find('%');
    out += text.substr(0, escape);
    if (escape == std::string_view::npos) return out;
    text.remove_prefix(escape);
    const int high = text.size() > 2 ? hex_value(text[1]) : -1;
    const int low = high >= 0 ? hex_value(text[2]) : -1;
    if (low < 0) return Failure{UrlError::bad_escape};
    out += static_cast<char>(high << 4 | low);
    text.remove_prefix(3);
  }
}

std::optional<std::uint16_t> Url::effective_port() const noexcept { return port ? port : port_of_scheme(scheme); }

std::string Url::origin() const {
  std::string out = scheme + "://" + host;
  if (port && port != port_of_scheme(scheme)) out += ":" + std::to_string(*port);
  return out;
}

std::expected<Url, UrlError> parse_url(std::string_view text) {
  Url url;
  // 1. The fragment, then the query, from the back, so that what they hold is not mistaken for the rest.
  if (auto fragment = cut_tail(text, '#')) {
    if (auto error = violation(*fragment, query_class)) return Failure{*error};
    url.fragment = *fragment;
  }
  if (auto query = cut_tail(text, '?')) {
    if (auto error = violation(*query, query_class)) return Failure{*error};
    url.query = *query;
  }
  // 2. The scheme.
  std::string_view scheme = text;
  auto rest = cut_tail(scheme, ':');
  if (!rest || scheme.empty() || !is_letter(scheme[0]) || violation(scheme, scheme_class)) {
    return Failure{UrlError::no_scheme};
  }
  url.scheme = to_lower(scheme);
  // 3. The authority, where there is one, and the path.
  url.has_authority = rest->starts_with("//");
  if (url.has_authority) {
    rest->remove_prefix(2);
    std::size_t path_at = std::min(rest->find('/'), rest->size());
    if (auto error = parse_authority(rest->substr(0, path_at), url)) return Failure{*error};
    rest->remove_prefix(path_at);
  } else if (names_a_server(url.scheme)) {
    return Failure{UrlError::bad_host};
  }
  if (auto error = violation(*rest, path_class)) return Failure{*error};
  url.path = *rest;
  return url;
}

std::expected<std::string, UrlError> normalise_path(std::string_view path) {
  if (!path.starts_with('/')) return Failure{UrlError::bad_path};
  if (auto error = violation(path, path_class)) return Failure{*error};
  // Without an escape and a segment that begins with a dot it is normal as it stands.
  if (!path.contains('%') && !path.contains("/.")) return std::string{path};

  std::vector<std::string> segments;
  std::string_view rest = path;
  bool last = false;
  bool ends_in_directory = false;
  while (!last) {
    rest.remove_prefix(1);
    std::size_t end = std::min(rest.find('/'), rest.size());
    last = end == rest.size();
    auto segment = percent_decode(rest.substr(0, end));
    rest.remove_prefix(end);
    if (!segment) return Failure{segment.error()};
    if (!is_utf8(*segment)) return Failure{UrlError::not_utf8};
    for (unsigned char c : *segment) {
      if (c < 0x20 || c == 0x7f || c == '/' || c == '\\') return Failure{UrlError::bad_path};
    }
    bool is_dot = *segment == "." || *segment == "..";
    if (*segment == ".." && !segments.empty()) segments.pop_back();
    if (!is_dot) segments.push_back(std::move(*segment));
    ends_in_directory = is_dot;
  }
  std::string out;
  for (const auto& segment : segments) out.append("/").append(segment);
  if (ends_in_directory || out.empty()) out += '/';
  return out;
}

}  // namespace troupe::wire
