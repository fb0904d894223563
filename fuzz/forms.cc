// Fuzzes forms, URLs, paths, cookies and base64: what is read can be written and read again
// to the same value, and nothing forbidden comes through.
#include "troupe/wire/form.h"

#include "fuzz/property.h"
#include "troupe/wire/base64.h"
#include "troupe/wire/cookie.h"
#include "troupe/wire/url.h"
#include "troupe/wire/utf8.h"

namespace {

using namespace troupe::wire;

void check_form(std::string_view text) {
  auto form = parse_form(text);
  if (!form) return;
  for (const auto& [name, value] : *form) {
    INVARIANT(is_utf8(name) && is_utf8(value), "a parameter that is not UTF-8 came through");
    INVARIANT(!value.contains('\0'), "a NUL came through");
  }
  auto again = parse_form(write_form(*form), {.bytes_max = SIZE_MAX});
  INVARIANT(again && *again == *form, "a form does not survive being written and read");
}

void check_url(std::string_view text) {
  auto url = parse_url(text);
  if (!url) return;
  std::string written = url->scheme + ":";
  if (url->has_authority) written += "//";
  if (url->userinfo) written += *url->userinfo + "@";
  written += url->host;
  if (url->port) written += ":" + std::to_string(*url->port);
  written += url->path;
  if (url->query) written += "?" + *url->query;
  if (url->fragment) written += "#" + *url->fragment;
  auto again = parse_url(written);
  INVARIANT(again.has_value(), "the parts of a URL do not make a URL");
  INVARIANT(again->host == url->host && again->path == url->path && again->query == url->query,
            "the parts of a URL change when they are read again");
}

void check_path(std::string_view text) {
  auto path = normalise_path(text);
  if (!path) return;
  INVARIANT(path->starts_with('/') && is_utf8(*path), "a path that is none came through");
  std::string inside = *path + "/";
  INVARIANT(!inside.contains("/../") && !inside.contains("/./"), "a dot segment came through");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto text = troupe::fuzz::as_text(data, size);
  check_form(text);
  check_url(text);
  check_path(text);
  for (const auto& [name, value] : parse_cookies(text)) {
    INVARIANT(!name.empty() && find_cookie(text, name), "a cookie is lost");
  }
  auto decoded = percent_decode(percent_encode(text));
  INVARIANT(decoded && *decoded == text, "percent coding loses bytes");
  if (auto bytes = from_base64(text)) INVARIANT(to_base64(*bytes) == text, "one value has two base64 texts");
  if (auto bytes = from_base64url(text)) INVARIANT(to_base64url(*bytes) == text, "one value has two base64url texts");
  return 0;
}
