// HTTP messages: looking up fields, and the usual responses.
#include "troupe/web/message.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "troupe/base/check.h"
#include "troupe/wire/ascii.h"
#include "troupe/wire/http1.h"
#include "troupe/wire/json.h"

namespace troupe::web {
namespace {

constexpr std::array<std::string_view, 7> method_names = {"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"};

Response with_content(int status, std::string_view type, std::string body) {
  std::vector<wire::HttpField> fields;
  fields.reserve(8);  // what every answer gets on its way, too
  fields.push_back({"Content-Type", std::string{type}});
  return {.status = status, .headers = Headers{std::move(fields)}, .body = base::Bytes{body}};
}

std::string_view text(SameSite same_site) noexcept {
  switch (same_site) {
    case SameSite::lax:
      return "Lax";
    case SameSite::strict:
      return "Strict";
    case SameSite::none:
      return "None";
  }
  return "";
}

/// The usual code of a status, for programs.
std::string_view code_of(int status) noexcept {
  struct Row {
    int status;
    std::string_view code;
  };
  static constexpr Row rows[] = {
      {401, "unauthorized"},     {403, "forbidden"},    {404, "not_found"}, {405, "method_not_allowed"},
      {408, "timeout"},          {409, "conflict"},     {413, "too_large"}, {414, "too_large"},
      {426, "upgrade_required"}, {429, "rate_limited"}, {431, "too_large"}, {501, "not_implemented"},
      {505, "not_implemented"},  {503, "unavailable"},
  };
  for (const Row& row : rows)
    if (row.status == status) return row.code;
  return status < 500 ? "bad_request" : "internal";
}

}  // namespace

std::string_view text(Method method) noexcept {
  auto index = static_cast<std::size_t>(method);
  return index < method_names.size() ? method_names[index] : std::string_view{};
}

Method method_of(std::string_view name) noexcept {
  auto found = std::ranges::find(method_names, name);
  return static_cast<Method>(found - method_names.begin());  // past the last name: other
}

std::optional<std::string_view> Headers::get(std::string_view name) const noexcept {
  for (const auto& field : fields_) {
    if (wire::equal_ignoring_case(field.name, name)) return field.value;
  }
  return std::nullopt;
}

std::size_t Headers::count(std::string_view name) const noexcept {
  return static_cast<std::size_t>(
      std::ranges::count_if(fields_, [&](const Field& field) { return wire::equal_ignoring_case(field.name, name); }));
}

bool Headers::has_token(std::string_view name, std::string_view token) const noexcept {
  return std::ranges::any_of(fields_, [&](const Field& field) {
    return wire::equal_ignoring_case(field.name, name) && wire::lists_token(field.value, token);
  });
}

void Headers::add(std::string name, std::string value) { fields_.push_back({std::move(name), std::move(value)}); }

void Headers::set(std::string name, std::string value) {
  std::erase_if(fields_, [&](const Field& field) { return wire::equal_ignoring_case(field.name, name); });
  add(std::move(name), std::move(value));
}

Response text_response(int status, std::string text) {
  return with_content(status, "text/plain; charset=utf-8", std::move(text));
}

Response json_response(int status, std::string json) {
  return with_content(status, "application/json", std::move(json));
}

Response html_response(int status, std::string html) {
  return with_content(status, "text/html; charset=utf-8", std::move(html));
}

Response redirect(int status, std::string location) {
  INVARIANT(status == 301 || status == 302 || status == 303 || status == 307 || status == 308, "no redirect status");
  return {.status = status, .headers = {{"Location", std::move(location)}}};
}

Response problem(int status, std::string_view detail, std::string_view code) {
  std::string json;
  wire::JsonWriter writer{json};
  writer.begin_object().member("status", status).member("title", wire::reason_phrase(status)).member("detail", detail);
  writer.member("code", code.empty() ? code_of(status) : code).end_object();
  return with_content(status, "application/problem+json", std::move(json));
}

void set_cookie(Response& response, const Cookie& cookie) {
  std::string field = fmt::format("{}={}; Path={}", cookie.name, cookie.value, cookie.path);
  if (cookie.max_age_seconds) field += fmt::format("; Max-Age={}", *cookie.max_age_seconds);
  if (cookie.secure) field += "; Secure";
  if (cookie.http_only) field += "; HttpOnly";
  field += fmt::format("; SameSite={}", text(cookie.same_site));
  response.headers.add("Set-Cookie", std::move(field));
}

}  // namespace troupe::web
